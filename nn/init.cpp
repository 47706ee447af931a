#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn::init {
namespace {

struct Fans {
  double in, out;
};

void check_sizes(const char* scheme, const Shape& shape, bool is_right_rank, const char* expected) {
  if (!is_right_rank || std::any_of(shape.begin(), shape.end(), [](Index n) { return n < 1; }))
    throw ShapeError(std::string(scheme) + ": the shape must be " + expected +
                     ", all at least 1, it is " + to_string(shape));
}

void check_matrix(const char* scheme, const Shape& shape) {
  check_sizes(scheme, shape, shape.rank() == 2, "[out,in]");
}

Fans fans(const char* scheme, const Shape& shape) {
  check_sizes(scheme, shape, shape.rank() >= 2, "[out,in] or [out,in,...]");
  const Index all = size_of(shape);  // out in P
  return {static_cast<double>(all) / static_cast<double>(shape[0]),
          static_cast<double>(all) / static_cast<double>(shape[1])};
}

void check_finite(const char* scheme, const char* name, double value) {
  if (!std::isfinite(value))
    throw ArgumentError(std::string(scheme) + ": " + name + " must be finite, it is " +
                        std::to_string(value));
}

Tensor normal_of(const Shape& shape, double variance) {
  return unroll::normal(shape, 0.0, std::sqrt(variance));
}

Tensor uniform_of(const Shape& shape, double variance) {
  const double bound = std::sqrt(3.0 * variance);
  return unroll::uniform(shape, -bound, bound);
}

double he_variance(const char* scheme, const Shape& shape, double slope) {
  check_finite(scheme, "the slope", slope);
  return 2.0 / ((1.0 + slope * slope) * fans(scheme, shape).in);
}

/// The bias of an LSTM with nothing set, and the first elements of its gates.
struct LstmBias {
  LstmBias(const char* scheme, Index hidden) {
    if (hidden < 1)
      throw ArgumentError(std::string(scheme) + ": hidden must be at least 1, it is " +
                          std::to_string(hidden));
    bias = zeros({4 * hidden});
    input = bias.in_place<float>();
    forget = input + hidden;
  }

  Tensor bias;
  float* input;
  float* forget;
};

}  // namespace

Tensor pytorch_default(const Shape& shape, Index fan_in) {
  if (fan_in < 1)
    throw ArgumentError("init: the number of inputs must be at least 1, it is " +
                        std::to_string(fan_in));
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  return unroll::uniform(shape, -bound, bound);
}

Tensor xavier_uniform(const Shape& shape) {
  const auto [in, out] = fans("xavier_uniform", shape);
  return uniform_of(shape, 2.0 / (in + out));
}

Tensor xavier_normal(const Shape& shape) {
  const auto [in, out] = fans("xavier_normal", shape);
  return normal_of(shape, 2.0 / (in + out));
}

Tensor he_normal(const Shape& shape, double slope) {
  return normal_of(shape, he_variance("he_normal", shape, slope));
}

Tensor he_uniform(const Shape& shape, double slope) {
  return uniform_of(shape, he_variance("he_uniform", shape, slope));
}

Tensor lecun_normal(const Shape& shape) {
  return normal_of(shape, 1.0 / fans("lecun_normal", shape).in);
}

Tensor lecun_uniform(const Shape& shape) {
  return uniform_of(shape, 1.0 / fans("lecun_uniform", shape).in);
}

Tensor orthogonal(const Shape& shape, double gain) {
  fans("orthogonal", shape);
  check_finite("orthogonal", "the gain", gain);
  const Svd parts =
      svd(unroll::normal({shape[0], size_of(shape) / shape[0]}, 0.0, 1.0, Dtype::float64));
  Tensor matrix = matmul(parts.u, parts.vh).value();
  kernels::scale(matrix, gain);
  return matrix.to(Dtype::float32).reshape(shape);
}

Tensor identity(const Shape& shape, double scale) {
  check_matrix("identity", shape);
  check_finite("identity", "the scale", scale);
  Tensor matrix = zeros(shape);
  auto* elements = matrix.in_place<float>();
  for (Index i = 0; i < std::min(shape[0], shape[1]); ++i)
    elements[i * shape[1] + i] = static_cast<float>(scale);
  return matrix;
}

Tensor sparse(const Shape& shape, Index nonzeros, double deviation) {
  check_matrix("sparse", shape);
  const Index in = shape[1];
  if (nonzeros < 1 || nonzeros > in)
    throw ArgumentError("sparse: a row of " + to_string(shape) + " has 1 to " + std::to_string(in) +
                        " nonzeros, got " + std::to_string(nonzeros));
  if (!(deviation >= 0.0))
    throw ArgumentError("sparse: the deviation must not be negative, it is " +
                        std::to_string(deviation));
  check_finite("sparse", "the deviation", deviation);
  const Tensor values = unroll::normal({shape[0], nonzeros}, 0.0, deviation);
  const auto* value = values.data<float>();
  Tensor matrix = zeros(shape);
  auto* row = matrix.in_place<float>();
  std::vector<Index> columns(static_cast<std::size_t>(in));
  std::iota(columns.begin(), columns.end(), Index{0});
  for (Index o = 0; o < shape[0]; ++o, row += in)
    for (Index k = 0; k < nonzeros; ++k) {
      // Fisher and Yates; the order that the rows before have left does not matter.
      const auto at = static_cast<std::size_t>(k);
      const auto ahead = static_cast<std::uint64_t>(in - k);
      std::swap(columns[at], columns[at + default_generator().below(ahead)]);
      row[columns[at]] = *value++;
    }
  return matrix;
}

Tensor lstm_forget_bias(Index hidden, double value) {
  LstmBias rows("lstm_forget_bias", hidden);
  check_finite("lstm_forget_bias", "the value", value);
  std::fill_n(rows.forget, hidden, static_cast<float>(value));
  return rows.bias;
}

Tensor lstm_chrono_bias(Index hidden, double longest) {
  LstmBias rows("lstm_chrono_bias", hidden);
  if (!(longest >= 2.0) || !std::isfinite(longest))
    throw ArgumentError(
        "lstm_chrono_bias: the longest range must be finite and at least 2 steps, it is " +
        std::to_string(longest));
  for (Index j = 0; j < hidden; ++j) {
    rows.forget[j] =
        static_cast<float>(std::log(1.0 + (longest - 2.0) * default_generator().uniform()));
    rows.input[j] = -rows.forget[j];
  }
  return rows.bias;
}

}  // namespace unroll::nn::init
