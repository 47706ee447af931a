#include <autograd/error.hpp>
#include <autograd/random.hpp>

#include <cmath>
#include <numbers>
#include <string>

namespace unroll {
namespace {

struct Product {
  std::uint32_t high, low;
};

Product multiply(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

double to_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// Fills a tensor with numbers that `draw` makes in pairs from one block of random words.
template <class Draw>
Tensor fill_pairs(const Shape& shape, Dtype dtype, Generator& generator, Draw draw) {
  Tensor tensor = Tensor::empty(shape, dtype);
  dispatch_floating(dtype, [&]<class T>(T) {
    T* data = tensor.mutable_data<T>();
    for (Index i = 0, n = tensor.size(); i < n; i += 2) {
      const auto words = generator.next();
      const auto [first, second] = draw(to_unit(words[0], words[1]), to_unit(words[2], words[3]));
      data[i] = static_cast<T>(first);
      if (i + 1 < n) data[i + 1] = static_cast<T>(second);
    }
  });
  return tensor;
}

void check_floating(const char* operation, Dtype dtype) {
  if (!is_floating(dtype))
    throw DtypeError(std::string(operation) + ": the dtype must be float32 or float64");
}

}  // namespace

std::array<std::uint32_t, 4> Generator::next() {
  std::array<std::uint32_t, 4> word{static_cast<std::uint32_t>(position_),
                                    static_cast<std::uint32_t>(position_ >> 32), 0, 0};
  auto key_low = static_cast<std::uint32_t>(seed_);
  auto key_high = static_cast<std::uint32_t>(seed_ >> 32);
  for (int round = 0; round < 10; ++round) {
    const Product first = multiply(0xD2511F53U, word[0]);
    const Product second = multiply(0xCD9E8D57U, word[2]);
    word = {second.high ^ word[1] ^ key_low, second.low, first.high ^ word[3] ^ key_high,
            first.low};
    key_low += 0x9E3779B9U;
    key_high += 0xBB67AE85U;
  }
  ++position_;
  return word;
}

double Generator::uniform() {
  const auto words = next();
  return to_unit(words[0], words[1]);
}

std::uint64_t Generator::below(std::uint64_t count) {
  if (count == 0) throw ArgumentError("below: the count must be at least 1");
  // Values past the last whole multiple of count are drawn again, so that every outcome is equally
  // likely.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  while (true) {
    const auto words = next();
    const std::uint64_t value = std::uint64_t{words[0]} << 32 | words[1];
    if (value < limit) return value % count;
  }
}

Generator& default_generator() {
  thread_local Generator generator;
  return generator;
}

void seed(std::uint64_t value) { default_generator() = Generator(value); }

Tensor uniform(const Shape& shape, double low, double high, Dtype dtype, Generator& generator) {
  check_floating("uniform", dtype);
  return fill_pairs(shape, dtype, generator, [&](double u, double v) {
    return std::pair{low + (high - low) * u, low + (high - low) * v};
  });
}

Tensor normal(const Shape& shape, double mean, double deviation, Dtype dtype,
              Generator& generator) {
  check_floating("normal", dtype);
  // Box and Muller (1958); 1 - u lies in (0, 1], where the logarithm is finite.
  return fill_pairs(shape, dtype, generator, [&](double u, double v) {
    const double radius = deviation * std::sqrt(-2.0 * std::log(1.0 - u));
    const double angle = 2.0 * std::numbers::pi * v;
    return std::pair{mean + radius * std::cos(angle), mean + radius * std::sin(angle)};
  });
}

Tensor bernoulli(const Shape& shape, double probability, Dtype dtype, Generator& generator) {
  check_floating("bernoulli", dtype);
  if (!(probability >= 0.0 && probability <= 1.0))
    throw ArgumentError("bernoulli: the probability must lie in 0..1, it is " +
                        std::to_string(probability));
  return fill_pairs(shape, dtype, generator, [&](double u, double v) {
    return std::pair{u < probability ? 1.0 : 0.0, v < probability ? 1.0 : 0.0};
  });
}

}  // namespace unroll
