#pragma once

#include <autograd/tensor/random.hpp>
#include <nn/seq2seq/attention_decoder.hpp>
#include <nn/seq2seq/encoder.hpp>
#include <nn/seq2seq/search.hpp>

#include <optional>
#include <vector>

namespace unroll::nn {

struct EncoderDecoderOptions {
  /// The decoder's cell starts from tanh(W z + b) of the encoder's summary z (Bahdanau et al.,
  /// 2015, appendix A.2.2, with a bias, and for every part of the state). False: from its own
  /// initial state, as a cell needs whose state is not within -1..1.
  bool bridge = true;
};

/// What the decoder reads of a target.
struct TeacherForcingOptions {
  /// The probability with which a step reads the true symbol before it. Else it reads one drawn
  /// from the model's own prediction, through which no gradient flows: scheduled sampling (Bengio
  /// et al., 2015). Each step of each sequence draws its own. 1 is teacher forcing.
  double truth = 1.0;
};

/// An encoder, and a decoder that attends to its outputs.
///
///     nn::EncoderDecoder model(
///         nn::Encoder(30, nn::Bidirectional(nn::LSTM(16, 32), nn::LSTM(16, 32))),
///         nn::AttentionDecoder(14, nn::GRU(16 + 64, 64), nn::AdditiveAttention(64, 64, 32)),
///         {.start = 0, .end = 1});
///     Variable loss = model.loss(source, target);                       // batches of symbols
///     auto found = model.beam_search(source, {.length_penalty = 0.6});  // [B] lists, best first
///
/// Targets come without start and end; the model adds them. No sequence of a batch, of sources or
/// targets, depends on the others. Parameters: `encoder.*`, `decoder.*`, and `bridge.weight`,
/// `bridge.bias`, unless there is no bridge.
class EncoderDecoder : public Module {
 public:
  struct Result {
    Variable logits;   ///< [T+1,B,V], of each symbol of the target, then of the end
    Variable weights;  ///< [T+1,B,K]: where each step attended
  };

  /// Throws ArgumentError when the decoder does not attend to vectors of the size of the encoder's
  /// outputs, or start or end is no symbol of the decoder.
  EncoderDecoder(const Encoder& encoder, const AttentionDecoder& decoder,
                 const SequenceMarks& marks, const EncoderDecoderOptions& options = {});

  /// Throws ShapeError unless there is a target for each source, ArgumentError for a source without
  /// symbols, a symbol outside the vocabulary, or a probability outside 0..1.
  Result operator()(const SymbolBatch& source, const SymbolBatch& target,
                    const TeacherForcingOptions& options = {},
                    Generator& generator = default_generator()) const;

  /// The mean cross-entropy of all symbols of the targets and their ends, in nats. Throws as above.
  Variable loss(const SymbolBatch& source, const SymbolBatch& target,
                const TeacherForcingOptions& options = {},
                Generator& generator = default_generator()) const;

  /// The most probable translations, symbol by symbol, one for each source.
  std::vector<Hypothesis> greedy_search(const SymbolBatch& source,
                                        const GreedySearchOptions& options = {}) const;
  std::vector<std::vector<Hypothesis>> beam_search(const SymbolBatch& source,
                                                   const BeamSearchOptions& options = {}) const;
  /// For other searches: what the decoder predicts after the start and so on.
  NextSymbols next_symbols(const SymbolBatch& source) const;

  const Encoder& encoder() const { return encoder_; }
  const AttentionDecoder& decoder() const { return decoder_; }

 private:
  struct Start {
    AttentionSource source;
    DecoderState state;
  };
  Start start(const SymbolBatch& source) const;

  Encoder encoder_;
  AttentionDecoder decoder_;
  SequenceMarks marks_;
  std::optional<Linear> bridge_;
};

}  // namespace unroll::nn
