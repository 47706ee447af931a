#pragma once

#include <nn/attention/attention.hpp>
#include <nn/layers/embedding.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/any_cell.hpp>

namespace unroll::nn {

struct AttentionDecoderOptions {
  Index units = 0;  ///< A, of the attentional vector; 0: as many as the cell's outputs
};

/// A decoder's memory of what it has read.
struct DecoderState {
  State cell;
  Variable attentional;  ///< [B,A]

  /// That of a batch that holds the sequences `indices: [n]`, int64, of this one.
  DecoderState sequences(const Tensor& indices) const;
};

/// A cell that reads symbols and attends to a source, after Luong, Pham and Manning, Effective
/// approaches to attention-based neural machine translation, 2015, equations 5 and 6, with the
/// input feeding of section 3.3: each step reads the attentional vector of the step before beside
/// the symbol, so that it knows what was attended to.
///
///     s_t, state_t = cell([e(y_{t-1}), a_{t-1}], state_{t-1})
///     c_t = attention(s_t, source)
///     a_t = tanh(W_c [c_t, s_t])
///     logits_t = W_s a_t + b_s
///
/// e is an embedding, a_0 zeros. Parameters: `embedding.weight: [V,I-A]`, `cell.*`, `attention.*`,
/// `combine.weight: [A,S+O]`, W_c, and `readout.weight: [V,A]`, `readout.bias: [V]`, which the
/// paper has not.
class AttentionDecoder : public Module {
 public:
  /// What a step returns.
  struct Step {
    DecoderState state;
    Variable weights;  ///< [B,K]: where it attended
  };

  /// `symbols`: V. The cell takes I inputs, of which the attentional vector is A and the embedding
  /// the others; its output, O, is the query. Throws ArgumentError when the sizes do not fit.
  AttentionDecoder(Index symbols, AnyCell cell, Any<Attention> attention,
                   const AttentionDecoderOptions& options = {});

  Index symbols() const { return symbols_; }
  const Cell& cell() const { return *cell_; }
  const Attention& attention() const { return *attention_; }

  /// Before the first step; `cell`: the state that the cell starts from.
  DecoderState start(const State& cell) const;
  /// Reads `symbols: [B]`, int64. A cell that prepares for a call (Cell::prepare) must find it in
  /// force, as EncoderDecoder does it.
  Step step(const Tensor& symbols, const DecoderState& state, const AttentionSource& source) const;
  /// Of the symbol to follow: `attentional: [...,A]` to `[...,V]`.
  Variable logits(const Variable& attentional) const;

 private:
  Index symbols_, units_;
  AnyCell cell_;
  Any<Attention> attention_;
  Embedding embedding_;
  Linear combine_, readout_;
};

}  // namespace unroll::nn
