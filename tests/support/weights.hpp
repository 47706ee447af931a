#pragma once

#include <nn/module.hpp>

#include <cmath>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// The parameters of a module as plain numbers, for cells written out by hand.
namespace unroll::testing {

using Numbers = std::vector<double>;

class Weights {
 public:
  explicit Weights(const nn::Module& module) {
    for (const auto& [name, parameter] : module.named_parameters())
      values_[name] = parameter.value().to_vector<double>();
  }

  const Numbers& operator[](const std::string& name) const { return values_.at(name); }

  /// The product of row `row` of the matrix `name` with v, which has as many elements as a row.
  double dot(const std::string& name, std::size_t row, const Numbers& v) const {
    const Numbers& matrix = (*this)[name];
    if ((row + 1) * v.size() > matrix.size()) throw std::out_of_range(name);
    double sum = 0.0;
    for (std::size_t k = 0; k < v.size(); ++k) sum += matrix[row * v.size() + k] * v[k];
    return sum;
  }

 private:
  std::map<std::string, Numbers> values_;
};

/// 1 / (1 + e^-x), by the definition.
inline double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// Elements [t][b] of `x: [T,B,I]`, I of them.
inline Numbers at_step(const Tensor& x, Index t, Index b) {
  return x.select(0, t).select(0, b).to_vector<double>();
}

/// Sets a parameter of a module by name to one value.
inline void set_all(const nn::Module& module, const std::string& name, double value) {
  for (auto [path, parameter] : module.named_parameters())
    if (path == name) return parameter.set(full(parameter.shape(), value, parameter.dtype()));
  throw std::out_of_range(name);
}

}  // namespace unroll::testing
