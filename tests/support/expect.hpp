#pragma once

#include <doctest/doctest.h>
#include <autograd/tensor/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// Assertions that several files of tests share. Each says in words what was expected.
namespace unroll::testing {

/// Calls f, which must throw exactly an E whose message holds all of `parts`.
template <class E, class F>
void expect_error(F&& f, std::initializer_list<std::string_view> parts) {
  std::string message;
  std::string kind = "nothing was thrown";
  try {
    f();
  } catch (const E& error) {
    message = error.what();
    kind.clear();
  } catch (const std::exception& error) {
    kind = std::string("another exception was thrown: ") + error.what();
  }
  CHECK_MESSAGE(kind.empty(), kind);
  if (!kind.empty()) return;
  for (std::string_view part : parts)
    CHECK_MESSAGE(message.find(part) != std::string::npos,
                  "the message should name \"" << std::string(part) << "\": " << message);
}

/// |a - b| relative to their size; 0 for two NaNs or equal infinities, infinite for one NaN.
inline double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0.0;
  const double d = std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
  return std::isnan(d) ? HUGE_VAL : d;
}

/// Every element of `actual`, in row-major order, lies within `tolerance` of `expected`.
inline void expect_values(const Tensor& actual, const std::vector<double>& expected,
                          double tolerance = 1e-12) {
  REQUIRE(actual.defined());
  const std::vector<double> values = actual.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  std::size_t wrong = 0;
  std::size_t worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (distance(values[i], expected[i]) > tolerance) ++wrong;
    if (distance(values[i], expected[i]) > distance(values[worst], expected[worst])) worst = i;
  }
  if (wrong > 0)
    FAIL_CHECK(describe(actual) << ": " << wrong << " elements are wrong; the worst, " << worst
                                << ", is " << values[worst] << ", expected " << expected[worst]);
}

/// Both tensors have one shape and agree within `tolerance`.
inline void expect_close(const Tensor& actual, const Tensor& expected, double tolerance = 1e-12) {
  REQUIRE(expected.defined());
  CHECK(actual.shape() == expected.shape());
  expect_values(actual, expected.to_vector<double>(), tolerance);
}

}  // namespace unroll::testing
