#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace unroll::testing {
namespace {

/// Numbers of every size, both signs and both kinds of zero: equally spaced bit patterns.
template <class T, class Bits>
std::vector<T> numbers_of_every_size(Bits step) {
  std::vector<T> numbers;
  const Bits last = std::numeric_limits<Bits>::max() - step;
  for (Bits bits = 0; bits < last; bits += step) {
    const T x = std::bit_cast<T>(bits);
    if (std::isnormal(x) || x == 0) numbers.push_back(x);
  }
  return numbers;
}

/// The greatest error of f, in units in the last place of the exact result; results that the type
/// holds only with fewer digits count as zero, and the top third of its range as infinity.
template <class T, class F, class Exact>
double greatest_error(const std::vector<T>& x, const F& f, const Exact& exact) {
  // Undefined numbers and infinities must be where they belong.
  const Tensor y = f(Variable(Tensor::of<T>({static_cast<Index>(x.size())}, x))).value();
  constexpr T kLargest = std::numeric_limits<T>::max();
  double greatest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double wanted = exact(static_cast<long double>(x[i]));
    const T got = y.data<T>()[i];
    const T rounded = static_cast<T>(wanted);
    if (std::isnan(rounded) || std::isnan(got)) {
      if (!std::isnan(rounded) || !std::isnan(got)) return HUGE_VAL;
      continue;
    }
    if (std::abs(rounded) > kLargest / T(1.5)) {
      if (std::abs(got) < kLargest / T(1.6)) return HUGE_VAL;
      continue;
    }
    if (std::abs(rounded) < std::numeric_limits<T>::min()) {
      if (std::abs(got) > 2 * std::numeric_limits<T>::min()) return HUGE_VAL;
      continue;
    }
    const T size = std::abs(rounded);
    const long double unit = static_cast<long double>(std::nextafter(size, kLargest)) - size;
    greatest = std::max(
        greatest, static_cast<double>(std::abs(static_cast<long double>(got) - wanted) / unit));
  }
  return greatest;
}

const std::vector<float> floats = numbers_of_every_size<float>(std::uint32_t{16411});
const std::vector<double> doubles =
    numbers_of_every_size<double>(std::uint64_t{0x0000'3fff'0000'0013});

}  // namespace

// The bounds that docs/pointwise.md states, in units in the last place.
#define CHECK_ULPS(function, exact, in_float32, in_float64)                       \
  do {                                                                            \
    const auto f = [](const Variable& x) { return unroll::function; };            \
    const auto wanted = [](long double x) -> long double { return exact; };       \
    CHECK_MESSAGE(greatest_error(floats, f, wanted) <= (in_float32), #function);  \
    CHECK_MESSAGE(greatest_error(doubles, f, wanted) <= (in_float64), #function); \
  } while (false)

TEST_CASE("vector functions keep to the errors stated, over the whole range of numbers") {
  CHECK_ULPS(exp(x), std::exp(x), 2.0, 1.0);
  CHECK_ULPS(expm1(x), std::expm1(x), 2.5, 1.5);
  CHECK_ULPS(log(x), std::log(x), 1.0, 1.0);
  CHECK_ULPS(log1p(x), std::log1p(x), 1.0, 1.0);
  CHECK_ULPS(tanh(x), std::tanh(x), 2.0, 2.0);
  CHECK_ULPS(sigmoid(x), 1 / (1 + std::exp(-x)), 3.0, 2.5);
  CHECK_ULPS(softplus(x), std::fmax(x, 0) + std::log1p(std::exp(-std::abs(x))), 2.5, 2.0);
  CHECK_ULPS(sin(x), std::sin(x), 2.5, 2.0);
  CHECK_ULPS(cos(x), std::cos(x), 2.5, 2.0);
  CHECK_ULPS(pow(x, 0.7), std::pow(x, static_cast<long double>(0.7)), 1.0, 2.0);
  CHECK_ULPS(pow(x, -2.5), std::pow(x, -2.5L), 1.0, 1.0);
  CHECK_ULPS(pow(x, 3), x * x * x, 1.5, 1.5);
}

}  // namespace unroll::testing
