#include <autograd/kernels/linear_scan.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/lengths.hpp>
#include <autograd/ops/linear_scan.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace unroll {
namespace {

constexpr const char* kName = "linear_scan";

Shape shape_of_step(const Variable& b) {
  Shape shape;
  for (int axis = 1; axis < b.rank(); ++axis) shape.push_back(b.size(axis));
  return shape;
}

void check(const Variable& a, const Variable& b, const LinearScanOptions& options) {
  detail::check_same_dtype(kName, {{"a", a}, {"b", b}});
  const std::string what = std::string(kName) + ": ";
  if (b.rank() < 2) throw ShapeError(what + "b must be [T,B,...], it is " + describe(b.value()));
  if (broadcast(kName, a.shape(), b.shape()) != b.shape())
    throw ShapeError(what + "a " + to_string(a.shape()) +
                     " does not broadcast to the shape of b, " + to_string(b.shape()));
  for (const detail::Argument& state :
       {detail::Argument{"start", options.start}, detail::Argument{"restart", options.restart}}) {
    if (!state.value.defined()) continue;
    detail::check_same_dtype(kName, {{"b", b}, state});
    if (state.value.shape() != shape_of_step(b))
      throw ShapeError(what + state.name + " " + to_string(state.value.shape()) + " must be " +
                       to_string(shape_of_step(b)) + " for b " + to_string(b.shape()));
  }
  const Tensor& resets = options.resets;
  if (resets.defined() && resets.shape() != Shape{b.size(0), b.size(1)})
    throw ShapeError(what + "resets " + to_string(resets.shape()) + " must be [T,B], " +
                     to_string(Shape{b.size(0), b.size(1)}) + " for b " + to_string(b.shape()));
  if (!options.lengths.empty()) detail::check_lengths(kName, {"b", b}, options.lengths);
}

/// `[T,B]` with axes of size 1 behind, to broadcast along b.
Tensor beside(const Tensor& steps, const Variable& b) {
  Shape shape(b.rank(), 1);
  shape[0] = b.size(0);
  shape[1] = b.size(1);
  return steps.contiguous().reshape(shape);
}

Tensor as_rows(const Tensor& x) {
  const Index steps = x.shape()[0];
  return x.contiguous().reshape({steps, steps == 0 ? 0 : x.size() / steps});
}

Tensor as_row(const Tensor& x) {
  return x.defined() ? x.contiguous().reshape({x.size()}) : Tensor();
}

/// x one step later in the order of the scan: `first` comes to the front, the last step is gone.
Variable delayed(const Variable& x, const Variable& first, bool reverse) {
  const Index steps = x.size(0);
  const Variable front = unsqueeze(first, 0);
  return reverse ? concat({slice(x, 0, 1, steps), front}, 0)
                 : concat({front, slice(x, 0, 0, steps - 1)}, 0);
}

/// How a scan runs. The resets are a mask of the dtype of the scan.
struct Way {
  Variable start;
  bool reverse = false;
  Tensor resets;  // [T,B] or undefined

  kernels::LinearScan for_kernel() const {
    return {.reverse = reverse, .start = as_row(start.value()), .resets = resets};
  }
};

/// a, b: of one shape, with T of at least 1.
Variable scan(const Variable& a, const Variable& b, const Way& way);

/// The gradients as operations, which can be differentiated again; the kernel computes the same.
void add_gradients(const Variable& a, const Variable& b, const Way& way, const Variable& h,
                   const Variable& g, BackwardPass& pass) {
  const bool back = !way.reverse;
  const Variable nothing = zeros(shape_of_step(b), b.dtype());
  // Each step gets the coefficient, and the reset, of the step after it in the order of the scan.
  Way opposite{.start = {}, .reverse = back, .resets = {}};
  if (way.resets.defined())
    opposite.resets = delayed(way.resets, ones({b.size(1)}, b.dtype()), back).value().contiguous();
  const Variable db = scan(delayed(a, nothing, back), g, opposite);
  const auto without_resets = [&](const Variable& x, const Tensor& resets) {
    return resets.defined() ? where(resets, 0.0, x) : x;
  };
  const Tensor resets = way.resets.defined() ? beside(way.resets, b) : Tensor();
  if (pass.wants(b)) pass.add(b, db);
  if (pass.wants(a)) {
    const Variable before = delayed(h, way.start.defined() ? way.start : nothing, way.reverse);
    pass.add(a, without_resets(db * before, resets));
  }
  if (way.start.defined() && pass.wants(way.start)) {
    const Index first = way.reverse ? b.size(0) - 1 : 0;
    pass.add(way.start, without_resets(select(a, 0, first) * select(db, 0, first),
                                       resets.defined() ? resets.select(0, first) : resets));
  }
}

Variable scan(const Variable& a, const Variable& b, const Way& way) {
  Tensor h = Tensor::empty(b.shape(), b.dtype());
  Tensor rows = as_rows(h);
  kernels::linear_scan(as_rows(a.value()), as_rows(b.value()), way.for_kernel(), rows);
  rows = {};
  const bool is_recorded =
      way.start.defined() ? recording(kName, a, b, way.start) : recording(kName, a, b);
  if (!is_recorded) return h;
  return record(
      kName, std::move(h),
      [a, b = b.without_value(), way](const Variable& y, const Variable& g, BackwardPass& pass) {
        if (pass.differentiable()) return add_gradients(a, b, way, y, g, pass);
        const std::array<const Variable*, 3> inputs{&a, &b, &way.start};
        std::array<Tensor, 3> d;
        std::array<Tensor, 3> flat;
        for (std::size_t k = 0; k < 3; ++k) {
          if (!pass.wants(*inputs[k])) continue;
          d[k] = Tensor::empty(inputs[k]->shape(), g.dtype());
          flat[k] = k == 2 ? as_row(d[k]) : as_rows(d[k]);
        }
        kernels::linear_scan_gradient(as_rows(a.value()), as_rows(y.value()), way.for_kernel(),
                                      as_rows(g.value()), flat[0], flat[1], flat[2]);
        flat = {};
        for (std::size_t k = 0; k < 3; ++k)
          if (d[k].defined()) pass.add(*inputs[k], std::move(d[k]));
      });
}

}  // namespace

Variable linear_scan(const Variable& a, const Variable& b, const LinearScanOptions& options) {
  check(a, b, options);
  if (b.value().size() == 0) return b + broadcast_to(a, b.shape());  // empty, but still on the tape
  Variable decay = a.shape() == b.shape() ? a : broadcast_to(a, b.shape());
  Variable input = b;
  Tensor running;  // [T,B]
  if (!options.lengths.empty()) {
    running = detail::running_steps(b.size(0), options.lengths, b.dtype());
    const Tensor mask = beside(running, b);
    decay = where(mask, decay, 1.0);
    input = where(mask, input, 0.0);
  }
  Tensor resets;
  if (options.resets.defined()) {
    // A sequence that has ended has no boundaries any more.
    Tensor begins = ne(options.resets, 0.0).to(b.dtype());
    if (running.defined()) begins = mask_and(begins, running);
    // In reverse the step before a boundary is the one that does not see the state it is given.
    resets = options.reverse
                 ? delayed(begins, zeros({b.size(1)}, b.dtype()), true).value().contiguous()
                 : begins.contiguous();
    if (options.restart.defined())
      input = where(beside(resets, b), decay * options.restart + input, input);
  }
  return scan(decay, input, {.start = options.start, .reverse = options.reverse, .resets = resets});
}

}  // namespace unroll
