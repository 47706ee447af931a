#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/shuffled.hpp>

#include <algorithm>
#include <map>
#include <string_view>

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

std::vector<std::pair<std::string, Tensor>> ShuffledIndices::state() const {
  const auto scalar = [](std::int64_t value) { return Tensor::of({}, std::vector{value}); };
  return {{"count", scalar(count_)},
          {"seed", scalar(static_cast<std::int64_t>(seed_))},
          {"epoch", scalar(epoch_)},
          {"position", scalar(position_)}};
}

void ShuffledIndices::set_state(const std::vector<std::pair<std::string, Tensor>>& state) {
  const auto fail = [](const std::string& what) {
    throw FormatError("ShuffledIndices: the state does not fit: " + what);
  };
  std::map<std::string_view, std::int64_t> numbers;
  for (const auto& [name, value] : state) {
    if (!value.defined() || value.dtype() != Dtype::int64 || value.shape() != Shape{})
      fail(name + " must be an int64 scalar");
    numbers.emplace(name, *value.data<std::int64_t>());
  }
  for (const auto* name : {"count", "seed", "epoch", "position"})
    if (!numbers.contains(name)) fail(std::string(name) + " is missing");
  if (state.size() != 4) fail("something is left over");
  if (numbers["count"] != count_)
    fail("it is of " + std::to_string(numbers["count"]) + " examples, not " +
         std::to_string(count_));
  const Index epoch = numbers["epoch"];
  const Index position = numbers["position"];
  if (epoch < 0 || position < 0 || is_epoch_over(position))
    fail("position " + std::to_string(position) + " in epoch " + std::to_string(epoch));
  begin_epoch(static_cast<std::uint64_t>(numbers["seed"]), epoch, position);
}

}  // namespace unroll::nn
