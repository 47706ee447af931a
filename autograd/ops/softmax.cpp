#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

void check(const char* operation, const Variable& x) {
  detail::check_floating(operation, {"x", x});
  if (x.rank() == 0)
    throw ShapeError(std::string(operation) + ": x needs at least one axis, its shape is []");
}

Tensor over_rows(const Tensor& x, void (*kernel)(const Tensor&, Tensor&)) {
  const Tensor rows = detail::rows_of(x);
  Tensor y = Tensor::empty(rows.shape(), x.dtype());
  kernel(rows, y);
  return y.reshape(x.shape());
}

/// The gradient of x from those of the result, in one pass.
Tensor gradient_over_rows(const Variable& y, const Variable& g,
                          void (*kernel)(const Tensor&, const Tensor&, Tensor&)) {
  const Tensor rows = detail::rows_of(y.value());
  Tensor dx = Tensor::empty(rows.shape(), y.dtype());
  kernel(rows, detail::rows_of(g.value()), dx);
  return dx.reshape(y.shape());
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
                  if (pass.differentiable())
                    pass.add(x, p * (g - sum(g * p, {-1}, true)));
                  else
                    pass.add(x, gradient_over_rows(p, g, kernels::softmax_rows_gradient));
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
        if (pass.differentiable())
          pass.add(x, g - exp(log_p) * sum(g, {-1}, true));
        else
          pass.add(x, gradient_over_rows(log_p, g, kernels::log_softmax_rows_gradient));
      });
}

}  // namespace unroll
