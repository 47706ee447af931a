#include <autograd/ops/dropout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/find_parameter.hpp>
#include <nn/wrappers/weight_drop.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

WeightDrop::WeightDrop(AnyCell cell, const std::string& name, double rate)
    : CellWrapper(std::move(cell)),
      weight_(find_parameter(inner(), name, "WeightDrop")),
      rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw ArgumentError("WeightDrop: the rate must be at least 0 and less than 1, it is " +
                        std::to_string(rate));
}

void WeightDrop::prepare(Call& call) const {
  CellWrapper::prepare(call);
  if (training()) call.set(weight_, dropout(call.value(weight_), rate_));
}

}  // namespace unroll::nn
