#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/rg_lru.hpp>

#include <string>

namespace unroll::nn {
namespace {

void check(const RGLRUOptions& options) {
  if (!(options.c > 0.0))
    throw ArgumentError("RGLRU: c must be positive, it is " + std::to_string(options.c));
  if (!(options.min_decay > 0.0 && options.min_decay < options.max_decay &&
        options.max_decay < 1.0))
    throw ArgumentError(
        "RGLRU: min_decay and max_decay must keep 0 < min_decay < max_decay < 1, "
        "got " +
        std::to_string(options.min_decay) + " and " + std::to_string(options.max_decay));
}

/// exp(-c softplus(lambda)) = a, solved for lambda.
Tensor lambda_of_decays(const Tensor& decays, double c) {
  return pointwise([c](auto a) { return log(expm1(-log(a) / c)); }, decays)
      .value()
      .to(Dtype::float32);
}

}  // namespace

RGLRU::RGLRU(Index size, const RGLRUOptions& options)
    : LinearCell(size, size),
      c_((check(options), options.c)),
      recurrence_gate_(add("recurrence_gate", Linear(size, size))),
      input_gate_(add("input_gate", Linear(size, size))),
      lambda_(parameter("lambda", lambda_of_decays(uniform({size}, options.min_decay,
                                                           options.max_decay, Dtype::float64),
                                                   options.c))) {}

LinearCell::Coefficients RGLRU::coefficients(const Variable& x) const {
  const auto [decay, input] = pointwise(
      "rg_lru",
      [c = c_](auto r, auto i, auto v, auto lambda) {
        const auto log_a = -c * softplus(lambda) * sigmoid(r);
        return std::pair{exp(log_a), sqrt(-expm1(2.0 * log_a)) * sigmoid(i) * v};
      },
      recurrence_gate_(x), input_gate_(x), x, lambda_);
  return {decay, input};
}

}  // namespace unroll::nn
