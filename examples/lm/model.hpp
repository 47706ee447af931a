#pragma once

#include "settings.hpp"

#include <nn/nn.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace lm {

/// Predicts the next symbol: an embedding, recurrent layers, a readout.
class Model : public unroll::nn::Module {
 public:
  /// Throws ArgumentError for options that exclude each other, and for a network that takes more
  /// than a quarter of the memory that is available (a training step needs the weights, their
  /// gradients and two averages) or has a state of more than kMaxState values a layer.
  Model(unroll::nn::Vocabulary vocabulary, const NetworkOptions& options);
  struct Limits {
    std::size_t bytes = 0;  ///< that making the network may take
    Index size = 0;         ///< of an option of the cell that is a dimension of a tensor
  };
  Model(unroll::nn::Vocabulary vocabulary, const NetworkOptions& options, const Limits& limits);

  struct Hidden {
    unroll::Variable outputs;   ///< [T,B,H] of the last layer
    unroll::nn::States states;  ///< of each layer after the last step
  };
  /// `inputs: [T,B]`, numbers of symbols; `states`: those of the batch before, or empty.
  Hidden hidden(const unroll::Tensor& inputs, const unroll::nn::States& states = {}) const;
  /// Of the next symbol, `[...,V]`: logits, which with an adaptive softmax are log-probabilities.
  unroll::Variable logits(const unroll::Variable& outputs) const;
  /// The mean of -log p over the targets, `[T,B]`. With an adaptive softmax much less work than
  /// through logits().
  unroll::Variable loss(const unroll::Variable& outputs, const unroll::Tensor& targets) const;

  struct Result {
    unroll::Variable logits;
    unroll::nn::States states;
  };
  Result operator()(const unroll::Tensor& inputs, const unroll::nn::States& states = {}) const;

  const unroll::nn::Vocabulary& vocabulary() const { return vocabulary_; }
  const NetworkOptions& options() const { return options_; }
  /// What the model file said beside what makes the model: `step`, `seed`, the validation.
  const std::map<std::string, std::string>& notes() const { return notes_; }

  /// What a model file holds: the weights, the options and the vocabulary; `notes`, such as "step",
  /// are added to its metadata.
  unroll::nn::TensorFile file(std::map<std::string, std::string> notes) const;
  /// Throws FormatError, saying what is wrong, for a file that holds something else. What a file
  /// claims takes no more memory than a multiple of what it holds.
  static Model load(const std::string& path);

 private:
  Model(unroll::nn::Vocabulary vocabulary, const NetworkOptions& options, Index most_size,
        const unroll::memory::Limit& while_made);

  unroll::nn::Vocabulary vocabulary_;
  NetworkOptions options_;
  std::map<std::string, std::string> notes_;
  unroll::nn::Embedding embedding_;
  unroll::nn::Stacked rnn_;
  unroll::nn::Dropout dropout_;
  // One of them.
  std::optional<unroll::nn::Linear> readout_;
  std::optional<unroll::nn::TiedReadout> tied_readout_;
  std::optional<unroll::nn::AdaptiveSoftmax> softmax_;
};

}  // namespace lm
