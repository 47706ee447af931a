#include <autograd/ops/check.hpp>
#include <autograd/tensor/error.hpp>

#include <cstdint>
#include <string>

namespace unroll::detail {
namespace {

std::string describe_all(std::initializer_list<Argument> arguments) {
  std::string text;
  std::size_t left = arguments.size();
  for (const Argument& x : arguments) {
    text.append(x.name).append(" ").append(describe(x.value.value()));
    --left;
    if (left > 0) text.append(left == 1 ? " and " : ", ");
  }
  return text;
}

}  // namespace

void check_defined(const char* operation, const Argument& x) {
  if (x.value.defined()) return;
  throw ArgumentError(std::string(operation) + ": " + x.name + " is undefined");
}

void check_floating(const char* operation, const Argument& x) {
  if (x.value.defined() && is_floating(x.value.dtype())) return;
  throw DtypeError(std::string(operation) + ": " + x.name + " must be float32 or float64, it is " +
                   describe(x.value.value()));
}

void check_same_dtype(const char* operation, std::initializer_list<Argument> arguments) {
  const Variable& first = arguments.begin()->value;
  for (const Argument& x : arguments)
    if (!x.value.defined() || x.value.dtype() != first.dtype() || !is_floating(first.dtype()))
      throw DtypeError(std::string(operation) + ": " + describe_all(arguments) +
                       " must share a floating dtype; convert with to()");
}

void check_same_shape(const char* operation, const Argument& a, const Argument& b) {
  if (a.value.defined() && b.value.defined() && a.value.shape() == b.value.shape()) return;
  const auto shape = [](const Argument& x) {
    std::string text = x.name;
    return text.append(" ").append(x.value.defined() ? to_string(x.value.shape()) : "(undefined)");
  };
  throw ShapeError(std::string(operation) + ": " + shape(a) + " and " + shape(b) +
                   " must have one shape; reshape or broadcast_to one of them");
}

void check_indices(const char* operation, const char* name, const Tensor& indices, Index count,
                   std::optional<Index> besides) {
  if (!indices.defined() || indices.dtype() != Dtype::int64)
    throw DtypeError(std::string(operation) + ": " + name + " must be int64, got " +
                     describe(indices));
  const Tensor packed = indices.contiguous();
  const std::int64_t* index = packed.data<std::int64_t>();
  for (Index k = 0; k < packed.size(); ++k)
    if ((index[k] < 0 || index[k] >= count) && index[k] != besides)
      throw ArgumentError(std::string(operation) + ": " + name + " " + to_string(indices.shape()) +
                          " holds " + std::to_string(index[k]) + " at position " +
                          std::to_string(k) + ", outside 0.." + std::to_string(count - 1));
}

}  // namespace unroll::detail
