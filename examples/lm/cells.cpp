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

using Maker = AnyCell (*)(Specification& o, Index inputs, Index hidden);

template <class Cell>
AnyCell plain(Specification&, Index inputs, Index hidden) {
  return Cell(inputs, hidden);
}

AnyCell reservoir(Specification& o, Index i, Index h) {
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
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::AntisymmetricRNN(i, h,
                                     {.epsilon = o.get("epsilon", 0.1),
                                      .gamma = o.get("gamma", 0.1),
                                      .gated = o.get("gated", false)});
       }},
      {"atr", plain<nn::ATR>},
      {"cfc",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::CfC(i, h,
                        {.gated = o.get("gated", true),
                         .backbone_units = o.get("backbone_units", Index{0}),
                         .dt = o.get("dt", 1.0)});
       }},
      {"cfn", plain<nn::CFN>},
      {"clockwork",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::ClockworkRNN(i, h,
                                 {.periods = o.get("periods", std::vector<Index>{1, 2, 4, 8}),
                                  .activation = activation(o, "tanh")});
       }},
      {"co_rnn",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::CoRNN(i, h,
                          {.dt = o.get("dt", 0.05),
                           .gamma = o.get("gamma", 1.0),
                           .epsilon = o.get("epsilon", 1.0),
                           .implicit_damping = o.get("implicit_damping", false)});
       }},
      {"coupled_lstm", plain<nn::CoupledLSTM>},
      {"delta_net",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::DeltaNet(i, o.get("keys", h), h);
       }},
      {"elman",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::Elman(i, h, {.activation = activation(o, "tanh")});
       }},
      {"fully_recurrent",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::FullyRecurrent(
             i, h, {.activation = activation(o, "tanh"), .bias = o.get("bias", true)});
       }},
      {"gated_linear_attention",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::GatedLinearAttention(i, o.get("keys", h), h,
                                         {.gate_rank = o.get("gate_rank", Index{16}),
                                          .temperature = o.get("temperature", 16.0)});
       }},
      {"gru", plain<nn::GRU>},
      {"ind_rnn",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::IndRNN(i, h,
                           {.activation = activation(o, "relu"),
                            .min_recurrent = o.get("min_recurrent", 0.0),
                            .max_recurrent = o.get("max_recurrent", 1.0)});
       }},
      {"janet",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::JANET(
             i, h, {.beta = o.get("beta", 1.0), .max_time_scale = o.get("max_time_scale", 0.0)});
       }},
      {"layer_norm_gru",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LayerNormGRU(i, h, {.epsilon = o.get("epsilon", 1e-5)});
       }},
      {"layer_norm_lstm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LayerNormLSTM(i, h, {.epsilon = o.get("epsilon", 1e-5)});
       }},
      {"lem",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LEM(i, h, {.dt = o.get("dt", 1.0)});
       }},
      {"lru",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LRU(i, h,
                        {.r_min = o.get("r_min", 0.0),
                         .r_max = o.get("r_max", 1.0),
                         .max_phase = o.get("max_phase", 6.28)});
       }},
      {"lstm", plain<nn::LSTM>},
      {"lstm_1997",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LSTM1997(i, h, {.paper_squashing = o.get("paper_squashing", false)});
       }},
      {"ltc",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::LTC(i, h, {.unfold = o.get("unfold", Index{6}), .dt = o.get("dt", 1.0)});
       }},
      {"mamba",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::SelectiveSSM(one_size(o, i, h), {.state = o.get("state", Index{16}),
                                                     .rank = o.get("rank", Index{0}),
                                                     .min_delta = o.get("min_delta", 1e-3),
                                                     .max_delta = o.get("max_delta", 0.1)});
       }},
      {"matrix_lstm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::MLSTM(i, h, {.exponential_forget = o.get("exponential_forget", false)});
       }},
      {"min_gru", plain<nn::MinGRU>},
      {"min_lstm", plain<nn::MinLSTM>},
      {"minimal_gated_unit", plain<nn::MinimalGatedUnit>},
      {"minimal_rnn", plain<nn::MinimalRNN>},
      {"multiplicative_lstm", plain<nn::MultiplicativeLSTM>},
      {"ntm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::NTM(i, h,
                        {.slots = o.get("slots", Index{128}),
                         .width = o.get("width", Index{20}),
                         .read_heads = o.get("read_heads", Index{1}),
                         .write_heads = o.get("write_heads", Index{1}),
                         .max_shift = o.get("max_shift", Index{1}),
                         .learned_memory = o.get("learned_memory", false)});
       }},
      {"peephole_lstm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::PeepholeLSTM(i, h, {.squash_output = o.get("squash_output", true)});
       }},
      {"projected_lstm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::ProjectedLSTM(i, o.get("cells", 2 * h), h);
       }},
      {"qrnn",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::QRNN(i, h, {.window = o.get("window", Index{2})});
       }},
      {"ran",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::RAN(i, h, {.activation = activation(o, "tanh")});
       }},
      {"recurrent_highway",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::RecurrentHighway(
             i, h,
             {.depth = o.get("depth", Index{3}), .transform_bias = o.get("transform_bias", -2.0)});
       }},
      {"reservoir", reservoir},
      {"reset_before_gru", plain<nn::ResetBeforeGRU>},
      {"rg_lru",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::RGLRU(one_size(o, i, h), {.c = o.get("c", 8.0),
                                              .min_decay = o.get("min_decay", 0.9),
                                              .max_decay = o.get("max_decay", 0.999)});
       }},
      {"rwkv4", plain<nn::RWKV4>},
      {"s5",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::S5(
             i, h, {.min_delta = o.get("min_delta", 1e-3), .max_delta = o.get("max_delta", 0.1)});
       }},
      {"slstm",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::SLSTM(i, h,
                          {.exponential_forget = o.get("exponential_forget", false),
                           .heads = o.get("heads", Index{1})});
       }},
      {"sru",
       [](Specification& o, Index i, Index h) -> AnyCell {
         return nn::SRU(i, h,
                        {.highway_bias = o.get("highway_bias", 0.0),
                         .scaled_highway = o.get("scaled_highway", false)});
       }},
  };
  return all;
}

}  // namespace

AnyCell make_cell(const std::string& specification, Index inputs, Index hidden) {
  Specification options("--cell", specification);
  const auto maker = makers().find(options.name());
  if (maker == makers().end()) options.refuse_name("cell", cell_names());
  AnyCell cell = maker->second(options, inputs, hidden);
  options.check_all_known();
  return cell;
}

std::vector<std::string> cell_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  return names;
}

}  // namespace lm
