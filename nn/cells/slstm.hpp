#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct SLSTMOptions {
  /// f = exp(.) in place of sigmoid(.). Where f stays above 1, m grows with the length of the
  /// sequence and float32 keeps fewer digits of the gates.
  bool exponential_forget = false;
  Index heads = 1;  ///< divides H; the heads do not read each other's state
};

/// sLSTM (Beck et al., xLSTM: Extended long short-term memory, 2024, section 2.2): an LSTM with an
/// exponential input gate, which lets a step outweigh everything stored before, and a normaliser
/// state, which makes the output a weighted mean of the candidates.
///
///     i = exp(W_ii x + W_hi h + b_i)                         input gate
///     f = sigmoid(W_if x + W_hf h + b_f), or exp of it       forget gate
///     z = tanh(W_iz x + W_hz h + b_z)                        candidate
///     o = sigmoid(W_io x + W_ho h + b_o)                     output gate
///     C' = f C + i z,   N' = f N + i,   h' = o C' / N'       equations 8 to 14
///
/// The gates may overflow, so the cell keeps c = C exp(-m) and n = N exp(-m) with a stabiliser
/// state m, which leaves h' as it is:
///
///     m' = max(log f + m, log i)                             equations 15 to 17
///     c' = exp(log f + m - m') c + exp(log i - m') z
///     n' = exp(log f + m - m') n + exp(log i - m'),   h' = o c' / n'
///
/// State {h: [B,H], c: [B,H], n: [B,H], m: [B,H]}. It begins with c = n = 0 and m = -1e30, which
/// stands for log 0. A state of your own with n = 0 needs that m too: with m = 0 a small first
/// input gate underflows, and the output is 0 / 0.
///
/// Parameters, uniform over +-1/sqrt(H) at first: `weight_ih: [4H,I]`, `weight_hh: [4H,H/heads]`,
/// `bias: [4H]`, with the rows of each head together, in the order i, f, z, o. The recurrent
/// matrix of a gate is thus block-diagonal, with a block for each head. The group normalisation and
/// the projections of the paper's sLSTM block are layers of their own.
class SLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or the heads do not divide H.
  SLSTM(Index inputs, Index hidden, const SLSTMOptions& options = {});

  State initial_state(Index batch, Dtype dtype) const override;
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Variable sums(const Variable& x, const Variable& h) const;

  SLSTMOptions options_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
