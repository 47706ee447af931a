#pragma once

#include <autograd/tape/variable.hpp>

/// Activations, elementwise: x of any shape, float32 or float64; result of the shape and dtype of
/// x. A NaN stays one. Throws DtypeError for int64. sigmoid, tanh, relu and softplus stand in
/// elementwise.hpp.
namespace unroll {

Variable log_sigmoid(const Variable& x);  ///< log sigmoid(x), without overflow
Variable softsign(const Variable& x);     ///< x / (1 + |x|)
/// x where it is positive, else slope x; at 0 the derivative is `slope`.
Variable leaky_relu(const Variable& x, double slope = 0.01);
/// leaky_relu with slopes that are learnt; x and slope broadcast as in NumPy. A slope for each
/// channel that is not the last axis needs axes of size 1 behind it. Throws ShapeError too.
Variable prelu(const Variable& x, const Variable& slope);
/// x where it is positive, else alpha (e^x - 1); at 0 the derivative is `alpha`.
Variable elu(const Variable& x, double alpha = 1.0);
/// x where it is positive, else alpha (e^(x / alpha) - 1). Throws ArgumentError when alpha is 0.
Variable celu(const Variable& x, double alpha = 1.0);
/// elu with the scale and the alpha that keep mean 0 and variance 1 from layer to layer; a kink at
/// 0, where the derivative is that of the negative side.
Variable selu(const Variable& x);

enum class Gelu {
  exact,  ///< x times the normal distribution function, by erfc
  tanh,   ///< the approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
};
Variable gelu(const Variable& x, Gelu form = Gelu::exact);

Variable silu(const Variable& x);  ///< x sigmoid(x)
Variable mish(const Variable& x);  ///< x tanh(softplus(x))
/// x / 6 + 1/2 held within 0..1; at the kinks -3 and 3 the derivative is 0.
Variable hard_sigmoid(const Variable& x);
/// x held within low..high; at the kinks the derivative is 0. Throws ArgumentError unless low <
/// high.
Variable hard_tanh(const Variable& x, double low = -1.0, double high = 1.0);

}  // namespace unroll
