#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/pointwise/complex.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/lru.hpp>
#include <nn/recurrent/complex_products.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

void check(const LRUOptions& options) {
  if (!(options.r_min >= 0.0 && options.r_min < options.r_max && options.r_max <= 1.0))
    throw ArgumentError("LRU: r_min and r_max must keep 0 <= r_min < r_max <= 1, got " +
                        std::to_string(options.r_min) + " and " + std::to_string(options.r_max));
  if (!(options.max_phase > 0.0) || std::isinf(options.max_phase))
    throw ArgumentError("LRU: max_phase must be positive and finite, got " +
                        std::to_string(options.max_phase));
}

/// -log |lambda|, log of it, for |lambda|^2 uniform over r_min^2 .. r_max^2.
Tensor ring_nu_log(Index hidden, const LRUOptions& options) {
  check(options);
  const double low = options.r_min * options.r_min;
  const double high = options.r_max * options.r_max;
  return pointwise([low, high](auto u) { return log(-0.5 * log(low + u * (high - low))); },
                   uniform({hidden}, 0.0, 1.0, Dtype::float64))
      .value()
      .to(Dtype::float32);
}

Tensor uniform_theta_log(Index hidden, double max_phase) {
  return log(uniform({hidden}, 0.0, max_phase, Dtype::float64)).value().to(Dtype::float32);
}

/// log sqrt(1 - |lambda|^2)
Tensor normalising_gamma_log(const Tensor& nu_log) {
  return pointwise([](auto nu) { return 0.5 * log(-expm1(-2.0 * exp(nu))); }, nu_log).value();
}

Tensor normal_with_variance(const Shape& shape, double variance) {
  return normal(shape, 0.0, std::sqrt(variance));
}

}  // namespace

LRU::LRU(Index inputs, Index hidden, const LRUOptions& options)
    : LinearCell(inputs, {2, hidden}, {.complex = true}),
      nu_log_(parameter("nu_log", ring_nu_log(hidden, options))),
      theta_log_(parameter("theta_log", uniform_theta_log(hidden, options.max_phase))),
      gamma_log_(parameter("gamma_log", normalising_gamma_log(nu_log_.value()))),
      b_(parameter("B",
                   normal_with_variance({2, hidden, inputs}, 0.5 / static_cast<double>(inputs)))),
      c_(parameter("C",
                   normal_with_variance({2, inputs, hidden}, 1.0 / static_cast<double>(hidden)))),
      d_(parameter("D", normal({inputs}, 0.0, 1.0))) {}

LinearCell::Coefficients LRU::coefficients(const Variable& x) const {
  const auto [real, imag] = pointwise(
      "lru",
      [](auto nu, auto theta) {
        return exp(Complex{-exp(nu), exp(theta)}).parts();
      },
      nu_log_, theta_log_);
  const Variable scaled = exp(unsqueeze(gamma_log_, 1)) * b_;
  return {stack({real, imag}), complex_product(x, scaled)};
}

Variable LRU::readout(const Variable& h, const Variable& x) const {
  return real_product(h, c_, x * d_);
}

}  // namespace unroll::nn
