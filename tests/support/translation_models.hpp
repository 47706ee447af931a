#pragma once

#include <nn/nn.hpp>

#include <utility>
#include <vector>

/// Small encoder-decoders, and sequences of unequal length for them.
namespace unroll::testing {

inline constexpr Index kSourceSymbols = 5, kTargetSymbols = 4;
inline constexpr nn::SequenceMarks kMarks{.start = 0, .end = 3};

using Sequences = std::vector<std::vector<Index>>;

inline const Sequences kSources{{1, 4, 2}, {3}, {0, 2}};
inline const Sequences kTargets{{2, 1}, {1, 2, 2}, {}};

/// A model in float64 of the encoder's layers, which return 4 outputs, and a GRU.
inline nn::EncoderDecoder model_of(nn::Encoder::Layers layers,
                                   const nn::EncoderDecoderOptions& options = {}) {
  nn::EncoderDecoder model(nn::Encoder(kSourceSymbols, std::move(layers)),
                           nn::AttentionDecoder(kTargetSymbols, nn::GRU(2 + 2, 3),
                                                nn::AdditiveAttention(3, 4, 2), {.units = 2}),
                           kMarks, options);
  model.to(Dtype::float64);
  return model;
}

inline nn::Bidirectional two_ways(Index inputs = 2) {
  return nn::Bidirectional(nn::LSTM(inputs, 2), nn::GRU(inputs, 2));
}

inline std::vector<nn::EncoderDecoder> all_models() {
  seed(11);
  nn::Stacked stack(two_ways(), nn::LSTM(4, 4));
  return {model_of(nn::Recurrent(nn::LSTM(2, 4))), model_of(two_ways()), model_of(stack),
          model_of(nn::Recurrent(nn::MinGRU(2, 4)), {.bridge = false})};
}

}  // namespace unroll::testing
