#include <autograd/kernels/linear_scan.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/lengths.hpp>
#include <autograd/ops/linear_scan.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace unroll {
namespace {

/// How a scan runs.
struct Way {
  const char* name;
  bool is_complex;
  bool reverse;
  Variable start, restart;  // undefined for zeros
  Tensor lengths;           // int64 [B], undefined when all sequences have T steps
  Tensor resets;            // [T,B] of the dtype of the scan, or undefined

  kernels::LinearScan for_kernel() const {
    const auto contiguous = [](const Variable& x) {
      return x.defined() ? x.value().contiguous() : Tensor();
    };
    return {.complex = is_complex,
            .reverse = reverse,
            .start = contiguous(start),
            .lengths = lengths,
            .resets = resets,
            .restart = contiguous(restart)};
  }
};

Shape shape_of_step(const Variable& b) {
  Shape shape = b.shape();
  shape.erase(0);
  return shape;
}

/// The axis of the real and imaginary parts of a tensor that broadcasts to b.
bool has_parts(const Variable& a, const Variable& b) {
  const int axis = a.rank() - b.rank() + 2;
  return axis >= 0 && a.size(axis) == 2;
}

void check(const Variable& a, const Variable& b, const LinearScanOptions& options, const char* name,
           bool is_complex) {
  detail::check_same_dtype(name, {{"a", a}, {"b", b}});
  const std::string what = std::string(name) + ": ";
  if (is_complex && (b.rank() < 3 || b.size(2) != 2))
    throw ShapeError(what + "b must be [T,B,2,...], real and imaginary parts, it is " +
                     describe(b.value()));
  if (b.rank() < 2) throw ShapeError(what + "b must be [T,B,...], it is " + describe(b.value()));
  if (broadcast(name, a.shape(), b.shape()) != b.shape())
    throw ShapeError(what + "a " + to_string(a.shape()) +
                     " does not broadcast to the shape of b, " + to_string(b.shape()));
  if (is_complex && !has_parts(a, b))
    throw ShapeError(what + "a " + to_string(a.shape()) + " with b " + to_string(b.shape()) +
                     " has no axis of 2 for its real and imaginary parts; stack them, with zeros "
                     "for a real number");
  for (const detail::Argument& state :
       {detail::Argument{"start", options.start}, detail::Argument{"restart", options.restart}}) {
    if (!state.value.defined()) continue;
    detail::check_same_dtype(name, {{"b", b}, state});
    if (state.value.shape() != shape_of_step(b))
      throw ShapeError(what + state.name + " " + to_string(state.value.shape()) + " must be " +
                       to_string(shape_of_step(b)) + " for b " + to_string(b.shape()));
  }
  const Tensor& resets = options.resets;
  if (resets.defined() && resets.shape() != Shape{b.size(0), b.size(1)})
    throw ShapeError(what + "resets " + to_string(resets.shape()) + " must be [T,B], " +
                     to_string(Shape{b.size(0), b.size(1)}) + " for b " + to_string(b.shape()));
  if (!options.lengths.empty()) detail::check_lengths(name, {"b", b}, options.lengths);
}

/// `[T,B]` with axes of size 1 behind, to broadcast along b.
Tensor beside(const Tensor& steps, const Variable& b) {
  Shape shape(b.rank(), 1);
  shape[0] = b.size(0);
  shape[1] = b.size(1);
  return steps.contiguous().reshape(shape);
}

/// x one step later in the order of the scan: `first` comes to the front, the last step is gone.
Variable delayed(const Variable& x, const Variable& first, bool reverse) {
  const Index steps = x.size(0);
  const Variable front = unsqueeze(first, 0);
  return reverse ? concat({slice(x, 0, 1, steps), front}, 0)
                 : concat({front, slice(x, 0, 0, steps - 1)}, 0);
}

/// The product of x and the conjugate of y, `[T,B,...]`.
Variable times_conjugate(const Variable& x, const Variable& y, const Way& way) {
  if (!way.is_complex) return x * y;
  constexpr int kParts = 2;
  const auto [x_real, x_imag] = split<2>(x, kParts);
  const auto [y_real, y_imag] = split<2>(y, kParts);
  return concat({x_real * y_real + x_imag * y_imag, x_imag * y_real - x_real * y_imag}, kParts);
}

Variable conjugate(const Variable& x, const Way& way) {
  if (!way.is_complex) return x;
  constexpr int kParts = 2;
  const auto [real, imag] = split<2>(x, kParts);
  return concat({real, -imag}, kParts);
}

/// Ones of the shape of b, as numbers.
Variable unit(const Variable& b, const Way& way) {
  const Tensor one = ones({}, b.dtype());
  if (!way.is_complex) return one;
  Shape parts(b.rank() - 2, 1);
  parts[0] = 2;
  return concat({ones({1}, b.dtype()), zeros({1}, b.dtype())}).value().reshape(parts);
}

/// b has steps; a broadcasts to it.
Variable scan(const Variable& a, const Variable& b, const Way& way);

/// The gradients as operations, which can be differentiated again; the kernel computes the same.
void add_gradients(const Variable& a, const Variable& b, const Way& way, const Variable& h,
                   const Variable& g, BackwardPass& pass) {
  const bool back = !way.reverse;
  const Variable nothing = zeros(shape_of_step(b), b.dtype());
  const Tensor resets = way.resets.defined() ? beside(way.resets, b) : Tensor();
  Tensor running;
  Variable decay = broadcast_to(a, b.shape());
  if (way.lengths.defined()) {
    running =
        beside(detail::running_steps(b.size(0), way.lengths.to_vector<Index>(), b.dtype()), b);
    decay = where(running, decay, unit(b, way));
  }
  // Each step gets the coefficient, and the reset, of the step after it in the order of the scan.
  Way opposite{way.name, way.is_complex, back, {}, {}, {}, {}};
  if (way.resets.defined())
    opposite.resets = delayed(way.resets, ones({b.size(1)}, b.dtype()), back).value().contiguous();
  const Variable total = scan(delayed(conjugate(decay, way), nothing, back), g, opposite);
  const auto while_running = [&](const Variable& x) {
    return running.defined() ? where(running, x, 0.0) : x;
  };
  if (pass.wants(b)) pass.add(b, while_running(total));
  if (pass.wants(a)) {
    Variable before = delayed(h, way.start.defined() ? way.start : nothing, way.reverse);
    if (resets.defined())
      before = where(resets, way.restart.defined() ? way.restart : nothing, before);
    pass.add(a, while_running(times_conjugate(total, before, way)));
  }
  const bool wants_start = way.start.defined() && pass.wants(way.start);
  const bool wants_restart = way.restart.defined() && pass.wants(way.restart);
  if (!wants_start && !wants_restart) return;
  const Variable passed = times_conjugate(total, decay, way);  // to the state before each step
  if (wants_start) {
    const Index first = way.reverse ? b.size(0) - 1 : 0;
    const Variable of_first = select(passed, 0, first);
    pass.add(way.start,
             resets.defined() ? where(resets.select(0, first), 0.0, of_first) : of_first);
  }
  if (wants_restart && resets.defined())
    pass.add(way.restart, sum(where(resets, passed, 0.0), {0}));
}

/// The gradients by the kernel.
void add_values(const Variable& a, const Variable& b, const Way& way, const Variable& h,
                const Variable& g, BackwardPass& pass) {
  const Tensor decay = a.value().contiguous().broadcast_to(b.shape());
  kernels::LinearScanGradients d;
  const Shape state = shape_of_step(b);
  Shape step = state;
  step.insert(0, 1);
  const auto make = [&](const Variable& x, const Shape& shape, Tensor& gradient) {
    if (pass.wants(x)) gradient = Tensor::empty(shape, g.dtype());
  };
  make(a, kernels::is_constant_in_time(decay) ? step : b.shape(), d.a);
  make(b, b.shape(), d.b);
  make(way.start, state, d.start);
  make(way.restart, state, d.restart);
  kernels::linear_scan_gradient(decay, h.value(), way.for_kernel(), g.value().contiguous(), d);
  if (d.a.defined()) pass.add(a, std::move(d.a));
  if (d.b.defined()) pass.add(b, std::move(d.b));
  if (d.start.defined()) pass.add(way.start, std::move(d.start));
  if (d.restart.defined()) pass.add(way.restart, std::move(d.restart));
}

Variable scan(const Variable& a, const Variable& b, const Way& way) {
  Tensor h = Tensor::empty(b.shape(), b.dtype());
  kernels::linear_scan(a.value().contiguous().broadcast_to(b.shape()), b.value().contiguous(),
                       way.for_kernel(), h);
  std::array<const Variable*, 4> inputs{&a, &b};
  std::size_t count = 2;
  for (const Variable* state : {&way.start, &way.restart})
    if (state->defined()) inputs[count++] = state;
  if (!recording(way.name, std::span<const Variable* const>(inputs).first(count))) return h;
  return record(
      way.name, std::move(h),
      [a, b = b.without_value(), way](const Variable& y, const Variable& g, BackwardPass& pass) {
        if (pass.differentiable())
          add_gradients(a, b, way, y, g, pass);
        else
          add_values(a, b, way, y, g, pass);
      });
}

Variable checked_scan(const Variable& a, const Variable& b, const LinearScanOptions& options,
                      const char* name, bool is_complex) {
  check(a, b, options, name, is_complex);
  if (b.value().size() == 0) return b + broadcast_to(a, b.shape());  // empty, but still on the tape
  Way way{name, is_complex, options.reverse, options.start, options.restart, {}, {}};
  const Index steps = b.size(0);
  const std::vector<Index>& lengths = options.lengths;
  if (std::any_of(lengths.begin(), lengths.end(), [&](Index n) { return n != steps; }))
    way.lengths = Tensor::of<Index>({b.size(1)}, lengths);
  if (options.resets.defined()) {
    // A sequence that has ended has no boundaries any more.
    Tensor begins = ne(options.resets, 0.0).to(b.dtype());
    if (way.lengths.defined())
      begins = mask_and(begins, detail::running_steps(steps, lengths, b.dtype()));
    // In reverse the step before a boundary is the one that does not see the state it is given.
    way.resets = options.reverse
                     ? delayed(begins, zeros({b.size(1)}, b.dtype()), true).value().contiguous()
                     : begins.contiguous();
  }
  return scan(a, b, way);
}

}  // namespace

Variable linear_scan(const Variable& a, const Variable& b, const LinearScanOptions& options) {
  return checked_scan(a, b, options, "linear_scan", false);
}

Variable complex_linear_scan(const Variable& a, const Variable& b,
                             const LinearScanOptions& options) {
  return checked_scan(a, b, options, "complex_linear_scan", true);
}

}  // namespace unroll
