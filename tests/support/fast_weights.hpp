#pragma once

#include <autograd/ops/contraction.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/recurrent.hpp>

namespace unroll::testing {

/// Gated linear attention with one head, as fast weights: S' = f S + k v^T, y = S' q (Schlag, Irie
/// and Schmidhuber, 2021, with a gate). The state is a matrix, and the output reads the input.
class FastWeights : public nn::Cell {
 public:
  FastWeights(Index inputs, Index keys, Index values)
      : Cell(inputs, {{keys, values}}),
        keys_(keys),
        values_(values),
        input_(add("input", nn::Linear(inputs, 2 * keys + values + 1))) {}

  Index outputs() const override { return values_; }
  Variable project(const Variable& x) const override { return input_(x); }

  nn::Step step(const Variable& x, const nn::State& state) const override {
    const Variable key = slice(x, -1, 0, keys_);
    const Variable query = slice(x, -1, keys_, 2 * keys_);
    const Variable value = slice(x, -1, 2 * keys_, 2 * keys_ + values_);
    const Variable gate = unsqueeze(sigmoid(slice(x, -1, 2 * keys_ + values_, x.size(-1))), -1);
    const Variable memory = gate * state[0] + unsqueeze(key, -1) * unsqueeze(value, 1);
    return nn::Step(select(matmul(unsqueeze(query, 1), memory), 1, 0), {memory});
  }

 private:
  Index keys_, values_;
  nn::Linear input_;
};

}  // namespace unroll::testing
