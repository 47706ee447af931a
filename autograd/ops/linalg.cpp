#include <autograd/kernels/linalg.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/diagonal.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace {

void check(const char* operation, const Variable& x) {
  detail::check_floating(operation, {"x", x});
  if (x.rank() < 2)
    throw ShapeError(std::string(operation) + ": x " + to_string(x.shape()) +
                     " must be a matrix, or several along leading axes");
}

void check_finite(const char* operation, const Variable& x) {
  if (all_true(is_finite(x)).item() == 0.0)
    throw ArgumentError(std::string(operation) + ": x " + to_string(x.shape()) +
                        " holds a NaN or an infinity");
}

void check_square(const char* operation, const Variable& x) {
  check(operation, x);
  if (x.size(-1) != x.size(-2))
    throw ShapeError(std::string(operation) + ": x " + to_string(x.shape()) +
                     " must be square; its last axes have sizes " + std::to_string(x.size(-2)) +
                     " and " + std::to_string(x.size(-1)));
  check_finite(operation, x);
}

[[noreturn]] void throw_matrix(const char* operation, const Shape& shape, Index number,
                               const char* what) {
  throw ArgumentError(std::string(operation) + ": matrix " + std::to_string(number) + " of x " +
                      to_string(shape) + ' ' + what);
}

/// The leading axes of x, with further ones behind.
Shape leading(const Shape& shape, std::initializer_list<Index> rest) {
  Shape result(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
  for (Index n : rest) result.push_back(n);
  return result;
}

/// A tensor as a list of matrices, or of what belongs to each: its last axes.
class Parts {
 public:
  Parts(const Tensor& x, int axes) {
    Shape shape{1};
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (axis < x.rank() - axes)
        shape[0] *= x.shape()[axis];
      else
        shape.push_back(x.shape()[axis]);
    }
    count_ = x.size() == 0 ? 0 : shape[0];
    all_ = x.reshape(shape);
  }
  Index count() const { return count_; }
  Tensor operator[](Index i) const { return all_.select(0, i); }

 private:
  Tensor all_;
  Index count_ = 0;  // 0 when there are no numbers
};

/// Fills y, of `axes` axes for each matrix, by a kernel that returns whether it could.
template <class Kernel>
void fill_each(const char* operation, const Variable& x, Tensor& y, int axes, Kernel kernel,
               const char* otherwise) {
  const Parts from(x.value(), 2);
  const Parts to(y, axes);
  for (Index i = 0; i < from.count(); ++i) {
    Tensor target = to[i];
    if (!kernel(from[i], target)) throw_matrix(operation, x.shape(), i, otherwise);
  }
}

constexpr const char* kSingular = "is singular";

Tensor eye(const Variable& x) { return diag_embed(ones({x.size(-1)}, x.dtype())).value(); }

/// 1 / (x_j - x_i) in row i and column j, 0 on the diagonal: `[...,N]` to `[...,N,N]`.
Variable reciprocal_gaps(const Variable& x) {
  const Variable unit = eye(x);
  return (1.0 - unit) / (unsqueeze(x, -2) - unsqueeze(x, -1) + unit);
}

void check_distinct(const char* operation, const Variable& x, const Variable& values) {
  const Parts each(values.value(), 1);
  for (Index i = 0; i < each.count(); ++i) {
    const std::vector<double> v = each[i].to_vector<double>();
    if (std::adjacent_find(v.begin(), v.end()) != v.end())
      throw_matrix(operation, x.shape(), i,
                   "has equal values, where the vectors have no gradient; a loss of the values "
                   "alone has one");
  }
}

/// Throws where a determinant is 0, and its gradient cannot be had from the inverse.
void check_regular(const char* operation, const Variable& x, const Tensor& determinants) {
  const std::vector<double> values = determinants.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] == 0.0)
      throw_matrix(operation, x.shape(), static_cast<Index>(i),
                   "is singular, and the gradient is taken through the inverse");
}

/// g for each matrix, times the transpose of its inverse.
Variable times_inverse(const Variable& g, const Variable& x) {
  return unsqueeze(unsqueeze(g, -1), -1) * transpose(inverse(x));
}

Variable symmetric(const Variable& x) { return (x + transpose(x)) * 0.5; }

/// Cholesky of a matrix that is symmetric.
Variable factor(const Variable& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  fill_each("cholesky", x, y, 2, kernels::cholesky, "is not positive definite");
  if (!recording("cholesky", x)) return y;
  return record("cholesky", std::move(y),
                [x = x.without_value()](const Variable& l, const Variable& g, BackwardPass& pass) {
                  // L^-T phi(L^T g) L^-1, where phi takes the lower triangle and half the diagonal.
                  const Variable all = matmul(transpose(l), g);
                  const Variable phi = tril(all) - diag_embed(diagonal(all)) * 0.5;
                  const Variable up = transpose(l);
                  pass.add(x, transpose(solve(up, transpose(solve(up, phi)))));
                });
}

/// The gradient of x = vectors diag(values) vectors^T.
Variable eigh_gradient(const Variable& x, const Eigh& y, const Variable& by_values,
                       const Variable& by_vectors) {
  const Variable across = transpose(y.vectors);
  Variable inner;
  if (by_values.defined()) inner = diag_embed(by_values);
  if (by_vectors.defined()) {
    check_distinct("eigh", x, y.values);
    const Variable turns = matmul(across, by_vectors) * reciprocal_gaps(y.values);
    inner = inner.defined() ? inner + turns : turns;
  }
  return matmul(matmul(y.vectors, inner), across);
}

Eigh eigh_of_symmetric(const Variable& x) {
  const Shape& shape = x.shape();
  Tensor values = Tensor::empty(leading(shape, {shape.back()}), x.dtype());
  Tensor vectors = Tensor::empty(shape, x.dtype());
  const Parts from(x.value(), 2);
  const Parts to_values(values, 1);
  const Parts to_vectors(vectors, 2);
  for (Index i = 0; i < from.count(); ++i) {
    Tensor w = to_values[i];
    Tensor v = to_vectors[i];
    if (!kernels::eigh(from[i], w, v)) throw_matrix("eigh", shape, i, "did not converge");
  }
  std::array<Variable, 2> outputs{values, vectors};
  if (recording("eigh", x))
    record("eigh", outputs,
           [x = x.without_value()](std::span<const Variable> y, std::span<const Variable> g,
                                   BackwardPass& pass) {
             pass.add(x, eigh_gradient(x, {y[0], y[1]}, g[0], g[1]));
           });
  return {outputs[0], outputs[1]};
}

/// The gradient of x = u diag(s) vh, the sum of what comes through each of the three.
Variable svd_gradient(const Variable& x, const Svd& y, std::span<const Variable> g) {
  const Variable& u = y.u;
  const Variable v = transpose(y.vh);
  const Variable ut = transpose(u);
  const Variable rows = unsqueeze(y.s, -1);     // times this: row i by s_i
  const Variable columns = unsqueeze(y.s, -2);  // column j by s_j
  Variable inner =
      g[1].defined() ? diag_embed(g[1])
                     : Variable(zeros(leading(x.shape(), {y.s.size(-1), y.s.size(-1)}), x.dtype()));
  Variable outside;  // of the spaces that u and v span
  const auto add_outside = [&](const Variable& term) {
    outside = outside.defined() ? outside + term : term;
  };
  if (g[0].defined() || g[2].defined()) {
    check_distinct("svd", x, y.s);
    if (x.size(-1) != x.size(-2) && all_true(y.s).item() == 0.0)
      check_regular("svd", x, all_true(y.s, {-1}));
  }
  if (g[0].defined()) {
    const Variable turns = matmul(ut, g[0]) * reciprocal_gaps(square(y.s));
    inner = inner + (turns + transpose(turns)) * columns;
    if (x.size(-2) > x.size(-1))
      add_outside(matmul((g[0] - matmul(u, matmul(ut, g[0]))) / columns, y.vh));
  }
  if (g[2].defined()) {
    const Variable by_v = transpose(g[2]);
    const Variable turns = matmul(y.vh, by_v) * reciprocal_gaps(square(y.s));
    inner = inner + rows * (turns + transpose(turns));
    if (x.size(-1) > x.size(-2))
      add_outside(matmul(u, (g[2] - matmul(matmul(g[2], v), y.vh)) / rows));
  }
  const Variable inside = matmul(matmul(u, inner), y.vh);
  return outside.defined() ? inside + outside : inside;
}

}  // namespace

Variable inverse(const Variable& x) {
  check_square("inverse", x);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  fill_each("inverse", x, y, 2, kernels::inverse, kSingular);
  if (!recording("inverse", x)) return y;
  return record(
      "inverse", std::move(y),
      [x = x.without_value()](const Variable& output, const Variable& g, BackwardPass& pass) {
        const Variable across = transpose(output);
        pass.add(x, -matmul(matmul(across, g), across));
      });
}

Variable solve(const Variable& a, const Variable& b) {
  check_square("solve", a);
  check("solve", b);
  if (a.dtype() != b.dtype())
    throw DtypeError("solve: a " + describe(a.value()) + " and b " + describe(b.value()) +
                     " must share a dtype");
  if (b.size(-2) != a.size(-1))
    throw ShapeError("solve: a " + to_string(a.shape()) + " and b " + to_string(b.shape()) +
                     ": b must have " + std::to_string(a.size(-1)) +
                     " rows; make a vector a matrix with unsqueeze");
  const Shape batch =
      broadcast("solve (leading axes)", leading(a.shape(), {}), leading(b.shape(), {}));
  const auto expanded = [&batch](const Tensor& x) {
    Shape shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.broadcast_to(shape);
  };
  const Tensor right = expanded(b.value());
  Tensor y = Tensor::empty(right.shape(), a.dtype());
  const Parts matrices(expanded(a.value()), 2);
  const Parts rights(right, 2);
  const Parts solutions(y, 2);
  for (Index i = 0; i < solutions.count(); ++i) {
    Tensor target = solutions[i];
    if (!kernels::solve(matrices[i], rights[i], target))
      throw_matrix("solve", a.shape(), i, kSingular);
  }
  if (!recording("solve", a, b)) return y;
  return record(
      "solve", std::move(y),
      [a, b = b.without_value()](const Variable& output, const Variable& g, BackwardPass& pass) {
        const Variable by_b = solve(transpose(a), g);
        pass.add(b, by_b);
        if (pass.wants(a)) pass.add(a, -matmul(by_b, transpose(output)));
      });
}

Variable cholesky(const Variable& x) {
  check_square("cholesky", x);
  return factor(symmetric(x));
}

Variable det(const Variable& x) {
  check_square("det", x);
  Tensor y = ones(leading(x.shape(), {}), x.dtype());
  const auto kernel = [](const Tensor& a, Tensor& result) {
    kernels::det(a, result);
    return true;
  };
  fill_each("det", x, y, 0, kernel, "");
  if (!recording("det", x)) return y;
  return record("det", std::move(y),
                [x](const Variable& output, const Variable& g, BackwardPass& pass) {
                  check_regular("det", x, output.value());
                  pass.add(x, times_inverse(g * output, x));
                });
}

SignedLogDet slogdet(const Variable& x) {
  check_square("slogdet", x);
  const Shape shape = leading(x.shape(), {});
  Tensor sign = ones(shape, x.dtype());
  Tensor y = zeros(shape, x.dtype());
  const Parts from(x.value(), 2);
  const Parts signs(sign, 0);
  const Parts logs(y, 0);
  for (Index i = 0; i < from.count(); ++i) {
    Tensor s = signs[i];
    Tensor l = logs[i];
    kernels::slogdet(from[i], s, l);
  }
  if (!recording("slogdet", x)) return {sign, y};
  return {sign, record("slogdet", std::move(y), [x, sign](const Variable& g, BackwardPass& pass) {
            check_regular("slogdet", x, sign);
            pass.add(x, times_inverse(g, x));
          })};
}

Variable logdet(const Variable& x) {
  const SignedLogDet parts = slogdet(x);
  const std::vector<double> signs = parts.sign.to_vector<double>();
  for (std::size_t i = 0; i < signs.size(); ++i)
    if (signs[i] != 1.0)
      throw_matrix("logdet", x.shape(), static_cast<Index>(i),
                   "has no positive determinant; slogdet gives sign and size");
  return parts.log_abs;
}

Svd svd(const Variable& x) {
  check("svd", x);
  check_finite("svd", x);
  const Index rows = x.size(-2);
  const Index columns = x.size(-1);
  const Index rank = std::min(rows, columns);
  Tensor u = Tensor::empty(leading(x.shape(), {rows, rank}), x.dtype());
  Tensor s = Tensor::empty(leading(x.shape(), {rank}), x.dtype());
  Tensor vh = Tensor::empty(leading(x.shape(), {rank, columns}), x.dtype());
  const Parts from(x.value(), 2);
  const Parts lefts(u, 2);
  const Parts values(s, 1);
  const Parts rights(vh, 2);
  for (Index i = 0; i < from.count(); ++i) {
    Tensor left = lefts[i];
    Tensor value = values[i];
    Tensor right = rights[i];
    if (!kernels::svd(from[i], left, value, right))
      throw_matrix("svd", x.shape(), i, "did not converge");
  }
  std::array<Variable, 3> outputs{u, s, vh};
  if (recording("svd", x))
    record("svd", outputs,
           [x = x.without_value()](std::span<const Variable> y, std::span<const Variable> g,
                                   BackwardPass& pass) {
             pass.add(x, svd_gradient(x, {y[0], y[1], y[2]}, g));
           });
  return {outputs[0], outputs[1], outputs[2]};
}

Eigh eigh(const Variable& x) {
  check_square("eigh", x);
  return eigh_of_symmetric(symmetric(x));
}

}  // namespace unroll
