#include <autograd/kernels/loop.hpp>
#include <autograd/pointwise.hpp>

#include <algorithm>

namespace unroll::detail {
namespace {

constexpr std::size_t kMaxOperands = 32;

Strides broadcast_strides(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x.strides();
  Strides strides(shape.rank(), 0);
  const int offset = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1) strides[axis + offset] = x.strides()[axis];
  return strides;
}

[[noreturn]] void throw_dtypes(const char* name, std::span<const Variable> inputs) {
  std::string text = std::string(name) + ": all inputs must share one floating dtype, got";
  for (const Variable& x : inputs) text += ' ' + describe(x.value()) + ',';
  text.back() = ';';
  throw DtypeError(text + " convert with to()");
}

/// How many neighbouring inputs from `first` on are equal column blocks of one row, `[..., n]`
/// each.
std::size_t adjacent_blocks(std::span<const Variable> inputs, std::size_t first,
                            const Shape& shape) {
  const Tensor& head = inputs[first].value();
  if (shape.rank() < 2 || head.shape() != shape || head.strides().back() != 1) return 1;
  const Index block = shape.back() * static_cast<Index>(size_of(head.dtype()));
  const auto start = [](const Tensor& x) { return static_cast<const std::byte*>(x.address()); };
  std::size_t count = 1;
  while (first + count < inputs.size()) {
    const Tensor& next = inputs[first + count].value();
    if (next.shape() != shape || !(next.strides() == head.strides()) || !next.shares_buffer(head) ||
        start(next) != start(head) + static_cast<Index>(count) * block)
      break;
    ++count;
  }
  return count;
}

void make_outputs(std::span<const Variable> inputs, std::span<Tensor> outputs, std::uint32_t wanted,
                  const Shape& shape, Dtype dtype) {
  for (std::size_t k = 0; k < outputs.size();) {
    if ((wanted >> k & 1U) == 0) {
      ++k;
      continue;
    }
    // Only a vjp has an output for every input; a forward lambda's outputs stand alone.
    std::size_t run = outputs.size() > 1 && outputs.size() < inputs.size()
                          ? adjacent_blocks(inputs, k, shape)
                          : 1;
    run = std::min(run, outputs.size() - k);
    if (run == 1) {
      outputs[k++] = Tensor::empty(shape, dtype);
      continue;
    }
    Shape whole = shape;
    whole[shape.rank() - 1] *= static_cast<Index>(run);
    const Tensor together = Tensor::empty(whole, dtype);
    for (std::size_t i = 0; i < run; ++i)
      outputs[k++] =
          together.with_layout(shape, together.strides(), static_cast<Index>(i) * shape.back());
  }
}

}  // namespace

void run_pointwise(const char* name, std::span<const Variable> inputs, std::span<Tensor> outputs,
                   std::uint32_t wanted, PointwiseKernels kernels, const void* f) {
  const std::size_t operands = inputs.size() + outputs.size();
  if (operands > kMaxOperands)
    throw ArgumentError(std::string(name) + ": " + std::to_string(operands) +
                        " inputs and outputs together are more than the " +
                        std::to_string(kMaxOperands) + " supported");
  const Dtype dtype = inputs[0].dtype();
  Shape shape = inputs[0].shape();
  for (const Variable& x : inputs) {
    if (!x.defined() || x.dtype() != dtype || !is_floating(dtype)) throw_dtypes(name, inputs);
    shape = broadcast(name, shape, x.shape());
  }
  if (dtype == Dtype::float32 && !kernels.float32) {
    std::array<Variable, kMaxOperands> converted;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      converted[i] = inputs[i].value().to(Dtype::float64);
    run_pointwise(name, std::span<const Variable>(converted).first(inputs.size()), outputs, wanted,
                  kernels, f);
    for (Tensor& output : outputs)
      if (output.defined()) output = output.to(dtype);
    return;
  }
  make_outputs(inputs, outputs, wanted, shape, dtype);
  const RowKernel kernel = dtype == Dtype::float32 ? kernels.float32 : kernels.float64;
  std::array<const void*, kMaxOperands> in;
  std::array<void*, kMaxOperands> out;
  std::array<Index, kMaxOperands> step;

  const auto flat = [&](const Tensor& x) { return x.shape() == shape && x.is_contiguous(); };
  const bool all_flat = std::all_of(inputs.begin(), inputs.end(),
                                    [&](const Variable& x) { return flat(x.value()); }) &&
                        std::all_of(outputs.begin(), outputs.end(), [&](const Tensor& y) {
                          return !y.defined() || y.is_contiguous();
                        });
  if (all_flat) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      in[i] = inputs[i].value().address();
      step[i] = 1;
    }
    for (std::size_t k = 0; k < outputs.size(); ++k)
      out[k] = outputs[k].defined() ? outputs[k].mutable_address() : nullptr;
    if (const Index n = size_of(shape); n > 0) kernel(f, in.data(), step.data(), out.data(), n);
    return;
  }

  std::array<Tensor, kMaxOperands> packed;  // inputs whose rows have gaps
  std::array<Strides, kMaxOperands> strides;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    packed[i] = inputs[i].value();
    const bool has_row = packed[i].rank() > 0 && packed[i].shape().back() != 1;
    if (has_row && packed[i].strides().back() != 1) packed[i] = packed[i].clone();
    strides[i] = broadcast_strides(packed[i], shape);
  }
  for (std::size_t k = 0; k < outputs.size(); ++k)
    strides[inputs.size() + k] = outputs[k].defined() ? outputs[k].strides() : row_major(shape);

  const kernels::Walk<kMaxOperands> walk(shape, std::span<const Strides>(strides).first(operands));
  // After merging axes a row may run along an axis on which some input has a gap: pack those and
  // walk again.
  const auto bytes = static_cast<Index>(size_of(dtype));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    step[i] = walk.row_stride(i);
    if (step[i] == 0 || step[i] == 1 || walk.row_size() == 1) {
      step[i] = step[i] == 0 ? 0 : 1;
      continue;
    }
    std::array<Variable, kMaxOperands> copies;
    for (std::size_t j = 0; j < inputs.size(); ++j)
      copies[j] = packed[j].broadcast_to(shape).clone();
    run_pointwise(name, std::span<const Variable>(copies).first(inputs.size()), outputs, wanted,
                  kernels, f);
    return;
  }
  walk.for_each_row([&](const std::array<Index, kMaxOperands>& at) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      in[i] = static_cast<const std::byte*>(packed[i].address()) + at[i] * bytes;
    for (std::size_t k = 0; k < outputs.size(); ++k)
      out[k] = outputs[k].defined() ? static_cast<std::byte*>(outputs[k].mutable_address()) +
                                          at[inputs.size() + k] * bytes
                                    : nullptr;
    kernel(f, in.data(), step.data(), out.data(), walk.row_size());
  });
}

void throw_order(const char* name, int order) {
  throw TapeError(std::string(name) + ": derivatives of this operation go up to order " +
                  std::to_string(order) + "; ask for more with pointwise<" +
                  std::to_string(order + 1) + ">(...)");
}

}  // namespace unroll::detail
