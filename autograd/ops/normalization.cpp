#include <autograd/kernels/normalize.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/normalization.hpp>
#include <autograd/ops/special.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

void check(const char* operation, const Variable& x, const Variable& scale, const Variable& shift,
           double epsilon) {
  detail::check_floating(operation, {"x", x});
  if (x.rank() == 0 || x.size(-1) == 0)
    throw ShapeError(std::string(operation) + ": x must be [...,D] with D of 1 or more, it is " +
                     to_string(x.shape()));
  for (const Variable* v : {&scale, &shift}) {
    if (!v->defined()) continue;
    const std::string what = std::string(operation) + (v == &scale ? ": scale " : ": shift ") +
                             describe(v->value()) + " with x " + describe(x.value()) + ": it must ";
    if (v->dtype() != x.dtype()) throw DtypeError(what + "have the dtype of x");
    if (v->shape() != Shape{x.size(-1)})
      throw ShapeError(what + "be " + to_string(Shape{x.size(-1)}));
  }
  if (!(epsilon >= 0.0))
    throw ArgumentError(std::string(operation) + ": epsilon must not be negative, it is " +
                        std::to_string(epsilon));
}

/// The gradients as formulas, which can be differentiated again; the kernel has the same.
void add_gradients(const Variable& x, const Variable& scale, const Variable& shift,
                   const kernels::Normalization& how, const Variable& g, BackwardPass& pass) {
  const auto mean_of = [](const Variable& v) { return mean(v, {-1}, true); };
  const Variable d = how.centered ? x - mean_of(x) : x;
  const Variable r = rsqrt(mean_of(square(d)) + how.epsilon);
  const Variable z = d * r;
  const Variable h = scale.defined() ? g * scale : g;
  const Variable along = h - z * mean_of(h * z);
  pass.add(x, r * (how.centered ? along - mean_of(h) : along));
  pass.add(scale, g * z);
  pass.add(shift, g);
}

Variable normalize(const char* operation, const Variable& x, const Variable& scale,
                   const Variable& shift, bool centered, double epsilon) {
  check(operation, x, scale, shift, epsilon);
  const auto packed = [](const Variable& v) {
    return v.defined() ? v.value().contiguous() : Tensor();
  };
  const kernels::Normalization how{centered, epsilon, packed(scale)};
  const Tensor rows = detail::rows_of(x.value());
  Tensor y = Tensor::empty(rows.shape(), x.dtype());
  Tensor moments = Tensor::empty({rows.size(0), 2}, Dtype::float64);
  kernels::normalize_rows(rows, how, packed(shift), y, moments);
  y = y.reshape(x.shape());

  if (!recording(operation, x, scale, shift)) return y;
  return record(operation, std::move(y),
                [x, scale, shift = shift.without_value(), how, moments](const Variable& g,
                                                                        BackwardPass& pass) {
                  if (pass.differentiable()) return add_gradients(x, scale, shift, how, g, pass);
                  const auto wanted = [&](const Variable& v) {
                    return pass.wants(v) ? Tensor::empty({x.size(-1)}, x.dtype()) : Tensor();
                  };
                  const Tensor x_rows = detail::rows_of(x.value());
                  Tensor dx = Tensor::empty(x_rows.shape(), x.dtype());
                  Tensor dscale = wanted(scale);
                  Tensor dshift = wanted(shift);
                  kernels::normalize_rows_gradient(x_rows, how, moments, detail::rows_of(g.value()),
                                                   dx, dscale, dshift);
                  pass.add(x, dx.reshape(x.shape()));
                  pass.add(scale, dscale);
                  pass.add(shift, dshift);
                });
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& scale, const Variable& shift,
                    double epsilon) {
  return normalize("layer_norm", x, scale, shift, true, epsilon);
}

Variable rms_norm(const Variable& x, const Variable& scale, double epsilon) {
  return normalize("rms_norm", x, scale, {}, false, epsilon);
}

}  // namespace unroll
