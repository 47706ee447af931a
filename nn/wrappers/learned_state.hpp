#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <vector>

namespace unroll::nn {

/// Trains the state before the first step: parameters `start_0`, `start_1`, ... of the shapes of
/// the state tensors, zeros at first, from which every sequence of a batch starts.
class LearnedState : public CellWrapper {
 public:
  explicit LearnedState(AnyCell cell);

  State initial_state(Index batch, Dtype dtype) const override;

 private:
  std::vector<Parameter> start_;
};

}  // namespace unroll::nn
