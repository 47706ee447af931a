#pragma once

#include <nn/layers/embedding.hpp>
#include <nn/recurrent/recurrent.hpp>
#include <nn/seq2seq/symbol_batch.hpp>
#include <nn/wrappers/bidirectional.hpp>
#include <nn/wrappers/stacked.hpp>

#include <concepts>
#include <utility>
#include <variant>
#include <vector>

namespace unroll::nn {

/// What an encoder makes of a batch of sequences.
struct Encoded {
  Variable outputs;            ///< [T,B,O], zeros behind the ends
  Variable summary;            ///< [B,N], the final state of the last layer, all of it side by side
  std::vector<Index> lengths;  ///< of each sequence
};

/// An embedding of symbols and the recurrent layers that read it: of one direction, of two, or a
/// stack.
///
///     nn::Encoder encoder(40, nn::Bidirectional(nn::LSTM(16, 32), nn::LSTM(16, 32)));
///     nn::Encoded source = encoder(nn::SymbolBatch::of({{3, 1, 4}, {1, 5}}));
///
/// Parameters: `embedding.weight: [symbols,I]`, and those of the layers behind `rnn.`.
class Encoder : public Module {
 public:
  /// What an encoder runs.
  using Layers = std::variant<Recurrent, Bidirectional, Stacked>;

  /// The embedding is as large as the layers take inputs. Throws ArgumentError for no symbols or a
  /// stack of no layers.
  Encoder(Index symbols, Layers layers);
  template <std::derived_from<Cell> C>
  Encoder(Index symbols, C cell) : Encoder(symbols, Layers(Recurrent(std::move(cell)))) {}

  /// Throws as SymbolBatch::padded does, and as the layers do.
  Encoded operator()(const SymbolBatch& source) const;

  Index symbols() const { return symbols_; }
  Index outputs() const { return outputs_; }            ///< O
  Index summary_size() const { return summary_size_; }  ///< N

 private:
  Index symbols_;
  Embedding embedding_;
  Layers layers_;
  Index outputs_ = 0, summary_size_ = 0;
};

}  // namespace unroll::nn
