#pragma once

#include <autograd/tensor/tensor.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace unroll {

/// A source of random numbers: Philox 4x32-10 (Salmon et al., 2011), which turns a key and a
/// counter into four random words. Its whole state is three numbers, so it can be saved, resumed
/// and replayed exactly.
class Generator {
 public:
  /// The streams of one seed have no block of words in common.
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0)
      : seed_(seed), stream_(stream) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }
  /// Number of blocks of four words handed out so far.
  std::uint64_t position() const { return position_; }
  void set_position(std::uint64_t position) { position_ = position; }

  /// The next four random words.
  std::array<std::uint32_t, 4> next();
  /// A whole number, uniform over 0..count-1.
  std::uint64_t below(std::uint64_t count);
  /// A number in [0, 1).
  double uniform();

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
};

/// The calling thread's generator, the default wherever a generator can be given. Each thread has
/// a stream of its own: 0 on the main thread; any other thread gets the next stream at its first
/// use. The seed is that of the latest seed(), or 0. If the first uses of workers race, their
/// streams are assigned in either order: for repeatable workers call `seed(value, 1 + worker)`.
Generator& default_generator();

/// While it lives, the calling thread draws from a copy of `generator`; afterwards from its own
/// again, as if nothing had been drawn. What ran before can so be run with the same numbers.
class GeneratorScope {
 public:
  explicit GeneratorScope(const Generator& generator)
      : before_(std::exchange(default_generator(), generator)) {}
  ~GeneratorScope() { default_generator() = before_; }
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 private:
  Generator before_;
};

/// Restarts the calling thread's generator, on stream 0 unless another is named. Threads that have
/// not drawn yet will start with this seed too, each on a stream of its own.
void seed(std::uint64_t value, std::uint64_t stream = 0);

/// Values uniform over [low, high).
Tensor uniform(const Shape& shape, double low, double high, Dtype dtype = Dtype::float32,
               Generator& generator = default_generator());
/// Normally distributed values.
Tensor normal(const Shape& shape, double mean, double deviation, Dtype dtype = Dtype::float32,
              Generator& generator = default_generator());
/// 1 with this probability, otherwise 0. Throws ArgumentError for a probability outside 0..1.
Tensor bernoulli(const Shape& shape, double probability, Dtype dtype = Dtype::float32,
                 Generator& generator = default_generator());

/// Draws from the distributions in the rows of `probabilities: [...,C]`, float32 or float64: int64
/// `[...]`, each c with a probability in proportion to its number, so rows need not add up to 1.
/// One draw a row, so broadcast a row with broadcast_to for many. Throws ArgumentError for a number
/// that is negative or not finite and for a row without a positive one, ShapeError for no last
/// axis.
Tensor categorical(const Tensor& probabilities, Generator& generator = default_generator());
/// The same with a probability in proportion to e^logit, without overflow; -infinity excludes.
Tensor categorical_logits(const Tensor& logits, Generator& generator = default_generator());

/// 0, 1, ..., count - 1 in random order, all orders equally likely, as int64. Throws ShapeError for
/// a negative count.
Tensor permutation(Index count, Generator& generator = default_generator());

}  // namespace unroll
