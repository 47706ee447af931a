#include <autograd/error.hpp>
#include <nn/clip.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

double sum_of_squares(const Tensor& x) {
  const Tensor packed = x.contiguous();
  return dispatch_floating(packed.dtype(), [&]<class T>(T) {
    const T* data = packed.data<T>();
    double total = 0.0;
    for (Index i = 0, n = packed.size(); i < n; ++i)
      total += static_cast<double>(data[i]) * static_cast<double>(data[i]);
    return total;
  });
}

}  // namespace

double global_norm(const Gradients& gradients) {
  double total = 0.0;
  // A row that was looked up twice adds up before it is squared, so rows are counted in their dense
  // form.
  for (const ParameterGradient& gradient : gradients.parameters())
    total += sum_of_squares(gradient.to_dense());
  return std::sqrt(total);
}

double clip_by_global_norm(Gradients& gradients, double max_norm) {
  if (!(max_norm > 0.0))
    throw ArgumentError("clip_by_global_norm: the norm must be positive, it is " +
                        std::to_string(max_norm));
  const double norm = global_norm(gradients);
  if (norm > max_norm)
    for (ParameterGradient& gradient : gradients.parameters()) gradient.scale(max_norm / norm);
  return norm;
}

}  // namespace unroll::nn
