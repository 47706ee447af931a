#include <autograd/kernels/copy.hpp>
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/pointwise.hpp>

#include <algorithm>

namespace unroll::detail {
namespace {

constexpr std::size_t kMaxOperands = 32;

/// One address an operand, as a row kernel takes them.
struct Rows {
  std::array<const void*, kMaxOperands> in;
  std::array<void*, kMaxOperands> out;
  std::array<Index, kMaxOperands> step;  // 0 or 1, of inputs
};

Strides broadcast_strides(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x.strides();
  Strides strides(shape.rank(), 0);
  const int offset = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1) strides[axis + offset] = x.strides()[axis];
  return strides;
}

[[noreturn]] void throw_dtypes(const char* name, Operands inputs) {
  std::string text = std::string(name) + ": all inputs must share one floating dtype, got";
  for (const Tensor* x : inputs) text += ' ' + describe(*x) + ',';
  text.back() = ';';
  throw DtypeError(text + " convert with to()");
}

/// Everything contiguous and of one shape: one long row. Returns false when it is not.
bool run_flat(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
              const void* f) {
  Rows rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]->shape() != shape || !inputs[i]->is_contiguous()) return false;
    rows.in[i] = inputs[i]->address();
    rows.step[i] = 1;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (outputs[k].defined() && !outputs[k].is_contiguous()) return false;
    rows.out[k] = outputs[k].defined() ? outputs[k].mutable_address() : nullptr;
  }
  if (const Index n = size_of(shape); n > 0)
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), n);
  return true;
}

/// A matrix of rows without gaps inside, the common case of a recurrent step: column blocks of a
/// wider row, a bias, a column of factors. Returns false when an operand is none of these.
bool run_matrix(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
                const void* f) {
  if (shape.rank() != 2) return false;
  Rows rows;
  std::array<Index, kMaxOperands> in_bytes;
  std::array<Index, kMaxOperands> out_bytes;
  const auto bytes = static_cast<Index>(size_of(inputs[0]->dtype()));
  const Index n = shape[1];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = *inputs[i];
    const bool has_rows = x.rank() == 2 && x.shape()[0] != 1;
    const bool has_columns = x.rank() > 0 && x.shape().back() != 1 && x.strides().back() != 0;
    if (has_columns && x.strides().back() != 1) return false;
    rows.in[i] = x.address();
    rows.step[i] = has_columns ? 1 : 0;
    in_bytes[i] = has_rows ? x.strides()[0] * bytes : 0;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    rows.out[k] = outputs[k].defined() ? outputs[k].mutable_address() : nullptr;
    out_bytes[k] = outputs[k].defined() ? outputs[k].strides()[0] * bytes : 0;
  }
  if (n == 0) return true;
  for (Index r = 0; r < shape[0]; ++r) {
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), n);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      rows.in[i] = static_cast<const std::byte*>(rows.in[i]) + in_bytes[i];
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (rows.out[k]) rows.out[k] = static_cast<std::byte*>(rows.out[k]) + out_bytes[k];
  }
  return true;
}

/// Any strides and any rank. Inputs with gaps along the row that the walk chose are copied.
void run_any(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
             const void* f) {
  const std::size_t operands = inputs.size() + outputs.size();
  std::array<Strides, kMaxOperands> strides;
  for (std::size_t i = 0; i < inputs.size(); ++i) strides[i] = broadcast_strides(*inputs[i], shape);
  for (std::size_t k = 0; k < outputs.size(); ++k)
    strides[inputs.size() + k] = outputs[k].defined() ? outputs[k].strides() : row_major(shape);
  const kernels::Walk<kMaxOperands> walk(shape, std::span<const Strides>(strides).first(operands));

  Rows rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Index step = walk.row_stride(i);
    rows.step[i] = step == 0 ? 0 : 1;
    if (step == 0 || step == 1 || walk.row_size() == 1) continue;
    std::array<Tensor, kMaxOperands> copies;
    std::array<const Tensor*, kMaxOperands> packed;
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      copies[j] = inputs[j]->broadcast_to(shape).clone();
      packed[j] = &copies[j];
    }
    run_any(Operands(packed).first(inputs.size()), outputs, shape, kernel, f);
    return;
  }
  const auto bytes = static_cast<Index>(size_of(inputs[0]->dtype()));
  walk.for_each_row([&](const std::array<Index, kMaxOperands>& at) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      rows.in[i] = static_cast<const std::byte*>(inputs[i]->address()) + at[i] * bytes;
    for (std::size_t k = 0; k < outputs.size(); ++k)
      rows.out[k] = outputs[k].defined() ? static_cast<std::byte*>(outputs[k].mutable_address()) +
                                               at[inputs.size() + k] * bytes
                                         : nullptr;
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), walk.row_size());
  });
}

void run_on_one(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
                const void* f) {
  if (run_flat(inputs, outputs, shape, kernel, f)) return;
  if (run_matrix(inputs, outputs, shape, kernel, f)) return;
  run_any(inputs, outputs, shape, kernel, f);
}

/// The part of x that meets a range of an axis of the result, counted from the last axis.
Tensor cut(const Tensor& x, int from_last, kernels::Range range) {
  const int axis = x.rank() - from_last;
  return axis < 0 || x.shape()[axis] == 1 ? x : x.slice(axis, range.begin, range.end);
}

/// On several threads where that pays, each with a range of the longest axis. No element depends
/// on how it is cut.
void run(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
         const void* f) {
  // In units of a multiplication: between what reading an operand from memory and what a gate
  // costs.
  constexpr double kCost = 24.0;
  const double elements = static_cast<double>(size_of(shape));
  const int parts =
      kernels::parts_for(elements * kCost * static_cast<double>(inputs.size() + outputs.size()));
  if (parts == 1) return run_on_one(inputs, outputs, shape, kernel, f);
  int longest = 0;
  for (int axis = 1; axis < shape.rank(); ++axis)
    if (shape[axis] > shape[longest]) longest = axis;
  const int from_last = shape.rank() - longest;
  kernels::parallel_for(parts, [&](int part) {
    const kernels::Range range = kernels::part_of(shape[longest], parts, part, 16);
    if (range.begin >= range.end) return;
    Shape own = shape;
    own[longest] = range.end - range.begin;
    std::array<Tensor, kMaxOperands> in;
    std::array<const Tensor*, kMaxOperands> in_places;
    std::array<Tensor, kMaxOperands> out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      in[i] = cut(*inputs[i], from_last, range);
      in_places[i] = &in[i];
    }
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (outputs[k].defined()) out[k] = cut(outputs[k], from_last, range);
    run_on_one(Operands(in_places).first(inputs.size()), std::span(out).first(outputs.size()), own,
               kernel, f);
  });
}

}  // namespace

void run_pointwise(const char* name, Operands inputs, std::span<Tensor> outputs,
                   std::uint32_t wanted, PointwiseKernels kernels, const void* f) {
  const std::size_t operands = inputs.size() + outputs.size();
  if (operands > kMaxOperands)
    throw ArgumentError(std::string(name) + ": " + std::to_string(operands) +
                        " inputs and outputs together are more than the " +
                        std::to_string(kMaxOperands) + " supported");
  const Dtype dtype = inputs[0]->dtype();
  Shape stretched;
  const Shape* common = &inputs[0]->shape();
  for (const Tensor* x : inputs) {
    if (!x->defined() || x->dtype() != dtype || !is_floating(dtype)) throw_dtypes(name, inputs);
    if (x->shape() == *common) continue;
    stretched = broadcast(name, *common, x->shape());
    common = &stretched;
  }
  const Shape& shape = *common;
  if (dtype == Dtype::float32 && !kernels.float32) {
    std::array<Tensor, kMaxOperands> converted;
    std::array<Tensor, kMaxOperands> results;
    std::array<const Tensor*, kMaxOperands> in_float64;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      converted[i] = inputs[i]->to(Dtype::float64);
      in_float64[i] = &converted[i];
    }
    run_pointwise(name, Operands(in_float64).first(inputs.size()),
                  std::span(results).first(outputs.size()), wanted, kernels, f);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (results[k].defined() && outputs[k].defined())
        kernels::copy(results[k], outputs[k]);
      else if (results[k].defined())
        outputs[k] = results[k].to(dtype);
    }
    return;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if ((wanted >> k & 1U) != 0 && !outputs[k].defined()) outputs[k] = Tensor::empty(shape, dtype);
  const RowKernel kernel = dtype == Dtype::float32 ? kernels.float32 : kernels.float64;
  run(inputs, outputs, shape, kernel, f);
}

void run_pointwise_vjp(const char* name, std::span<const Variable* const> arguments,
                       std::span<const Variable> inputs, std::span<Tensor> terms,
                       std::uint32_t wanted, PointwiseKernels kernels, const void* vjp,
                       BackwardPass& pass) {
  std::array<const Tensor*, kMaxOperands> values;
  for (std::size_t i = 0; i < arguments.size(); ++i) values[i] = &arguments[i]->value();
  Shape shape;
  for (const Variable* gradient : arguments.subspan(inputs.size()))
    if (gradient->rank() >= shape.rank()) shape = gradient->shape();
  const std::uint32_t continues = pass.rooms(inputs, shape, terms);
  run_pointwise(name, Operands(values).first(arguments.size()), terms, wanted, kernels, vjp);
  pass.add(inputs, terms, continues);
}

void throw_order(const char* name, int order) {
  throw TapeError(std::string(name) + ": derivatives of this operation go up to order " +
                  std::to_string(order) + "; ask for more with pointwise<" +
                  std::to_string(order + 1) + ">(...)");
}

}  // namespace unroll::detail
