#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/shuffled.hpp>

#include <algorithm>
#include <string>

namespace unroll::nn {

ShuffledIndices::ShuffledIndices(Index count, const ShuffledIndicesOptions& options)
    : count_(count), batch_(options.batch), drop_last_(options.drop_last) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds)
      throw ArgumentError(std::string("ShuffledIndices: ") + what + "; count is " +
                          std::to_string(count_) + ", batch " + std::to_string(batch_));
  };
  require(count_ >= 1, "count must be at least 1");
  require(batch_ >= 1, "batch must be at least 1");
  require(!drop_last_ || batch_ <= count_, "drop_last leaves no batch: use a smaller one");
  begin_epoch(options.seed, 0, 0);
}

void ShuffledIndices::begin_epoch(std::uint64_t seed, Index epoch, Index position) {
  Generator generator(seed, static_cast<std::uint64_t>(epoch));
  order_ = permutation(count_, generator);
  seed_ = seed;
  epoch_ = epoch;
  position_ = position;
}

bool ShuffledIndices::is_epoch_over(Index position) const {
  return count_ - position < (drop_last_ ? batch_ : 1);
}

Index ShuffledIndices::batches_per_epoch() const {
  return count_ / batch_ + (!drop_last_ && count_ % batch_ > 0 ? 1 : 0);
}

std::vector<Index> ShuffledIndices::next() {
  const auto* order = order_.data<std::int64_t>();
  const Index end = position_ + std::min(batch_, count_ - position_);
  std::vector<Index> batch(order + position_, order + end);
  position_ = end;
  if (is_epoch_over(position_)) begin_epoch(seed_, epoch_ + 1, 0);
  return batch;
}

NamedTensors ShuffledIndices::state() const {
  using saved_state::scalar;
  return {{"count", scalar(count_)},
          {"seed", scalar(static_cast<std::int64_t>(seed_))},
          {"epoch", scalar(epoch_)},
          {"position", scalar(position_)}};
}

void ShuffledIndices::set_state(const NamedTensors& state) {
  saved_state::Reader saved("ShuffledIndices", "shuffled order", state);
  const Index count = saved.count("count");
  const Index epoch = saved.count("epoch");
  const Index position = saved.count("position");
  const Tensor* const seed = saved.take("seed", {});  // all of its 64 bits
  if (seed && seed->dtype() != Dtype::int64) saved.report("seed: not an int64");
  if (count != count_)
    saved.report("count: it is of " + std::to_string(count) + " examples, not " +
                 std::to_string(count_));
  else if (is_epoch_over(position))
    saved.report("position: " + std::to_string(position) + " is past the end of an epoch");
  saved.finish();
  begin_epoch(static_cast<std::uint64_t>(*seed->data<std::int64_t>()), epoch, position);
}

}  // namespace unroll::nn
