#include <autograd/kernels/along.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/scans.hpp>
#include <autograd/tape/record.hpp>

#include <utility>
#include <vector>

namespace unroll {
namespace {

/// Each round doubles how many factors every element holds; nothing is ever divided. `x: [R,n]`
Variable running_product(const Variable& x) {
  const Index n = x.size(1);
  Variable y = x;
  if (kernels::any_order_will_do(x.value())) {
    for (Index reach = 1; reach < n; reach *= 2)
      y = concat({slice(y, 1, 0, reach), slice(y, 1, reach, n) * slice(y, 1, 0, n - reach)}, 1);
    return y;
  }
  std::vector<Variable> products{slice(x, 1, 0, 1)};
  for (Index k = 1; k < n; ++k) products.push_back(products.back() * slice(x, 1, k, k + 1));
  return concat(products, 1);
}

/// Runs a scan over rows along an axis.
template <class F>
Variable scanned(const char* name, const Variable& x, int axis, F&& scan) {
  detail::check_floating(name, {"x", x});
  normalize_axis(name, axis, x.rank());
  const Variable turned = transpose(x, axis, -1);
  if (x.value().size() == 0) return x;
  const Variable y = scan(reshape(turned, {-1, turned.size(-1)}));
  return transpose(reshape(y, turned.shape()), axis, -1);
}

Variable running_sum(const Variable& x, bool backwards) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  kernels::running_sum_rows(x.value().contiguous(), backwards, y);
  if (!recording("cumsum", x)) return y;
  return record("cumsum", std::move(y),
                [x = x.without_value(), backwards](const Variable& g, BackwardPass& pass) {
                  pass.add(x, running_sum(g, !backwards));
                });
}

}  // namespace

Variable cumsum(const Variable& x, int axis) {
  return scanned("cumsum", x, axis, [](const Variable& rows) { return running_sum(rows, false); });
}

Variable cumprod(const Variable& x, int axis) {
  return scanned("cumprod", x, axis, running_product);
}

Variable cummax(const Variable& x, int axis) {
  return scanned("cummax", x, axis, [](const Variable& rows) {
    Tensor index = Tensor::empty(rows.shape(), Dtype::int64);
    kernels::running_max_rows(rows.value().contiguous(), index);
    return detail::take_along("cummax", rows, index, 1);
  });
}

}  // namespace unroll
