#include "cells.hpp"

#include "specification.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/nn.hpp>

#include <map>

namespace lm {
namespace {

namespace nn = unroll::nn;
using nn::AnyCell;
using unroll::ArgumentError;
using unroll::Index;

constexpr Index kMaxS5 = 512;
constexpr std::size_t kS5Bytes = 1024;  // for its eigenvectors, times units squared

/// Options of a cell, of which those that size something are bounded.
class CellOptions : public Specification {
 public:
  CellOptions(const std::string& specification, Index most)
      : Specification("--cell", specification), most_(most) {}

  /// That is a dimension of a tensor of the cell.
  Index size(const char* option, Index otherwise) { return bounded(option, otherwise, most_); }
  /// Of steps in a step, heads and the like.
  Index count(const char* option, Index otherwise) { return bounded(option, otherwise, 1024); }
  /// Of rows of a state.
  Index rows(const char* option, Index otherwise) {
    return bounded(option, otherwise, kMaxCellOption);
  }

 private:
  Index bounded(const char* option, Index otherwise, Index most) {
    const Index value = get(option, otherwise);
    if (value != otherwise && value > most)
      refuse(option, fmt::format("a whole number up to {}", most));
    return value;
  }

  Index most_;
};

nn::Activation activation(Specification& o, const char* otherwise) {
  static const std::map<std::string, nn::Activation> all = {
      {"tanh", unroll::tanh}, {"relu", unroll::relu}, {"sigmoid", unroll::sigmoid},
      {"gelu", unroll::gelu}, {"silu", unroll::silu}, {"linear", nn::linear_activation}};
  const auto found = all.find(o.get("activation", std::string(otherwise)));
  if (found == all.end()) o.refuse("activation", "tanh, relu, sigmoid, gelu, silu or linear");
  return found->second;
}

/// Of a cell whose outputs are as many as its inputs.
Index one_size(const Specification& options, Index inputs, Index hidden) {
  if (inputs != hidden)
    throw ArgumentError(
        fmt::format("--cell: {} returns as many values as it reads, so --embedding "
                    "({}) must equal --hidden ({})",
                    options.name(), inputs, hidden));
  return hidden;
}

using Maker = AnyCell (*)(CellOptions& o, Index inputs, Index hidden);

template <class Cell>
AnyCell plain(CellOptions&, Index inputs, Index hidden) {
  return Cell(inputs, hidden);
}

AnyCell reservoir(CellOptions& o, Index i, Index h) {
  return nn::Reservoir(i, h,
                       {.spectral_radius = o.get("spectral_radius", 0.9),
                        .connectivity = o.get("connectivity", 0.1),
                        .leak = o.get("leak", 1.0),
                        .input_scale = o.get("input_scale", 1.0),
                        .bias_scale = o.get("bias_scale", 0.0)});
}

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> all = {
      {"antisymmetric_rnn",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::AntisymmetricRNN(i, h,
                                     {.epsilon = o.get("epsilon", 0.1),
                                      .gamma = o.get("gamma", 0.1),
                                      .gated = o.get("gated", false)});
       }},
      {"atr", plain<nn::ATR>},
      {"cfc",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::CfC(i, h,
                        {.gated = o.get("gated", true),
                         .backbone_units = o.size("backbone_units", Index{0}),
                         .dt = o.get("dt", 1.0)});
       }},
      {"cfn", plain<nn::CFN>},
      {"clockwork",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::ClockworkRNN(i, h,
                                 {.periods = o.get("periods", std::vector<Index>{1, 2, 4, 8}),
                                  .activation = activation(o, "tanh")});
       }},
      {"co_rnn",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::CoRNN(i, h,
                          {.dt = o.get("dt", 0.05),
                           .gamma = o.get("gamma", 1.0),
                           .epsilon = o.get("epsilon", 1.0),
                           .implicit_damping = o.get("implicit_damping", false)});
       }},
      {"coupled_lstm", plain<nn::CoupledLSTM>},
      {"delta_net",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::DeltaNet(i, o.size("keys", h), h);
       }},
      {"elman",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::Elman(i, h, {.activation = activation(o, "tanh")});
       }},
      {"fully_recurrent",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::FullyRecurrent(
             i, h, {.activation = activation(o, "tanh"), .bias = o.get("bias", true)});
       }},
      {"gated_linear_attention",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::GatedLinearAttention(i, o.size("keys", h), h,
                                         {.gate_rank = o.size("gate_rank", Index{16}),
                                          .temperature = o.get("temperature", 16.0)});
       }},
      {"gru", plain<nn::GRU>},
      {"ind_rnn",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::IndRNN(i, h,
                           {.activation = activation(o, "relu"),
                            .min_recurrent = o.get("min_recurrent", 0.0),
                            .max_recurrent = o.get("max_recurrent", 1.0)});
       }},
      {"janet",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::JANET(
             i, h, {.beta = o.get("beta", 1.0), .max_time_scale = o.get("max_time_scale", 0.0)});
       }},
      {"layer_norm_gru",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LayerNormGRU(i, h, {.epsilon = o.get("epsilon", 1e-5)});
       }},
      {"layer_norm_lstm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LayerNormLSTM(i, h, {.epsilon = o.get("epsilon", 1e-5)});
       }},
      {"lem",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LEM(i, h, {.dt = o.get("dt", 1.0)});
       }},
      {"lru",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LRU(i, h,
                        {.r_min = o.get("r_min", 0.0),
                         .r_max = o.get("r_max", 1.0),
                         .max_phase = o.get("max_phase", 6.28)});
       }},
      {"lstm", plain<nn::LSTM>},
      {"lstm_1997",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LSTM1997(i, h, {.paper_squashing = o.get("paper_squashing", false)});
       }},
      {"ltc",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::LTC(i, h, {.unfold = o.count("unfold", Index{6}), .dt = o.get("dt", 1.0)});
       }},
      {"mamba",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::SelectiveSSM(one_size(o, i, h), {.state = o.size("state", Index{16}),
                                                     .rank = o.size("rank", Index{0}),
                                                     .min_delta = o.get("min_delta", 1e-3),
                                                     .max_delta = o.get("max_delta", 0.1)});
       }},
      {"matrix_lstm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::MLSTM(i, h, {.exponential_forget = o.get("exponential_forget", false)});
       }},
      {"min_gru", plain<nn::MinGRU>},
      {"min_lstm", plain<nn::MinLSTM>},
      {"minimal_gated_unit", plain<nn::MinimalGatedUnit>},
      {"minimal_rnn", plain<nn::MinimalRNN>},
      {"multiplicative_lstm", plain<nn::MultiplicativeLSTM>},
      {"ntm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::NTM(i, h,
                        {.slots = o.rows("slots", Index{128}),
                         .width = o.size("width", Index{20}),
                         .read_heads = o.count("read_heads", Index{1}),
                         .write_heads = o.count("write_heads", Index{1}),
                         .max_shift = o.count("max_shift", Index{1}),
                         .learned_memory = o.get("learned_memory", false)});
       }},
      {"peephole_lstm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::PeepholeLSTM(i, h, {.squash_output = o.get("squash_output", true)});
       }},
      {"projected_lstm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::ProjectedLSTM(i, o.size("cells", 2 * h), h);
       }},
      {"qrnn",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::QRNN(i, h, {.window = o.count("window", Index{2})});
       }},
      {"ran",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::RAN(i, h, {.activation = activation(o, "tanh")});
       }},
      {"recurrent_highway",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::RecurrentHighway(i, h,
                                     {.depth = o.count("depth", Index{3}),
                                      .transform_bias = o.get("transform_bias", -2.0)});
       }},
      {"reservoir", reservoir},
      {"reset_before_gru", plain<nn::ResetBeforeGRU>},
      {"rg_lru",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::RGLRU(one_size(o, i, h), {.c = o.get("c", 8.0),
                                              .min_decay = o.get("min_decay", 0.9),
                                              .max_decay = o.get("max_decay", 0.999)});
       }},
      {"rwkv4", plain<nn::RWKV4>},
      {"s5",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         if (h > kMaxS5)
           throw ArgumentError(
               fmt::format("--cell: s5 has at most {} units, got {}: it takes the eigenvectors of "
                           "a matrix of 4 times as many rows",
                           kMaxS5, h));
         return nn::S5(
             i, h, {.min_delta = o.get("min_delta", 1e-3), .max_delta = o.get("max_delta", 0.1)});
       }},
      {"slstm",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::SLSTM(i, h,
                          {.exponential_forget = o.get("exponential_forget", false),
                           .heads = o.count("heads", Index{1})});
       }},
      {"sru",
       [](CellOptions& o, Index i, Index h) -> AnyCell {
         return nn::SRU(i, h,
                        {.highway_bias = o.get("highway_bias", 0.0),
                         .scaled_highway = o.get("scaled_highway", false)});
       }},
  };
  return all;
}

}  // namespace

AnyCell make_cell(const std::string& specification, Index inputs, Index hidden, Index most_size) {
  CellOptions options(specification, most_size);
  const auto maker = makers().find(options.name());
  if (maker == makers().end()) options.refuse_name("cell", cell_names());
  AnyCell cell = maker->second(options, inputs, hidden);
  options.check_all_known();
  return cell;
}

std::size_t making_bytes(const std::string& specification, Index hidden) {
  const bool s5 = Specification("--cell", specification).name() == "s5";
  return s5 ? kS5Bytes * static_cast<std::size_t>(hidden * hidden) : 0;
}

std::vector<std::string> cell_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  return names;
}

}  // namespace lm
