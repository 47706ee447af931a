#pragma once

#include <doctest/doctest.h>
#include <autograd/tensor/tensor.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// The numbers of PyTorch under golden/, written by generate.py.
namespace unroll::testing {

/// A part of a golden file: a tensor, or parts by name.
class Golden {
 public:
  /// golden/<file>.json.
  static Golden read(const std::string& file) {
    const std::string path = "tests/parity/golden/" + file + ".json";
    std::ifstream in(std::string(UNROLL_SOURCE_DIR) + '/' + path);
    REQUIRE_MESSAGE(in.good(), path << " can be opened");
    return Golden(nlohmann::json::parse(in));
  }

  Golden operator[](const std::string& name) const {
    REQUIRE_MESSAGE(node_.contains(name), "the golden file has " << name);
    return Golden(node_.at(name));
  }
  bool has(const std::string& name) const { return node_.contains(name); }
  std::size_t size() const { return node_.size(); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& item : node_.items()) all.push_back(item.key());
    return all;
  }

  Tensor tensor(Dtype dtype) const {
    const auto sizes = node_.at("shape").get<std::vector<Index>>();
    const Shape shape{std::span<const Index>(sizes)};
    if (dtype == Dtype::int64)
      return Tensor::of(shape, node_.at("values").get<std::vector<std::int64_t>>());
    return Tensor::of(shape, node_.at("values").get<std::vector<double>>()).to(dtype);
  }

 private:
  explicit Golden(nlohmann::json node) : node_(std::move(node)) {}
  nlohmann::json node_;
};

/// `actual` has the golden shape, and its elements agree with the golden ones: in float64 to 1e-12
/// of the element, or of a hundredth of the largest one where larger terms have cancelled; in
/// float32 to 1e-6 of the largest element.
inline void check_parity(const Tensor& actual, const Golden& golden, const std::string& name) {
  INFO(name);
  const Tensor expected = golden.tensor(Dtype::float64);
  REQUIRE(actual.shape() == expected.shape());
  const bool is_float32 = actual.dtype() == Dtype::float32;
  const double tolerance = is_float32 ? 1e-6 : 1e-12;
  const std::vector<double> a = actual.to_vector<double>();
  const std::vector<double> e = expected.to_vector<double>();
  double largest = 0.0;
  for (double value : e) largest = std::max(largest, std::abs(value));
  REQUIRE(largest > 0.0);
  for (std::size_t k = 0; k < e.size(); ++k) {
    const double scale = is_float32 ? largest : std::max(std::abs(e[k]), 0.01 * largest);
    CHECK_MESSAGE(std::abs(a[k] - e[k]) <= tolerance * scale,
                  describe(actual)
                      << " element " << k << " is off by " << a[k] - e[k] << " from " << e[k]);
  }
}

inline constexpr Dtype kFloating[] = {Dtype::float32, Dtype::float64};

}  // namespace unroll::testing
