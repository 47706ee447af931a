#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/layers/embedding.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of TiedReadout.
struct TiedReadoutOptions {
  bool bias = true;
};

/// The output layer of a language model that shares the matrix of its embedding (Press and Wolf,
/// Using the output embedding to improve language models, 2017):
///
///     logits = h E^T + b
///
/// `h: [...,size]`, result `[...,count]`, for an `Embedding(count, size)` with the weight E. Both
/// uses add to one gradient, which is dense. Parameters `weight: [count,size]`, that of the
/// embedding itself, and `bias: [count]`, zeros at first. A model with both layers lists the shared
/// parameter under both names, `embedding.weight` and `readout.weight`, as PyTorch does, and
/// Module::parameters() once:
///
///     struct Model : nn::Module {
///       nn::Embedding embedding = add("embedding", nn::Embedding(10000, 200));
///       nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::LSTM(200, 200)));
///       nn::TiedReadout readout = add("readout", nn::TiedReadout(embedding));
///     };
class TiedReadout : public Module {
 public:
  explicit TiedReadout(const Embedding& embedding, const TiedReadoutOptions& options = {});

  /// Throws ShapeError for a last axis of another size than the embedding's.
  Variable operator()(const Variable& h) const;

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace unroll::nn
