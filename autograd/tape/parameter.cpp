#include <autograd/tape/parameter.hpp>
#include <autograd/tensor/error.hpp>

#include <utility>

namespace unroll {

Parameter::Parameter(std::string name, Tensor value)
    : state_(std::make_shared<State>(std::move(name), std::move(value))) {
  if (!state_->value.defined() || !is_floating(state_->value.dtype()))
    throw DtypeError("parameter " + state_->name +
                     ": the value must be float32 or float64, it is " + describe(state_->value));
}

void Parameter::throw_moved() {
  throw ArgumentError(
      "parameter: it was moved elsewhere and has no value here; use what it was "
      "moved to, or copy it (a copy shares the value)");
}

void Parameter::set(Tensor value) {
  if (!value.defined()) throw ArgumentError("parameter " + name() + ": the new value is undefined");
  if (value.shape() != shape())
    throw ShapeError("parameter " + name() + ": its shape is " + to_string(shape()) +
                     ", the new value has " + to_string(value.shape()));
  if (!is_floating(value.dtype()))
    throw DtypeError("parameter " + name() + ": the value must be float32 or float64, it is " +
                     describe(value));
  state().value = std::move(value);
}

Tensor& Parameter::mutable_value() {
  Tensor& value = state().value;
  if (!value.unique() || !value.is_contiguous()) value = value.clone();
  return value;
}

}  // namespace unroll
