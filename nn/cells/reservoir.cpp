#include <autograd/kernels/threads.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/reservoir.hpp>
#include <nn/recurrent/cell_options.hpp>

#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>

namespace unroll::nn {
namespace {

double spectral_radius(const Tensor& matrix) {
  static_cast<void>(threads());  // the pool, once there, keeps OpenBLAS to one thread
  const auto size = static_cast<std::size_t>(matrix.size(0));
  // Row-major elements read as column-major ones are the transpose, which has the same eigenvalues.
  xt::xtensor<double, 2, xt::layout_type::column_major> copy(
      std::array<std::size_t, 2>{size, size});
  std::copy_n(matrix.data<double>(), matrix.size(), copy.data());
  const auto eigenvalues = xt::linalg::eigvals(copy);
  double largest = 0.0;
  for (const std::complex<double>& value : eigenvalues)
    largest = std::max(largest, std::abs(value));
  return largest;
}

/// A random matrix of this spectral radius. Rows with the same number of connections, one at least,
/// always close a cycle, so there is an eigenvalue other than 0 to scale.
Tensor recurrent_weights(Index hidden, double connectivity, double radius) {
  const double wanted = std::round(connectivity * static_cast<double>(hidden));
  const Index connections = std::max<Index>(1, static_cast<Index>(wanted));
  Tensor weights = zeros({hidden, hidden}, Dtype::float64);
  double* elements = weights.mutable_data<double>();
  for (Index row = 0; row < hidden; ++row) {
    const Tensor order = permutation(hidden);
    const Tensor values = uniform({connections}, -1.0, 1.0, Dtype::float64);
    for (Index k = 0; k < connections; ++k)
      elements[row * hidden + order.data<std::int64_t>()[k]] = values.data<double>()[k];
  }
  const double scale = radius / spectral_radius(weights);
  std::transform(elements, elements + weights.size(), elements,
                 [scale](double element) { return scale * element; });
  return weights.to(Dtype::float32);
}

/// Uniform over +-scale, which is the option of that name.
Tensor input_weights(const Shape& shape, const char* option, double scale) {
  checked_not_negative("Reservoir", option, scale);
  return uniform(shape, -scale, scale);
}

}  // namespace

Reservoir::Reservoir(Index inputs, Index hidden, const ReservoirOptions& options)
    : Cell(inputs, {hidden}),
      leak_(checked_share("Reservoir", "leak", options.leak)),
      weight_ih_(
          buffer("weight_ih", input_weights({hidden, inputs}, "input_scale", options.input_scale))),
      weight_hh_(
          buffer("weight_hh",
                 recurrent_weights(
                     hidden, checked_share("Reservoir", "connectivity", options.connectivity),
                     checked_positive("Reservoir", "spectral_radius", options.spectral_radius)))),
      bias_(buffer("bias", input_weights({hidden}, "bias_scale", options.bias_scale))) {}

Variable Reservoir::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step Reservoir::step(const Variable& x, const State& state) const {
  const auto integrate = [leak = leak_](auto a, auto h) { return h + leak * (tanh(a) - h); };
  return {pointwise("reservoir", integrate, linear(state[0], weight_hh_, x), state[0])};
}

}  // namespace unroll::nn
