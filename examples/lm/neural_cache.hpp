#pragma once

#include <autograd/tensor/shape.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace lm {

struct NeuralCacheOptions {
  unroll::Index size = 0;  ///< pairs remembered; 0: no cache
  double theta = 0.3;      ///< sharpness: 0 ignores the hidden states; not negative
  double weight = 0.1;     ///< lambda, the share of the cache in the mixture; from 0 to below 1
};

/// The continuous cache of Grave et al., Improving neural language models with a continuous cache
/// (2017), eq. 2 and 4: remembers the latest hidden states h_i with the symbol that followed each,
///
///     p_cache(w) ~ sum over i with x_{i+1} = w of exp(theta h_t . h_i),
///     p(w) = (1 - lambda) p_model(w) + lambda p_cache(w).
class NeuralCache {
 public:
  /// Throws ArgumentError for an option outside its range.
  explicit NeuralCache(const NeuralCacheOptions& options);

  /// p(symbol) after hidden state `h`, given that of the model. That of the model while nothing is
  /// remembered.
  double mix(std::span<const float> h, std::int32_t symbol, double model) const;
  /// Remembers that `symbol` followed `h`; forgets the oldest pair when there are too many. Throws
  /// ShapeError for a hidden state of another size than the first.
  void add(std::span<const float> h, std::int32_t symbol);

 private:
  void check(std::span<const float> h) const;

  NeuralCacheOptions options_;
  std::size_t hidden_ = 0;
  std::size_t next_ = 0;               // where the next pair goes
  std::vector<float> states_;          // [size,hidden], a ring
  std::vector<std::int32_t> symbols_;  // [size]
};

}  // namespace lm
