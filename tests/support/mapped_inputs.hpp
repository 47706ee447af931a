#pragma once

#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <nn/recurrent/any_cell.hpp>

#include <functional>
#include <utility>

namespace unroll::testing {

/// A cell behind a function of its input, for cells that do not take any numbers: elapsed times are
/// positive. The function maps `[T,B,inputs]` to what the cell takes, each step by itself.
class MappedInputs : public nn::Cell {
 public:
  MappedInputs(nn::AnyCell cell, Index inputs, std::function<Variable(const Variable&)> map)
      : Cell(inputs, cell->state_shapes()), map_(std::move(map)), cell_(std::move(cell)) {
    add("", static_cast<const nn::Module&>(*cell_));
  }

  nn::State initial_state(Index batch, Dtype dtype) const override {
    return cell_->initial_state(batch, dtype);
  }
  Variable project(const Variable& x) const override { return cell_->project(map_(x)); }
  nn::Step step(const Variable& x, const nn::State& state) const override {
    return cell_->step(x, state);
  }
  Variable output(const nn::State& state) const override { return cell_->output(state); }
  Index outputs() const override { return cell_->outputs(); }

 private:
  std::function<Variable(const Variable&)> map_;
  nn::AnyCell cell_;
};

/// Makes the last column positive: an elapsed time.
inline Variable with_positive_time(const Variable& x) {
  const Index columns = x.size(-1);
  return concat({slice(x, -1, 0, columns - 1), softplus(slice(x, -1, columns - 1, columns))});
}

/// Two columns of any numbers as what a cell for missing values reads of one variable: its value, a
/// mask from both columns, and an elapsed time.
inline Variable as_observations(const Variable& x) {
  const Variable value = slice(x, -1, 0, 1), time = slice(x, -1, 1, 2);
  return concat({value, Variable(gt(value + time, 0.0)), softplus(time)});
}

}  // namespace unroll::testing
