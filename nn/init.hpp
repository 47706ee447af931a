#pragma once

#include <autograd/tensor/random.hpp>

/// Initial values of parameters, float32. All draw from the thread's generator: unroll::seed(n)
/// makes them repeat. A layer draws its parameters when it is made; to choose others, set them by
/// name, before Module::to converts the module:
///
///     nn::Recurrent rnn(nn::LSTM(64, 128));
///     nn::find_parameter(rnn, "weight_hh_l0").set(init::orthogonal({4 * 128, 128}));
///     nn::find_parameter(rnn, "bias_ih_l0").set(init::lstm_forget_bias(128));
///     nn::find_parameter(rnn, "bias_hh_l0").set(zeros({4 * 128}));
///
///     for (auto& [name, parameter] : model.named_parameters())  // or all of a kind
///       if (name.ends_with("weight")) parameter.set(init::he_normal(parameter.shape()));
///
/// `shape` is that of a weight, `[out,in]`, or `[out,in,...]` where the axes behind are positions
/// of a kernel. For P such positions, fan_in = in P and fan_out = out P, as in PyTorch. A matrix
/// whose rows belong to several gates can be drawn gate by gate and concatenated:
/// `concat({init::identity({H, H}), init::identity({H, H})}, 0).value()`.
///
/// Throws ShapeError for a shape of another rank or with a size below 1, ArgumentError for other
/// arguments out of range.
namespace unroll::nn::init {

using unroll::normal;
using unroll::uniform;

/// Uniform over +-1/sqrt(fan_in), the default of PyTorch's Linear and recurrent layers. `weight:
/// [out,in]`.
Tensor pytorch_default(const Shape& shape, Index fan_in);

/// Uniform over +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, Understanding the difficulty of
/// training deep feedforward neural networks, 2010, eq. 16).
Tensor xavier_uniform(const Shape& shape);
/// Normal with the same variance, 2 / (fan_in + fan_out) (the same, eq. 12).
Tensor xavier_normal(const Shape& shape);

/// Normal with variance 2 / ((1 + slope^2) fan_in), which keeps the variance from layer to layer
/// when the activation is relu, or leaky_relu with this slope (He et al., Delving deep into
/// rectifiers, 2015, eq. 15).
Tensor he_normal(const Shape& shape, double slope = 0.0);
/// Uniform with the same variance.
Tensor he_uniform(const Shape& shape, double slope = 0.0);

/// Normal with variance 1 / fan_in (LeCun et al., Efficient backprop, 1998, section 4.6).
Tensor lecun_normal(const Shape& shape);
/// Uniform with the same variance.
Tensor lecun_uniform(const Shape& shape);

/// A matrix `[out,in]` whose rows are orthogonal and of length `gain`; if there are more rows than
/// columns, its columns are (Saxe et al., Exact solutions to the nonlinear dynamics of learning in
/// deep linear neural networks, 2014). All such matrices are equally likely: it is U V^T for the
/// singular value decomposition U S V^T of a normal matrix, whose distribution is that of the Q of
/// a QR decomposition with positive diagonal of R. Further axes count as inputs.
Tensor orthogonal(const Shape& shape, double gain = 1.0);

/// A matrix `[out,in]` with `scale` on its diagonal and zeros elsewhere. As `weight_hh` of an Elman
/// cell with relu and biases 0 it makes the IRNN (Le et al., A simple way to initialize recurrent
/// networks of rectified linear units, 2015).
Tensor identity(const Shape& shape, double scale = 1.0);

/// A matrix `[out,in]` with `nonzeros` normal values at random columns of each row and zeros
/// elsewhere: each unit has that many incoming connections (Martens, Deep learning via Hessian-free
/// optimization, 2010, section 5, with 15). Throws ArgumentError unless 1 <= nonzeros <= in and
/// deviation >= 0.
Tensor sparse(const Shape& shape, Index nonzeros, double deviation = 1.0);

/// `[4H]`, a bias of LSTM, rows in the order i, f, g, o: `value` for the forget gate, 0 for the
/// others (Gers et al., Learning to forget, 2000; Jozefowicz et al., An empirical exploration of
/// recurrent network architectures, 2015, for the value 1). An LSTM adds two biases; set the other
/// to zeros.
Tensor lstm_forget_bias(Index hidden, double value = 1.0);

/// `[4H]`, a bias of LSTM, rows in the order i, f, g, o: log(u) for the forget gate, with u uniform
/// over [1, longest - 1], its negative for the input gate, 0 for the others (Tallec and Ollivier,
/// Can recurrent neural networks warp time?, 2018). The units then remember for 1 to
/// `longest` steps, which should be the range of the dependencies in the data. Set the other bias
/// to zeros. Throws ArgumentError unless 2 <= longest < infinity.
Tensor lstm_chrono_bias(Index hidden, double longest);

}  // namespace unroll::nn::init
