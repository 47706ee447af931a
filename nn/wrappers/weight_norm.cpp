#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/find_parameter.hpp>
#include <nn/wrappers/weight_norm.hpp>

#include <utility>

namespace unroll::nn {
namespace {

/// `[rows,1]`
Variable lengths_of_rows(const Variable& v) {
  return unsqueeze(sqrt(sum(square(reshape(v, {v.size(0), -1})), {1})), 1);
}

Tensor first_lengths(const Parameter& weight) {
  if (weight.value().rank() < 2)
    throw ArgumentError("WeightNorm: '" + weight.name() + "' is " + describe(weight.value()) +
                        ", it must have rows");
  const Variable lengths = lengths_of_rows(weight.value());
  if (!(min(lengths).item() > 0.0))
    throw ArgumentError("WeightNorm: a row of '" + weight.name() +
                        "' is zero and has no direction; give it values first");
  return reshape(lengths, {-1}).value();
}

}  // namespace

WeightNorm::WeightNorm(AnyCell cell, const std::string& name)
    : CellWrapper(std::move(cell)),
      direction_(find_parameter(inner(), name, "WeightNorm")),
      length_(parameter(direction_.name() + "_g", first_lengths(direction_))) {}

void WeightNorm::prepare(Call& call) const {
  CellWrapper::prepare(call);
  const Variable v = call.value(direction_);
  const Variable g = unsqueeze(call.value(length_), 1);
  const Variable rows = reshape(v, {v.size(0), -1});
  call.set(direction_, reshape(rows * (g / lengths_of_rows(v)), v.shape()));
}

Step WeightNorm::step(const Variable& x, const State& state) const {
  if (!Substitution::find(direction_))
    throw ArgumentError(
        "WeightNorm: a step was run outside of a call, where the weight is not normalised; run it "
        "by a layer or a learning rule, or with the call in force");
  return CellWrapper::step(x, state);
}

}  // namespace unroll::nn
