#pragma once

#include <autograd/tensor/tensor.hpp>
#include <nn/saved_state.hpp>

#include <cstdint>
#include <vector>

namespace unroll::nn {

struct ShuffledIndicesOptions {
  Index batch = 1;         ///< examples in a batch
  std::uint64_t seed = 0;  ///< of the permutations
  bool drop_last = false;  ///< leave out the last batch of an epoch if it is smaller
};

/// Indices of examples in batches, in a new random order in every epoch. The order follows from
/// seed and epoch alone.
///
///     nn::ShuffledIndices order(examples.size(), {.batch = 32, .seed = 1});
///     while (order.epoch() < 10) train(order.next());
class ShuffledIndices {
 public:
  /// Throws ArgumentError unless count and batch are positive and, with drop_last, an epoch has a
  /// whole batch.
  explicit ShuffledIndices(Index count, const ShuffledIndicesOptions& options = {});

  /// The next batch: indices in 0..count-1.
  std::vector<Index> next();
  /// The epoch of the next batch, from 0 on.
  Index epoch() const { return epoch_; }
  Index count() const { return count_; }
  Index batches_per_epoch() const;

  /// What is needed to resume: number of examples, seed, epoch, and the position in the epoch.
  NamedTensors state() const;
  /// Continues from such a state, with its seed. Changes nothing unless all fits. Throws
  /// FormatError for entries that are missing, left over or out of range, and for another number of
  /// examples.
  void set_state(const NamedTensors& state);

 private:
  void begin_epoch(std::uint64_t seed, Index epoch, Index position);
  bool is_epoch_over(Index position) const;

  Index count_;
  Index batch_;
  bool drop_last_;
  std::uint64_t seed_ = 0;
  Index epoch_ = 0;
  Index position_ = 0;
  Tensor order_;  // of the present epoch
};

}  // namespace unroll::nn
