#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/loss.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

/// Targets of 1 and -1, in the dtype of what they are compared with.
Variable signs(const char* operation, const Tensor& targets, Dtype dtype) {
  const std::vector<double> values = targets.to_vector<double>();
  for (std::size_t k = 0; k < values.size(); ++k)
    if (values[k] != 1.0 && values[k] != -1.0)
      throw ArgumentError(std::string(operation) + ": the targets " + to_string(targets.shape()) +
                          " hold " + std::to_string(values[k]) + " at position " +
                          std::to_string(k) + ", they must be 1 or -1");
  return targets.to(dtype);
}

/// ln x, not below -100; a NaN stays one.
template <class X>
X bounded_log(const X& log_x) {
  return where(log_x < -100.0, -100.0, log_x);
}

}  // namespace

Variable detail::reduce(const char* operation, const Variable& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  if (reduction == Reduction::sum) return sum(losses);
  if (losses.value().size() == 0)
    throw ShapeError(std::string(operation) + ": there is nothing to average, the losses are " +
                     describe(losses.value()));
  return mean(losses);
}

Variable mse_loss(const Variable& x, const Variable& targets, const LossOptions& options) {
  detail::check_same_shape("mse_loss", {"x", x}, {"targets", targets.value()});
  const Variable losses = detail::elementwise(
      "mse_loss", [](auto a, auto t) { return (a - t) * (a - t); }, x, targets);
  return detail::reduce("mse_loss", losses, options.reduction);
}

Variable l1_loss(const Variable& x, const Variable& targets, const LossOptions& options) {
  detail::check_same_shape("l1_loss", {"x", x}, {"targets", targets.value()});
  const Variable losses = detail::elementwise(
      "l1_loss", [](auto a, auto t) { return abs(a - t); }, x, targets);
  return detail::reduce("l1_loss", losses, options.reduction);
}

Variable huber_loss(const Variable& x, const Variable& targets, const HuberOptions& options) {
  detail::check_same_shape("huber_loss", {"x", x}, {"targets", targets.value()});
  if (!(options.delta > 0.0))
    throw ArgumentError("huber_loss: delta must be above 0, it is " +
                        std::to_string(options.delta));
  const Variable losses = detail::elementwise(
      "huber_loss",
      [delta = options.delta](auto a, auto t) {
        const auto d = abs(a - t);
        return where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta));
      },
      x, targets);
  return detail::reduce("huber_loss", losses, options.reduction);
}

Variable binary_cross_entropy(const Variable& x, const Variable& targets,
                              const LossOptions& options) {
  detail::check_same_shape("binary_cross_entropy", {"x", x}, {"targets", targets.value()});
  const Variable losses = detail::elementwise(
      "binary_cross_entropy",
      [](auto p, auto t) {
        return -(t * bounded_log(log(p))) - (1.0 - t) * bounded_log(log1p(-p));
      },
      x, targets);
  return detail::reduce("binary_cross_entropy", losses, options.reduction);
}

Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& targets,
                                          const BinaryLogitsOptions& options) {
  constexpr const char* kName = "binary_cross_entropy_with_logits";
  detail::check_same_shape(kName, {"x", x}, {"targets", targets.value()});
  const Tensor pos_weight =
      (options.pos_weight.defined() ? options.pos_weight : ones({})).to(x.dtype());
  if (broadcast(kName, x.shape(), pos_weight.shape()) != x.shape())
    throw ShapeError(std::string(kName) + ": pos_weight " + to_string(pos_weight.shape()) +
                     " does not broadcast to the shape of x, " + to_string(x.shape()));
  // Both terms are sums of positive numbers: -ln y = softplus(-x), -ln(1 - y) = softplus(x).
  const Variable losses = detail::elementwise(
      kName,
      [](auto a, auto t, auto weight) {
        return weighted(weight * t, softplus(-a)) + weighted(1.0 - t, softplus(a));
      },
      x, targets, pos_weight);
  return detail::reduce(kName, losses, options.reduction);
}

Variable kl_div(const Variable& x, const Variable& targets, const KlOptions& options) {
  detail::check_same_shape("kl_div", {"x", x}, {"targets", targets.value()});
  const Variable losses =
      options.log_target
          ? detail::elementwise(
                "kl_div", [](auto a, auto t) { return weighted(exp(t), t - a); }, x, targets)
          : detail::elementwise(
                "kl_div", [](auto a, auto t) { return where(t == 0.0, 0.0, t * (log(t) - a)); }, x,
                targets);
  return detail::reduce("kl_div", losses, options.reduction);
}

Variable hinge_loss(const Variable& x, const Tensor& targets, const HingeOptions& options) {
  detail::check_same_shape("hinge_loss", {"x", x}, {"targets", targets});
  const Variable losses = detail::elementwise(
      "hinge_loss",
      [margin = options.margin](auto a, auto t) {
        const auto d = margin - t * a;
        return where(d <= 0.0, 0.0, d);
      },
      x, signs("hinge_loss", targets, x.dtype()));
  return detail::reduce("hinge_loss", losses, options.reduction);
}

Variable cosine_similarity(const Variable& a, const Variable& b, int axis, double epsilon) {
  constexpr const char* kName = "cosine_similarity";
  if (!(epsilon > 0.0))
    throw ArgumentError(std::string(kName) + ": epsilon must be above 0, it is " +
                        std::to_string(epsilon));
  detail::check_same_dtype(kName, {{"a", a}, {"b", b}});
  const Shape shape = broadcast(kName, a.shape(), b.shape());
  axis = normalize_axis(kName, axis, shape.rank());
  const auto direction = [&](const Variable& x) {
    const Variable vectors = broadcast_to(x, shape);
    return vectors / maximum(norm(vectors, {axis}, true), full({}, epsilon, x.dtype()));
  };
  const Variable cosine = sum(direction(a) * direction(b), {axis});
  // What rounding adds beyond 1 is taken off as a constant: a bound would take the curvature too.
  return detail::elementwise(
      kName, [](auto c, auto constant) { return c - (constant - clamp(constant, -1.0, 1.0)); },
      cosine, detach(cosine));
}

Variable cosine_embedding_loss(const Variable& a, const Variable& b, const Tensor& targets,
                               const CosineEmbeddingOptions& options) {
  constexpr const char* kName = "cosine_embedding_loss";
  if (!(options.margin >= -1.0 && options.margin <= 1.0))
    throw ArgumentError(std::string(kName) + ": the margin must lie in -1..1, it is " +
                        std::to_string(options.margin));
  detail::check_same_shape(kName, {"a", a}, {"b", b});
  const Variable cosine = cosine_similarity(a, b);
  detail::check_same_shape(kName, {"x", cosine}, {"targets", targets});
  const Variable losses = detail::elementwise(
      kName,
      [margin = options.margin](auto c, auto t) {
        return where(t > 0.0, 1.0 - c, where(c <= margin, 0.0, c - margin));
      },
      cosine, signs(kName, targets, cosine.dtype()));
  return detail::reduce(kName, losses, options.reduction);
}

}  // namespace unroll
