#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/complex.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/s5.hpp>
#include <nn/recurrent/complex_products.hpp>

#include <cmath>
#include <string>
#include <tuple>

namespace unroll::nn {
namespace {

void check(const S5Options& options) {
  if (!(options.min_delta > 0.0 && options.min_delta <= options.max_delta) ||
      std::isinf(options.max_delta))
    throw ArgumentError("S5: min_delta and max_delta must keep 0 < min_delta <= max_delta, got " +
                        std::to_string(options.min_delta) + " and " +
                        std::to_string(options.max_delta));
}

/// The skew-symmetric part K of the normal matrix of HiPPO-LegS, which is K - I / 2.
Tensor hippo_skew(Index size) {
  Tensor matrix = zeros({size, size}, Dtype::float64);
  double* k = matrix.in_place<double>();
  for (Index row = 0; row < size; ++row)
    for (Index column = 0; column < row; ++column) {
      const double product = (static_cast<double>(row) + 0.5) * (static_cast<double>(column) + 0.5);
      k[row * size + column] = -std::sqrt(product);
      k[column * size + row] = std::sqrt(product);
    }
  return matrix;
}

/// Eigenvalues with positive imaginary parts, and their eigenvectors.
struct Modes {
  Tensor frequencies;  // [N], the imaginary parts
  Tensor real, imag;   // [2N,N], the parts of the eigenvectors as columns
};

/// K v = i w v means that -i K, which is Hermitian, has the eigenvalue w. For v = p + i q that is
///
///     [  0  K ] [p]     [p]
///     [ -K  0 ] [q] = w [q]
///
/// a real symmetric problem with each eigenvalue twice, for v and i v.
Modes hippo_modes(Index hidden) {
  const Index size = 2 * hidden;
  const Variable k = hippo_skew(size);
  const Variable nothing = zeros(k.shape(), Dtype::float64);
  const Eigh pairs = eigh(concat({concat({nothing, k}), concat({-k, nothing})}, 0));
  const Variable vectors = slice(pairs.vectors, 1, size, 2 * size, 2);
  const auto [p, q] = split<2>(vectors, 0);
  // LAPACK returns them with any phase; that of the first component is made 0.
  const auto [real, imag] = pointwise(
      [](auto pk, auto qk, auto p0, auto q0) {
        const auto v = Complex{pk, qk} * conj(Complex{p0, q0}) / abs(Complex{p0, q0});
        return v.parts();
      },
      p, q, select(p, 0, 0), select(q, 0, 0));
  return {slice(pairs.values, 0, size, 2 * size, 2).value(), real.value(), imag.value()};
}

Tensor float32_parts(const Variable& real, const Variable& imag) {
  return stack({real, imag}).value().to(Dtype::float32);
}

Tensor normal_with_variance(const Shape& shape, double variance) {
  return normal(shape, 0.0, std::sqrt(variance), Dtype::float64);
}

}  // namespace

S5::S5(Index inputs, Index hidden, const S5Options& options)
    : LinearCell(inputs, {2, hidden}, {.complex = true}),
      lambda_(parameter("lambda", zeros({2, hidden}))),
      b_(parameter("B", zeros({2, hidden, inputs}))),
      c_(parameter("C", zeros({2, inputs, hidden}))),
      d_(parameter("D", normal({inputs}, 0.0, 1.0))),
      log_delta_(parameter("log_delta", zeros({hidden}))) {
  check(options);
  const Modes v = hippo_modes(hidden);
  lambda_.set(float32_parts(full({hidden}, -0.5, Dtype::float64), v.frequencies));
  const Tensor b = normal_with_variance({2 * hidden, inputs}, 1.0 / static_cast<double>(inputs));
  b_.set(float32_parts(matmul(transpose(v.real), b), -matmul(transpose(v.imag), b)));
  const Tensor c = normal_with_variance({inputs, 2 * hidden}, 0.5 / static_cast<double>(hidden));
  c_.set(float32_parts(matmul(c, v.real), matmul(c, v.imag)));
  log_delta_.set(uniform({hidden}, std::log(options.min_delta), std::log(options.max_delta)));
}

LinearCell::Coefficients S5::coefficients(const Variable& x) const {
  const auto [decay_real, decay_imag, hold_real, hold_imag] = pointwise(
      "s5_discretise",
      [](auto re, auto im, auto log_delta) {
        const Complex lambda{re, im};
        const auto exponent = lambda * exp(log_delta);
        const auto decay = exp(exponent);
        const auto hold = expm1(exponent) / lambda;
        return std::tuple{decay.real, decay.imag, hold.real, hold.imag};
      },
      select(lambda_, 0, 0), select(lambda_, 0, 1), log_delta_);
  const auto [b_real, b_imag] = pointwise(
      "s5_input",
      [](auto hr, auto hi, auto br, auto bi) {
        return (Complex{hr, hi} * Complex{br, bi}).parts();
      },
      unsqueeze(hold_real, 1), unsqueeze(hold_imag, 1), select(b_, 0, 0), select(b_, 0, 1));
  return {stack({decay_real, decay_imag}), complex_product(x, stack({b_real, b_imag}))};
}

Variable S5::readout(const Variable& h, const Variable& x) const {
  return real_product(h, Variable(c_) * 2.0, x * d_);
}

}  // namespace unroll::nn
