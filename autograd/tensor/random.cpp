#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
    T* data = tensor.in_place<T>();
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

/// Draws one position in each row of weights that `weigh(row, weights)` fills: `x: [...,C]`.
template <class Weigh>
Tensor draw_rows(const char* operation, const Tensor& x, Generator& generator, Weigh weigh) {
  if (!x.defined() || !is_floating(x.dtype()))
    throw DtypeError(std::string(operation) + ": the rows must be float32 or float64, they are " +
                     describe(x));
  if (x.rank() == 0)
    throw ShapeError(std::string(operation) + ": a row of numbers is needed, got a scalar");
  Shape shape = x.shape();
  const Index n = shape.back();
  shape.erase(x.rank() - 1);
  Tensor result = Tensor::empty(shape, Dtype::int64);
  std::int64_t* to = result.in_place<std::int64_t>();
  const Tensor all = x.reshape({result.size(), n});
  std::vector<double> ends(static_cast<std::size_t>(n));
  for (Index r = 0; r < result.size(); ++r) {
    std::vector<double> row = all.select(0, r).to_vector<double>();
    if (!weigh(row))
      throw ArgumentError(std::string(operation) + ": row " + std::to_string(r) + " of " +
                          to_string(x.shape()) + " is not a distribution");
    std::partial_sum(row.begin(), row.end(), ends.begin());
    // Rounding may put the last draw on the very end: then it is the last with any weight.
    const double at = generator.uniform() * ends.back();
    const auto found = std::min(std::upper_bound(ends.begin(), ends.end(), at),
                                std::lower_bound(ends.begin(), ends.end(), ends.back()));
    to[r] = found - ends.begin();
  }
  return result;
}

const std::thread::id main_thread = std::this_thread::get_id();  // that starts the program
std::atomic<std::uint64_t> seed_of_new_threads = 0;
std::atomic<std::uint64_t> streams = 1;

Generator generator_of_new_thread() {
  return Generator(seed_of_new_threads, std::this_thread::get_id() == main_thread ? 0 : streams++);
}

}  // namespace

std::array<std::uint32_t, 4> Generator::next() {
  std::array<std::uint32_t, 4> word{
      static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(position_ >> 32),
      static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)};
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
  thread_local Generator generator = generator_of_new_thread();
  return generator;
}

void seed(std::uint64_t value, std::uint64_t stream) {
  seed_of_new_threads = value;
  default_generator() = Generator(value, stream);
}

Tensor uniform(const Shape& shape, double low, double high, Dtype dtype, Generator& generator) {
  check_floating("uniform", dtype);
  // Rounding may reach the upper bound: in the product, and in float32.
  const double last = dtype == Dtype::float32
                          ? double{std::nextafter(static_cast<float>(high), -HUGE_VALF)}
                          : std::nextafter(high, -HUGE_VAL);
  const auto scaled = [&](double u) {
    const double x = low + (high - low) * u;
    return x < high && (dtype == Dtype::float64 || static_cast<float>(x) < static_cast<float>(high))
               ? x
               : std::max(last, low);
  };
  return fill_pairs(shape, dtype, generator, [&](double u, double v) {
    return std::pair{scaled(u), scaled(v)};
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

Tensor categorical(const Tensor& probabilities, Generator& generator) {
  return draw_rows("categorical", probabilities, generator, [](std::vector<double>& row) {
    const bool in_range =
        std::all_of(row.begin(), row.end(), [](double p) { return p >= 0.0 && p < HUGE_VAL; });
    return in_range && std::any_of(row.begin(), row.end(), [](double p) { return p > 0.0; });
  });
}

Tensor categorical_logits(const Tensor& logits, Generator& generator) {
  return draw_rows("categorical_logits", logits, generator, [](std::vector<double>& row) {
    const bool in_range =
        std::all_of(row.begin(), row.end(), [](double x) { return x < HUGE_VAL; });
    const auto top = std::max_element(row.begin(), row.end());
    if (!in_range || top == row.end() || *top == -HUGE_VAL) return false;
    for (const double highest = *top; double& x : row) x = std::exp(x - highest);
    return true;
  });
}

Tensor permutation(Index count, Generator& generator) {
  Tensor order = arange(count);
  std::int64_t* at = order.in_place<std::int64_t>();
  // Fisher and Yates: each place takes one of those not yet taken.
  for (Index i = count - 1; i > 0; --i)
    std::swap(at[i], at[generator.below(static_cast<std::uint64_t>(i) + 1)]);
  return order;
}

}  // namespace unroll
