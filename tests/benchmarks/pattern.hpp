#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

/// Numbers that both sides of a comparison make for themselves, in whichever process they run: what
/// they compute from them must then agree.
namespace benchmarks {

inline std::uint64_t pattern_word(std::uint64_t which, std::uint64_t k) {
  std::uint64_t z = (which + 1) * 0x9E3779B97F4A7C15U + k * 0xD1B54A32D192ED03U;  // splitmix64
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// Pattern `which`: numbers spread evenly over +-amplitude. 0 is the input, then come the
/// parameters in the order in which they are named.
inline std::vector<float> pattern(int which, std::size_t count, double amplitude) {
  std::vector<float> numbers(count);
  for (std::size_t k = 0; k < count; ++k) {
    const auto word = pattern_word(static_cast<std::uint64_t>(which), k) >> 11U;
    numbers[k] = static_cast<float>(amplitude * (static_cast<double>(word) * 0x1p-52 - 1.0));
  }
  return numbers;
}

/// Symbols of a vocabulary.
inline std::vector<std::int64_t> pattern_symbols(int which, std::size_t count,
                                                 std::int64_t symbols) {
  std::vector<std::int64_t> numbers(count);
  for (std::size_t k = 0; k < count; ++k)
    numbers[k] = static_cast<std::int64_t>(pattern_word(static_cast<std::uint64_t>(which), k) %
                                           static_cast<std::uint64_t>(symbols));
  return numbers;
}

inline constexpr double kInputAmplitude = 1.0;
inline double weight_amplitude(std::int64_t hidden) {
  return 1.0 / std::sqrt(static_cast<double>(hidden));
}

/// Steps in time, sequences in a batch, hidden units; as many inputs as hidden units.
struct Size {
  int steps, batch, hidden;
};

/// The language model of Zaremba, Sutskever and Vinyals (2014), "small".
struct WordModelSize {
  static constexpr int kWords = 10000, kHidden = 200, kLayers = 2, kBatch = 20, kSteps = 20;
  static constexpr double kLearningRate = 0.01;  // low: the numbers stay tame over many steps
  static constexpr double kMaxNorm = 0.01;       // a sixth of the norm: every step is clipped
};

/// What a step computed, in two numbers that other processes can send.
struct Summary {
  double loss = 0.0;
  double gradient_norm = 0.0;  ///< of all gradients taken together; 0 without gradients
};

}  // namespace benchmarks
