#include <autograd/kernels/parallel.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/pointwise/short_rows.hpp>
#include <autograd/tape/destination.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/loop.hpp>

#include <algorithm>

namespace unroll::detail {
namespace {

Strides broadcast_strides(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x.strides();
  Strides strides(shape.rank(), 0);
  const int offset = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1) strides[axis + offset] = x.strides()[axis];
  return strides;
}

void check_operands(const char* name, std::size_t count) {
  if (count > kMaxOperands)
    throw ArgumentError(std::string(name) + ": " + std::to_string(count) +
                        " inputs and outputs together are more than the " +
                        std::to_string(kMaxOperands) + " supported");
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
    rows.out[k] = outputs[k].defined() ? outputs[k].address_in_place() : nullptr;
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
    if (!outputs[k].defined()) {
      rows.out[k] = nullptr;
      out_bytes[k] = 0;
      continue;
    }
    if (n > 1 && outputs[k].strides()[1] != 1) return false;
    rows.out[k] = outputs[k].address_in_place();
    out_bytes[k] = outputs[k].strides()[0] * bytes;
  }
  if (n == 0) return true;
  if (ShortRows::are_short(shape[0], n)) {
    ShortRows together(inputs[0]->dtype(), shape[0], n);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      together.add_input(rows.in[i], in_bytes[i] / bytes, rows.step[i] == 0);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      together.add_output(rows.out[k], out_bytes[k] / bytes);
    if (together.pays()) {
      together.run(kernel, f);
      return true;
    }
  }
  for (Index r = 0; r < shape[0]; ++r) {
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), n);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      rows.in[i] = static_cast<const std::byte*>(rows.in[i]) + in_bytes[i];
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (rows.out[k]) rows.out[k] = static_cast<std::byte*>(rows.out[k]) + out_bytes[k];
  }
  return true;
}

/// Any strides and any rank. Kernels store rows without gaps: where the walk chose a row along
/// which an output has gaps, the output is computed elsewhere and copied. Inputs with such gaps are
/// copied too.
void run_any(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
             const void* f) {
  const std::size_t operands = inputs.size() + outputs.size();
  std::array<Strides, kMaxOperands> strides;
  for (std::size_t i = 0; i < inputs.size(); ++i) strides[i] = broadcast_strides(*inputs[i], shape);
  for (std::size_t k = 0; k < outputs.size(); ++k)
    strides[inputs.size() + k] = outputs[k].defined() ? outputs[k].strides() : row_major(shape);
  const kernels::Walk<kMaxOperands> walk(shape, std::span<const Strides>(strides).first(operands));

  const auto has_gaps = [&](std::size_t operand) {
    return walk.row_size() > 1 && walk.row_stride(operand) != 1;
  };
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!outputs[k].defined() || !has_gaps(inputs.size() + k)) continue;
    std::array<Tensor, kMaxOperands> results;
    for (std::size_t j = 0; j < outputs.size(); ++j)
      if (outputs[j].defined()) results[j] = Tensor::empty(shape, outputs[j].dtype());
    run_any(inputs, std::span(results).first(outputs.size()), shape, kernel, f);
    for (std::size_t j = 0; j < outputs.size(); ++j)
      if (outputs[j].defined()) kernels::copy(results[j], outputs[j]);
    return;
  }

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
      rows.out[k] = outputs[k].defined() ? static_cast<std::byte*>(outputs[k].address_in_place()) +
                                               at[inputs.size() + k] * bytes
                                         : nullptr;
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), walk.row_size());
  });
}

/// All axes but the last as one, where every operand is contiguous in them or has none.
bool run_as_matrix(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
                   const void* f) {
  if (shape.rank() < 3 || shape.back() == 0) return false;
  const Index rows = size_of(shape) / shape.back();
  if (!ShortRows::are_short(rows, shape.back())) return false;
  const auto leads = [&](const Tensor& x) {  // with the axes of the result before the last
    for (int axis = 0; axis + 1 < shape.rank(); ++axis)
      if (x.shape()[axis] != shape[axis]) return false;
    return x.is_contiguous();
  };
  std::array<Tensor, kMaxOperands> in, out;
  std::array<const Tensor*, kMaxOperands> in_places;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = *inputs[i];
    const bool row = x.rank() == 0 || x.size() == x.shape().back();
    if (!row && !(x.rank() == shape.rank() && leads(x))) return false;
    if (row && x.rank() > 0 && x.size() > 1 && x.strides().back() != 1) return false;
    in[i] = x.rank() == 0 ? x : x.reshape({row ? 1 : rows, x.shape().back()});
    in_places[i] = &in[i];
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!outputs[k].defined()) continue;
    if (!outputs[k].is_contiguous()) return false;
    out[k] = outputs[k].reshape({rows, shape.back()});
  }
  return run_matrix(Operands(in_places).first(inputs.size()), std::span(out).first(outputs.size()),
                    {rows, shape.back()}, kernel, f);
}

void run_on_one(Operands inputs, std::span<Tensor> outputs, const Shape& shape, RowKernel kernel,
                const void* f) {
  if (run_flat(inputs, outputs, shape, kernel, f)) return;
  if (run_as_matrix(inputs, outputs, shape, kernel, f)) return;
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
  check_operands(name, inputs.size() + outputs.size());
  const Dtype dtype = inputs[0]->dtype();
  Shape expanded;
  const Shape* common = &inputs[0]->shape();
  for (const Tensor* x : inputs) {
    if (!x->defined() || x->dtype() != dtype || !is_floating(dtype)) throw_dtypes(name, inputs);
    if (x->shape() == *common) continue;
    expanded = broadcast(name, *common, x->shape());
    common = &expanded;
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

namespace {

void record_order(const char* name, const PointwiseFunction& function, const void* f,
                  std::size_t order, std::span<const Variable* const> inputs,
                  std::span<Variable> outputs);

/// A derivative of f on the tape: f itself and the variables it was taken at, behind each other.
class PointwiseClosure final : public Closure {
 public:
  static PointwiseClosure* make(const char* name, const PointwiseFunction& function, const void* f,
                                std::size_t order, std::span<const Variable* const> inputs) {
    const std::size_t alignment = function.alignment;
    const std::size_t end = sizeof(PointwiseClosure) + inputs.size() * sizeof(Variable);
    const std::size_t place = (end + alignment - 1) / alignment * alignment;
    const std::size_t bytes = place + function.bytes;
    auto* block = static_cast<std::byte*>(memory::allocate(bytes));
    try {
      function.copy(f, block + place);
    } catch (...) {
      memory::release(block, bytes);
      throw;
    }
    return new (block) PointwiseClosure(bytes, name, function, block + place, order, inputs);
  }

  ~PointwiseClosure() override {
    for (Variable& x : std::span(saved(), count_)) x.~Variable();
    function_.destroy(f_);
  }

  std::span<const std::byte> lambda() const override {
    return {static_cast<const std::byte*>(f_), function_.bytes};
  }

  void backward(std::span<const Variable> gradients, BackwardPass& pass) override {
    if (order_ + 1 >= function_.orders.size())
      throw TapeError(std::string(name_) + ": derivatives of this operation go up to order " +
                      std::to_string(order_) + "; ask for more with pointwise<" +
                      std::to_string(order_ + 1) + ">(...)");
    const PointwiseFunction::Order& vjp = function_.orders[order_ + 1];
    check_operands(name_, vjp.inputs + vjp.outputs);
    if (vjp.outputs <= kFew)
      add_terms<kFew>(vjp, gradients, pass);
    else
      add_terms<kMaxOperands>(vjp, gradients, pass);
  }

 private:
  static constexpr std::size_t kFew = 6;  // most lambdas have no more inputs

  PointwiseClosure(std::size_t bytes, const char* name, const PointwiseFunction& function, void* f,
                   std::size_t order, std::span<const Variable* const> inputs)
      : Closure(bytes),
        name_(name),
        function_(function),
        f_(f),
        order_(order),
        count_(inputs.size()) {
    for (std::size_t i = 0; i < count_; ++i) new (saved() + i) Variable(*inputs[i]);
  }

  Variable* saved() { return reinterpret_cast<Variable*>(this + 1); }

  /// `Most`: inputs that there may be.
  template <std::size_t Most>
  void add_terms(const PointwiseFunction::Order& vjp, std::span<const Variable> gradients,
                 BackwardPass& pass) {
    const std::span<const Variable> inputs(saved(), count_);
    std::array<const Variable*, kMaxOperands> arguments;
    std::uint32_t wanted = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      arguments[i] = &inputs[i];
      if (pass.wants(inputs[i])) wanted |= 1U << i;
    }
    Variable zero;
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      arguments[count_ + k] = &gradients[k];
      if (gradients[k].defined()) continue;
      if (!zero.defined()) zero = zeros({}, inputs[0].dtype());
      arguments[count_ + k] = &zero;
    }
    const auto all = std::span<const Variable* const>(arguments).first(vjp.inputs);
    std::array<Tensor, Most> storage;
    const auto terms = std::span<Tensor>(storage).first(count_);
    std::array<const Tensor*, kMaxOperands> values;
    for (std::size_t i = 0; i < all.size(); ++i) values[i] = &all[i]->value();
    const auto operands = Operands(values).first(all.size());
    if (pass.differentiable()) {
      run_pointwise(name_, operands, terms, wanted, vjp.kernels, f_);
      std::array<Variable, Most> outputs;
      for (std::size_t i = 0; i < count_; ++i) outputs[i] = std::move(terms[i]);
      record_order(name_, function_, f_, order_ + 1, all, std::span(outputs).first(count_));
      for (std::size_t i = 0; i < count_; ++i)
        if (pass.wants(inputs[i])) pass.add(inputs[i], std::move(outputs[i]));
      return;
    }
    Shape shape;
    for (const Variable* gradient : all.subspan(count_))
      if (gradient->rank() >= shape.rank()) shape = gradient->shape();
    extension::GradientDestination destination(pass, inputs, shape, terms);
    run_pointwise(name_, operands, terms, wanted, vjp.kernels, f_);
    destination.commit();
  }

  const char* name_;
  const PointwiseFunction& function_;
  void* f_;
  std::size_t order_;  // how often f has been differentiated already
  std::size_t count_;
};

void record_order(const char* name, const PointwiseFunction& function, const void* f,
                  std::size_t order, std::span<const Variable* const> inputs,
                  std::span<Variable> outputs) {
  if (recording(name, inputs))
    extension::TapeAccess::append(extension::TapeAccess::recorder(name), name, outputs,
                                  PointwiseClosure::make(name, function, f, order, inputs));
}

}  // namespace

void record_pointwise(const char* name, const PointwiseFunction& function, const void* f,
                      std::span<const Variable* const> inputs, std::span<Variable> outputs) {
  record_order(name, function, f, 0, inputs, outputs);
}

}  // namespace unroll::detail
