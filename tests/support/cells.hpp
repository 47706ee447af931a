#pragma once

#include <nn/nn.hpp>

#include <functional>
#include <string>
#include <vector>

/// Every cell of nn/cells, for what must hold for all of them.
namespace unroll::testing {

/// ds/dt = tanh(A s + B x) cos(t), with A and B to be learned.
class LearnedSlope : public nn::Module {
 public:
  LearnedSlope(Index inputs, Index units)
      : from_state_(add("state", nn::Linear(units, units))),
        from_input_(add("input", nn::Linear(inputs, units))) {}

  Variable operator()(const Variable& s, const Variable& t, const Variable& x) const {
    return tanh(from_state_(s) + from_input_(x)) * cos(t);
  }

 private:
  nn::Linear from_state_, from_input_;
};

inline constexpr Index kCellInputs = 2;

struct CellCase {
  std::string file;  ///< of nn/cells, without its ending
  /// The cell with so many inputs and hidden units, its weights drawn.
  std::function<nn::AnyCell(Index inputs, Index hidden)> of;

  /// With 2 inputs and 3 units, in float64. Weights are drawn at each call.
  nn::Recurrent make() const {
    nn::Recurrent rnn(of(kCellInputs, 3));
    rnn.to(Dtype::float64);
    return rnn;
  }
};

inline std::vector<CellCase> all_cells() {
  constexpr Index o = 2;
  // Of three elements the variance may come close to the usual epsilon, where differences cannot
  // follow the curvature.
  constexpr double kEpsilon = 1e-2;
  return {
      {"atr", [](Index i, Index h) { return nn::ATR(i, h); }},
      {"cfn", [](Index i, Index h) { return nn::CFN(i, h); }},
      {"clockwork",
       [](Index i, Index h) {
         return nn::ClockworkRNN(i, h,
                                 {.periods = h % 3 == 0 ? std::vector<Index>{1, 2, 3}
                                                        : std::vector<Index>{1, 2, 4, 8}});
       }},
      {"coupled_lstm", [](Index i, Index h) { return nn::CoupledLSTM(i, h); }},
      {"elman", [](Index i, Index h) { return nn::Elman(i, h); }},
      {"euler",
       [](Index i, Index h) { return nn::Euler(i, h, LearnedSlope(i, h), {.step = 0.4}); }},
      {"fixed_context_elman", [](Index i, Index h) { return nn::FixedContextElman(i, h); }},
      {"fully_recurrent", [](Index i, Index h) { return nn::FullyRecurrent(i, h); }},
      {"gru", [](Index i, Index h) { return nn::GRU(i, h); }},
      {"ind_rnn", [](Index i, Index h) { return nn::IndRNN(i, h); }},
      {"janet", [](Index i, Index h) { return nn::JANET(i, h); }},
      {"jordan", [](Index i, Index h) { return nn::Jordan(i, h, o); }},
      {"jordan_1986", [](Index i, Index h) { return nn::Jordan1986(i, h, o); }},
      {"layer_norm_gru",
       [](Index i, Index h) { return nn::LayerNormGRU(i, h, {.epsilon = kEpsilon}); }},
      {"layer_norm_lstm",
       [](Index i, Index h) { return nn::LayerNormLSTM(i, h, {.epsilon = kEpsilon}); }},
      {"lstm", [](Index i, Index h) { return nn::LSTM(i, h); }},
      {"lstm_1997", [](Index i, Index h) { return nn::LSTM1997(i, h); }},
      {"min_gru", [](Index i, Index h) { return nn::MinGRU(i, h); }},
      {"min_lstm", [](Index i, Index h) { return nn::MinLSTM(i, h); }},
      {"minimal_gated_unit", [](Index i, Index h) { return nn::MinimalGatedUnit(i, h); }},
      {"minimal_rnn", [](Index i, Index h) { return nn::MinimalRNN(i, h); }},
      {"multiplicative_lstm", [](Index i, Index h) { return nn::MultiplicativeLSTM(i, h); }},
      {"narx",
       [](Index i, Index h) { return nn::NARX(i, h, o, {.output_delays = 2, .input_delays = 1}); }},
      {"output_to_hidden", [](Index i, Index h) { return nn::OutputToHidden(i, h, o); }},
      {"peephole_lstm", [](Index i, Index h) { return nn::PeepholeLSTM(i, h); }},
      {"projected_lstm", [](Index i, Index h) { return nn::ProjectedLSTM(i, h, (h + 1) / 2); }},
      {"qrnn", [](Index i, Index h) { return nn::QRNN(i, h); }},
      {"ran", [](Index i, Index h) { return nn::RAN(i, h); }},
      {"recurrent_highway",
       [](Index i, Index h) { return nn::RecurrentHighway(i, h, {.depth = 2}); }},
      {"reset_before_gru", [](Index i, Index h) { return nn::ResetBeforeGRU(i, h); }},
      {"slstm", [](Index i, Index h) { return nn::SLSTM(i, h); }},
      {"williams_zipser", [](Index i, Index h) { return nn::WilliamsZipser(i, h); }},
  };
}

}  // namespace unroll::testing
