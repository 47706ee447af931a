#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of MLSTM.
struct MLSTMOptions {
  bool exponential_forget = false;  ///< f = exp(.) in place of sigmoid(.)
};

/// mLSTM (Beck et al., xLSTM: Extended long short-term memory, 2024, section 2.3), one head: an
/// LSTM whose cell state is a matrix that stores key-value pairs, with exponential gates.
///
///     q = W_q x + b_q,   k = (W_k x + b_k) / sqrt(D),   v = W_v x + b_v
///     i = exp(w_i x + b_i)                              input gate, one for all units
///     f = sigmoid(w_f x + b_f), or exp of it            forget gate, one for all units
///     o = sigmoid(W_o x + b_o)                          output gate
///     C' = f C + i v k^T,   n' = f n + i k              equations 19 and 20
///     h' = o C' q / max(|n'^T q|, 1)                    equation 21
///
/// The paper divides by sqrt(D) before it adds b_k, which is the same up to the scale of b_k. The
/// gates may overflow, so the cell keeps C exp(-m) and n exp(-m) with the stabiliser state m of
/// equation 15, m' = max(log f + m, log i), which leaves h' as it is.
///
/// State {C: [B,D,D], n: [B,D], m: [B,1]}. It begins with C = n = 0 and m = -1e30, the logarithm of
/// nothing stored. Output h: [B,D]. Parameters `input.weight: [4D+2,I]` and `input.bias: [4D+2]`,
/// drawn as in PyTorch's Linear, with rows in the order q, k, v, o, i, f. No gate reads the output,
/// so all products with weights are computed for many steps at once, and a layer runs all steps in
/// chunks (memory_scan). The convolution, the group normalisation and the projections of the
/// paper's mLSTM block are layers of their own.
class MLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  MLSTM(Index inputs, Index units, const MLSTMOptions& options = {});

  State initial_state(Index batch, Dtype dtype) const override;
  Variable project(const Variable& x) const override { return input_(x); }
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;
  Index outputs() const override { return units_; }

 private:
  Index units_;
  MLSTMOptions options_;
  Linear input_;
};

}  // namespace unroll::nn
