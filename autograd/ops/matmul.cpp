#include <autograd/kernels/gemm.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tape/destination.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

/// Number of rows when all leading axes are one: [...,K] becomes [rows,K].
Index rows_of(const Shape& shape) {
  Index rows = 1;
  for (int axis = 0; axis + 1 < shape.rank(); ++axis) rows *= shape[axis];
  return rows;
}
Variable as_matrix(const Variable& x) {
  return x.rank() == 2 ? x : reshape(x, {rows_of(x.shape()), x.size(-1)});
}

bool has_unit_columns(const Tensor& x) { return x.shape()[1] == 1 || x.strides()[1] == 1; }

/// result = a b, or a b^T, for matrices, added to `start` when that is defined; in the packed form
/// of b where that is faster.
void multiply(const Tensor& a, const Variable& b, bool transpose_b, const Tensor& start,
              Tensor& result) {
  if (has_unit_columns(a) && (!start.defined() || has_unit_columns(start))) {
    if (const auto* packed = extension::TapeAccess::packed(b, transpose_b, a.shape()[0])) {
      packed->multiply(a, start, result);
      return;
    }
  }
  if (start.defined()) kernels::copy(start, result);
  kernels::gemm(a, transpose_b ? b.value().transpose(0, 1) : b.value(), result,
                start.defined() ? 1.0 : 0.0);
}

/// What the gradient of a b does to a and to b.
auto matmul_vjp(const Variable& a, const Variable& b) {
  return [a, b](const Variable& g, BackwardPass& pass) {
    if (g.rank() == 2) {
      if (pass.wants(a)) pass.add(a, linear(g, b));  // g b^T
      if (pass.wants(b)) pass.add_product(b, a, g);
    } else {
      if (pass.wants(a)) pass.add(a, matmul(g, transpose(b)));
      if (pass.wants(b)) pass.add(b, matmul(transpose(a), g));
    }
  };
}

/// Adds a b to the gradient of `x`, whose leading axes are the rows of a; computed in its
/// destination buffer when there is one.
void add_product_of(const Variable& a, const Variable& b, const Variable& x, BackwardPass& pass) {
  Tensor dx;
  extension::GradientDestination destination(pass, {&x, 1}, x.shape(), {&dx, 1});
  if (!dx.defined()) {
    Variable product = matmul(a, b);
    return pass.add(x, x.rank() == 2 ? std::move(product) : reshape(product, x.shape()));
  }
  Tensor rows = x.rank() == 2 ? dx : dx.reshape({a.size(0), b.size(1)});
  multiply(a.value(), b, false, {}, rows);
  rows = {};
  destination.commit();
}

/// c[i] = a[i] b[i] for every position i of the leading axes.
void batched_gemm(const Tensor& a, const Tensor& b, Tensor& c) {
  if (c.rank() == 2) {
    kernels::gemm(a, b, c, 0.0);
    return;
  }
  for (Index i = 0; i < c.shape()[0]; ++i) {
    Tensor target = c.select(0, i);
    batched_gemm(a.select(0, i), b.select(0, i), target);
  }
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b) {
  detail::check_same_dtype("matmul", {{"a", a}, {"b", b}});
  const auto describe_both = [&] {
    return "matmul: a " + to_string(a.shape()) + " x b " + to_string(b.shape()) + ": ";
  };
  if (a.rank() < 2 || b.rank() < 2)
    throw ShapeError(describe_both() +
                     "both need two axes or more; make a vector a matrix with unsqueeze");
  const Index inner = a.size(-1);
  if (inner != b.size(-2))
    throw ShapeError(describe_both() + "inner sizes differ (" + std::to_string(inner) + " and " +
                     std::to_string(b.size(-2)) + ")");
  if (a.rank() == 2 && b.rank() == 2) {
    Tensor y = Tensor::empty({a.size(0), b.size(1)}, a.dtype());
    multiply(a.value(), b, false, {}, y);
    if (!recording("matmul", a, b)) return y;
    return record("matmul", std::move(y), matmul_vjp(a, b));
  }
  if (a.rank() > 2 && b.rank() == 2) {
    Shape shape = a.shape();
    shape[a.rank() - 1] = b.size(-1);
    return reshape(matmul(as_matrix(a), b), shape);
  }

  const auto leading = [](const Shape& shape) {
    return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
  };
  const Shape batch = broadcast("matmul (leading axes)", leading(a.shape()), leading(b.shape()));
  const auto with_batch = [&batch](Index rows, Index columns) {
    Shape shape = batch;
    shape.push_back(rows);
    shape.push_back(columns);
    return shape;
  };
  Tensor y = Tensor::empty(with_batch(a.size(-2), b.size(-1)), a.dtype());
  batched_gemm(a.value().broadcast_to(with_batch(a.size(-2), inner)),
               b.value().broadcast_to(with_batch(inner, b.size(-1))), y);
  if (!recording("matmul", a, b)) return y;
  return record("matmul", std::move(y), matmul_vjp(a, b));
}

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  detail::check_same_dtype("linear", {{"x", x}, {"weight", weight}});
  if (x.rank() < 1 || weight.rank() != 2 || x.size(-1) != weight.size(1))
    throw ShapeError("linear: x " + to_string(x.shape()) + " with weight " +
                     to_string(weight.shape()) + ": x must be [...,I] and weight [O,I] with one I");
  Shape shape = x.shape();
  shape[x.rank() - 1] = weight.size(0);
  Tensor y = Tensor::empty(shape, x.dtype());
  if (bias.defined()) {
    detail::check_same_dtype("linear", {{"x", x}, {"bias", bias}});
    if (bias.rank() > shape.rank() || broadcast("linear", shape, bias.shape()) != shape)
      throw ShapeError("linear: bias " + to_string(bias.shape()) +
                       " does not broadcast to the result " + to_string(shape) + " of x " +
                       to_string(x.shape()) + " with weight " + to_string(weight.shape()));
  }
  const auto start_as = [&](const Shape& wanted) {
    if (!bias.defined()) return Tensor();
    const Tensor expanded = bias.shape() == shape ? bias.value() : bias.value().broadcast_to(shape);
    return expanded.shape() == wanted ? expanded : expanded.reshape(wanted);
  };
  if (x.rank() == 2) {
    multiply(x.value(), weight, true, start_as(shape), y);
  } else {
    const Shape rows{rows_of(shape), weight.size(0)};
    Tensor result = y.reshape(rows);
    multiply(x.value().reshape({rows[0], weight.size(1)}), weight, true, start_as(rows), result);
  }
  if (!recording("linear", x, weight, bias)) return y;
  Variable result =
      record("linear", std::move(y),
             [x, weight, bias = bias.without_value()](const Variable& g, BackwardPass& pass) {
               const Variable slopes = as_matrix(g);
               if (pass.wants(x)) add_product_of(slopes, weight, x, pass);
               if (pass.wants(weight)) pass.add_product(weight, slopes, as_matrix(x));
               if (x.rank() > 2) pass.finish_products();
               if (pass.wants(bias)) pass.add(bias, g);
             });
  extension::TapeAccess::pass_gradient(extension::TapeAccess::recorder("linear"), result, bias);
  return result;
}

}  // namespace unroll
