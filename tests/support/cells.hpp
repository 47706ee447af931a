#pragma once

#include <nn/nn.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "support/mapped_inputs.hpp"

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

/// A case for every file of nn/cells.
inline std::vector<CellCase> listed_cells() {
  constexpr Index o = 2;
  // Of three elements the variance may come close to the usual epsilon, where differences cannot
  // follow the curvature.
  constexpr double kEpsilon = 1e-2;
  return {
      {"antisymmetric_rnn", [](Index i, Index h) { return nn::AntisymmetricRNN(i, h); }},
      {"atr", [](Index i, Index h) { return nn::ATR(i, h); }},
      {"cfc", [](Index i, Index h) { return nn::CfC(i, h); }},
      {"cfn", [](Index i, Index h) { return nn::CFN(i, h); }},
      {"clockwork",
       [](Index i, Index h) {
         return nn::ClockworkRNN(i, h,
                                 {.periods = h % 3 == 0 ? std::vector<Index>{1, 2, 3}
                                                        : std::vector<Index>{1, 2, 4, 8}});
       }},
      {"co_rnn", [](Index i, Index h) { return nn::CoRNN(i, h); }},
      {"conv_lstm", [](Index i, Index) { return nn::ConvLSTM(1, 1, i); }},
      {"coupled_lstm", [](Index i, Index h) { return nn::CoupledLSTM(i, h); }},
      {"delta_net", [](Index i, Index h) { return nn::DeltaNet(i, h, h); }},
      {"elman", [](Index i, Index h) { return nn::Elman(i, h); }},
      {"euler",
       [](Index i, Index h) { return nn::Euler(i, h, LearnedSlope(i, h), {.step = 0.4}); }},
      {"fixed_context_elman", [](Index i, Index h) { return nn::FixedContextElman(i, h); }},
      {"fully_recurrent", [](Index i, Index h) { return nn::FullyRecurrent(i, h); }},
      {"gated_linear_attention",
       [](Index i, Index h) { return nn::GatedLinearAttention(i, h, h); }},
      {"gru", [](Index i, Index h) { return nn::GRU(i, h); }},
      {"gru_d", [](Index i, Index h) { return MappedInputs(nn::GRUD(1, h), i, as_observations); }},
      {"ind_rnn", [](Index i, Index h) { return nn::IndRNN(i, h); }},
      {"janet", [](Index i, Index h) { return nn::JANET(i, h); }},
      {"jordan", [](Index i, Index h) { return nn::Jordan(i, h, o); }},
      {"jordan_1986", [](Index i, Index h) { return nn::Jordan1986(i, h, o); }},
      {"layer_norm_gru",
       [](Index i, Index h) { return nn::LayerNormGRU(i, h, {.epsilon = kEpsilon}); }},
      {"layer_norm_lstm",
       [](Index i, Index h) { return nn::LayerNormLSTM(i, h, {.epsilon = kEpsilon}); }},
      {"lem", [](Index i, Index h) { return nn::LEM(i, h); }},
      {"lru", [](Index i, Index h) { return nn::LRU(i, h); }},
      {"lstm", [](Index i, Index h) { return nn::LSTM(i, h); }},
      {"lstm_1997", [](Index i, Index h) { return nn::LSTM1997(i, h); }},
      {"ltc", [](Index i, Index h) { return nn::LTC(i, h); }},
      {"mamba", [](Index i, Index) { return nn::SelectiveSSM(i); }},
      {"matrix_lstm", [](Index i, Index h) { return nn::MLSTM(i, h); }},
      {"min_gru", [](Index i, Index h) { return nn::MinGRU(i, h); }},
      {"min_lstm", [](Index i, Index h) { return nn::MinLSTM(i, h); }},
      {"minimal_gated_unit", [](Index i, Index h) { return nn::MinimalGatedUnit(i, h); }},
      {"minimal_rnn", [](Index i, Index h) { return nn::MinimalRNN(i, h); }},
      {"multiplicative_lstm", [](Index i, Index h) { return nn::MultiplicativeLSTM(i, h); }},
      {"narx",
       [](Index i, Index h) { return nn::NARX(i, h, o, {.output_delays = 2, .input_delays = 1}); }},
      {"ntm", [](Index i, Index h) { return nn::NTM(i, h, {.slots = h + 2, .width = h}); }},
      {"output_to_hidden", [](Index i, Index h) { return nn::OutputToHidden(i, h, o); }},
      {"peephole_lstm", [](Index i, Index h) { return nn::PeepholeLSTM(i, h); }},
      {"projected_lstm", [](Index i, Index h) { return nn::ProjectedLSTM(i, h, (h + 1) / 2); }},
      {"qrnn", [](Index i, Index h) { return nn::QRNN(i, h); }},
      {"ran", [](Index i, Index h) { return nn::RAN(i, h); }},
      {"recurrent_highway",
       [](Index i, Index h) { return nn::RecurrentHighway(i, h, {.depth = 2}); }},
      {"reservoir", [](Index i, Index h) { return nn::Reservoir(i, h); }},
      {"reset_before_gru", [](Index i, Index h) { return nn::ResetBeforeGRU(i, h); }},
      {"rg_lru", [](Index i, Index) { return nn::RGLRU(i); }},
      {"rwkv4", [](Index i, Index h) { return nn::RWKV4(i, h); }},
      {"s5", [](Index i, Index h) { return nn::S5(i, h); }},
      {"slstm", [](Index i, Index h) { return nn::SLSTM(i, h); }},
      {"sru", [](Index i, Index h) { return nn::SRU(i, h); }},
      {"williams_zipser", [](Index i, Index h) { return nn::WilliamsZipser(i, h); }},
  };
}

/// What loops over all cells tries: under AddressSanitizer, where that takes ten times as long,
/// every fourth.
inline std::vector<CellCase> all_cells() {
  std::vector<CellCase> cells = listed_cells();
#ifdef __SANITIZE_ADDRESS__
  std::vector<CellCase> some;
  for (std::size_t k = 0; k < cells.size(); k += 4) some.push_back(cells[k]);
  cells = some;
#endif
  return cells;
}

}  // namespace unroll::testing
