#pragma once

#include <nn/recurrent/cell.hpp>

#include <optional>

namespace unroll::nn {

/// Options of QRNN.
struct QRNNOptions {
  Index window = 2;  ///< k, the width of the convolution over time
};

/// Quasi-recurrent neural network with fo-pooling (Bradbury, Merity, Xiong and Socher,
/// Quasi-recurrent neural networks, 2016, equations 1 and 4): convolutions over the last k inputs,
/// and a recurrence without weights, so a layer runs all steps as one linear scan.
///
///     z  =    tanh(W_z [x_t, ..., x_{t-k+1}] + b_z)     candidate
///     f  = sigmoid(W_f [x_t, ..., x_{t-k+1}] + b_f)     forget gate
///     o  = sigmoid(W_o [x_t, ..., x_{t-k+1}] + b_o)     output gate
///     c' = f c + (1 - f) z
///     h' = o c'
///
/// x is 0 before the first step. The convolution is part of the cell, and the inputs that it still
/// needs are part of the state: a stream may be cut anywhere, and a convolution over time before
/// the layer is not needed. The paper writes no biases.
///
///     nn::Recurrent rnn(nn::QRNN(64, 128, {.window = 2}));
///     auto [outputs, state] = rnn(x);           // a few operations for all steps
///     auto [more, after] = rnn(next, detach(state));
///
/// State {c: [B,H], [x_t .. x_{t-k+2}]: [B,(k-1) I]}, the second only when k > 1; output h.
/// Parameters, with rows in the order z, f, o: `weight_ih: [3H,I]`, the part of W that reads x_t,
/// `bias: [3H]`, and for k > 1 `weight_past: [3H,(k-1) I]`, that of x_{t-1}, ..., x_{t-k+1}. Drawn
/// as in PyTorch's Conv1d.
class QRNN : public Cell {
 public:
  /// Throws ArgumentError when a size or the window is below 1.
  QRNN(Index inputs, Index hidden, const QRNNOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;

 private:
  Index window_;
  Parameter weight_ih_, bias_;
  std::optional<Parameter> weight_past_;
};

}  // namespace unroll::nn
