#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/loss.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/learning/masked_squared_error.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {

Tensor unit_mask(const std::vector<std::vector<Index>>& theta, Index units) {
  if (theta.empty()) throw ArgumentError("unit_mask: theta has no steps");
  if (units < 1)
    throw ArgumentError("unit_mask: units must be at least 1, got " + std::to_string(units));
  std::vector<float> mask(theta.size() * static_cast<std::size_t>(units), 0.0F);
  for (std::size_t t = 0; t < theta.size(); ++t)
    for (Index k : theta[t]) {
      if (k < 0 || k >= units)
        throw ArgumentError("unit_mask: theta has at step " + std::to_string(t) + " the unit " +
                            std::to_string(k) + ", there are units 0 to " +
                            std::to_string(units - 1));
      mask[t * static_cast<std::size_t>(units) + static_cast<std::size_t>(k)] = 1.0F;
    }
  return Tensor::of({static_cast<Index>(theta.size()), 1, units}, mask);
}

Variable masked_squared_error(const Variable& a, const Tensor& targets, const Tensor& mask) {
  if (!a.defined() || !targets.defined() || !mask.defined() || targets.shape() != a.shape())
    throw ShapeError("masked_squared_error: a is " + describe(a.value()) + ", the targets are " +
                     describe(targets) + ", they must have one shape, and a mask be given");
  const Tensor chosen =
      broadcast_to(Variable(mask.to(Dtype::float64)), a.shape()).value().contiguous();
  const std::vector<double> in_theta = chosen.to_vector<double>();
  std::vector<double> wanted = targets.to(Dtype::float64).to_vector<double>();
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const std::string at = " at element " + std::to_string(k) + " of " + to_string(a.shape());
    if (in_theta[k] != 0.0 && in_theta[k] != 1.0)
      throw ArgumentError("masked_squared_error: the mask is " + std::to_string(in_theta[k]) + at +
                          ", it must be 0 or 1");
    if (in_theta[k] == 1.0 && std::isnan(wanted[k]))
      throw ArgumentError("masked_squared_error: no target, NaN," + at +
                          ", where the mask wants one");
    if (in_theta[k] == 1.0) continue;
    if (!std::isnan(wanted[k]) && wanted[k] != 0.0)
      throw ArgumentError("masked_squared_error: a target, " + std::to_string(wanted[k]) + "," +
                          at +
                          ", which is outside Theta(t); put 0 or NaN there, or the unit into "
                          "the mask");
    wanted[k] = 0.0;
  }
  return mse_loss(a * Variable(chosen.to(a.dtype())), Tensor::of(a.shape(), wanted).to(a.dtype()),
                  {.reduction = Reduction::sum});
}

}  // namespace unroll::nn
