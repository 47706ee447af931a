#include <autograd/ops/layout.hpp>
#include <nn/wrappers/learned_state.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

LearnedState::LearnedState(AnyCell cell) : CellWrapper(std::move(cell)) {
  for (const Shape& shape : state_shapes())
    start_.push_back(parameter("start_" + std::to_string(start_.size()), zeros(shape)));
}

State LearnedState::initial_state(Index batch, Dtype /*dtype*/) const {
  State state;
  for (const Parameter& start : start_)
    state.push_back(broadcast_to(start, with_batch(batch, start.shape())));
  return state;
}

}  // namespace unroll::nn
