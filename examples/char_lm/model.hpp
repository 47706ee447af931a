#pragma once

#include "text.hpp"

#include <nn/nn.hpp>

#include <map>
#include <string>
#include <vector>

namespace char_lm {

struct NetworkOptions {
  std::string cell = "lstm";  ///< lstm, gru or elman
  Index layers = 1;
  Index hidden = 256;
  Index embedding = 64;
  double dropout = 0.0;  ///< between layers and before the readout
};

// Bounds of the options, for the command line as for model files.
inline constexpr Index kMaxLayers = 64;
inline constexpr Index kMaxSize = 16384;

/// Predicts the next character: an embedding, recurrent layers, a linear readout.
class Model : public unroll::nn::Module {
 public:
  Model(Vocabulary vocabulary, const NetworkOptions& options);

  struct Result {
    unroll::Variable logits;    ///< [T,B,V]
    unroll::nn::States states;  ///< of each layer after the last step
  };
  /// `inputs: [T,B]`, numbers of characters; `states`: those of the batch before, or empty.
  Result operator()(const unroll::Tensor& inputs, const unroll::nn::States& states = {}) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const NetworkOptions& options() const { return options_; }
  /// Batches that a loaded model was trained on; 0 for a new one.
  Index steps() const { return steps_; }

  /// What a model file holds: the weights, the options and the vocabulary; `notes`, such as "step",
  /// are added to its metadata.
  unroll::nn::TensorFile file(std::map<std::string, std::string> notes) const;
  /// Throws FormatError, saying what is wrong, for a file that holds something else.
  static Model load(const std::string& path);

 private:
  class Loader;

  Vocabulary vocabulary_;
  NetworkOptions options_;
  Index steps_ = 0;
  unroll::nn::Embedding embedding_;
  unroll::nn::Stacked rnn_;
  unroll::nn::Dropout dropout_;
  unroll::nn::Linear readout_;
};

}  // namespace char_lm
