#pragma once

#include <nn/nn.hpp>

#include <functional>
#include <string>
#include <vector>

#include "tasks.hpp"

namespace long_memory {

namespace nn = unroll::nn;
using unroll::Variable;

/// A recurrent layer with a linear readout.
class Net : public nn::Module {
 public:
  /// `cell`: LSTM, GRU or MinGRU. The units remember over lags of 1 to `memory` steps at first: log
  /// u, u uniform over 1..memory, is added to the bias of the gate that keeps the state and taken
  /// from that of an input gate (Tallec and Ollivier, Can recurrent neural networks warp time?,
  /// 2018). Throws ArgumentError for another cell.
  Net(const std::string& cell, Index inputs, Index hidden, Index outputs, Index memory);

  /// The readout of every step, `[T,B,O]`, and the state at the end.
  nn::Sequence operator()(const Batch& batch, const nn::State& state = {}) const;

 private:
  nn::Recurrent rnn_;
  nn::Linear readout_;
};

/// What is learned, how long, and how its error is measured.
struct Training {
  std::string cell = "LSTM";
  Index hidden = 64;
  Index memory = 20;                      ///< of Net
  std::function<Batch(Generator&)> next;  ///< a batch to learn from
  std::function<Batch(Generator&)> test;  ///< one to measure the error on
  double (*error)(const Variable& outputs, const Batch& batch) = nullptr;
  double solved = 0.0;          ///< at this error, or below
  bool stops = true;            ///< when it is solved
  bool carries_state = false;   ///< from batch to batch
  double learning_rate = 3e-3;  ///< at first; it falls to a tenth
  Index updates = 1000, between_tests = 100;
};

struct Run {
  Net net;
  std::vector<double> sequences, errors;  ///< learned from so far, and the error then
  double solved_after = -1.0;             ///< sequences; negative when it was not solved
};

Run train(const Training& training, std::uint64_t seed);

/// Mean squared error of the numbers wanted.
double squared_error(const Variable& outputs, const Batch& batch);
/// Cross-entropy of the classes wanted, in nats.
double class_entropy(const Variable& outputs, const Batch& batch);
/// Fraction of the classes wanted that are not the largest output.
double wrong_classes(const Variable& outputs, const Batch& batch);
/// Fraction of steps at which some symbol that may not come next has a larger output than one that
/// may: the criterion of Hochreiter and Schmidhuber (1997) for Reber's grammar.
double wrong_predictions(const Variable& outputs, const Batch& batch);
/// Fraction of sequences with a step at which the positive outputs are not just those of the
/// symbols that may come next.
double wrong_sequences(const Variable& outputs, const Batch& batch);

/// The largest N up to `longest` for which the net accepts `letters` n times each, for all n <= N.
Index counts_up_to(const Net& net, const std::string& letters, Index longest);

}  // namespace long_memory
