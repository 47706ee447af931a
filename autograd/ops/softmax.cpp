#include <autograd/error.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/tape.hpp>

#include <string>

namespace unroll {
namespace {

void check(const char* operation, const Variable& x) {
  if (!x.defined() || !is_floating(x.dtype()))
    throw DtypeError(std::string(operation) + ": x must be float32 or float64, it is " +
                     describe(x.value()));
  if (x.rank() == 0)
    throw ShapeError(std::string(operation) + ": x needs at least one axis, its shape is []");
}

/// Runs a kernel over the rows along the last axis.
Tensor over_rows(const Tensor& x, void (*kernel)(const Tensor&, Tensor&)) {
  const Tensor rows = x.contiguous().reshape({x.shape().back() == 0 ? 0 : -1, x.shape().back()});
  Tensor y = Tensor::empty(rows.shape(), x.dtype());
  kernel(rows, y);
  return y.reshape(x.shape());
}

/// p - one_hot(targets), for `p: [n,C]`, `targets: [n]`; in place when nobody else sees p.
Variable minus_one_hot(Variable p, const Tensor& targets) {
  const bool recorded = recording("minus_one_hot", p);
  Tensor y = p.value();
  if (!recorded) p = Variable();
  if (!y.unique() || recorded) y = y.clone();
  kernels::subtract_one_hot(y, targets);
  if (!recorded) return y;
  return record("minus_one_hot", std::move(y),
                [p = p.without_value()](const Variable& g, BackwardPass& pass) { pass.add(p, g); });
}

/// -log softmax(x)[target] of every row: `x: [n,C]`, `targets: [n]`, result `[n]`.
Variable cross_entropy_rows(const Variable& x, const Tensor& targets) {
  const Tensor rows = x.value().contiguous();
  Tensor y = Tensor::empty({x.size(0)}, x.dtype());
  kernels::cross_entropy_rows(rows, targets, y);
  if (!recording("cross_entropy", x)) return y;
  return record("cross_entropy", std::move(y), [x, targets](const Variable& g, BackwardPass& pass) {
    pass.add(x, minus_one_hot(softmax(x), targets) * unsqueeze(g, 1));
  });
}

}  // namespace

Variable softmax(const Variable& x, int axis) {
  check("softmax", x);
  if (normalize_axis("softmax", axis, x.rank()) != x.rank() - 1)
    return transpose(softmax(transpose(x, axis, -1)), axis, -1);
  Tensor y = over_rows(x.value(), kernels::softmax_rows);
  if (!recording("softmax", x)) return y;
  return record("softmax", std::move(y),
                [x = x.without_value()](const Variable& p, const Variable& g, BackwardPass& pass) {
                  pass.add(x, p * (g - sum(g * p, {-1}, true)));
                });
}

Variable log_softmax(const Variable& x, int axis) {
  check("log_softmax", x);
  if (normalize_axis("log_softmax", axis, x.rank()) != x.rank() - 1)
    return transpose(log_softmax(transpose(x, axis, -1)), axis, -1);
  Tensor y = over_rows(x.value(), kernels::log_softmax_rows);
  if (!recording("log_softmax", x)) return y;
  return record(
      "log_softmax", std::move(y),
      [x = x.without_value()](const Variable& log_p, const Variable& g, BackwardPass& pass) {
        pass.add(x, g - exp(log_p) * sum(g, {-1}, true));
      });
}

Variable cross_entropy(const Variable& logits, const Tensor& targets) {
  check("cross_entropy", logits);
  const Index classes = logits.size(-1);
  Shape rows = logits.shape();
  rows.erase(logits.rank() - 1);
  if (targets.defined() && targets.shape() != rows)
    throw ShapeError("cross_entropy: logits " + to_string(logits.shape()) + " with targets " +
                     to_string(targets.shape()) + ": targets must have shape " + to_string(rows));
  detail::check_indices("cross_entropy", "targets", targets, classes);
  if (targets.size() == 0) throw ShapeError("cross_entropy: there are no rows to average");
  return mean(
      cross_entropy_rows(reshape(logits, {-1, classes}), targets.contiguous().reshape({-1})));
}

}  // namespace unroll
