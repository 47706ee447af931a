#pragma once

#include "model.hpp"
#include "progress.hpp"
#include "text.hpp"
#include "train.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace char_lm {

/// The text as numbers.
struct Corpus {
  Vocabulary vocabulary;
  std::vector<std::int32_t> numbers;
  Index validation = 0;  ///< characters at the end that are not trained on
};

/// One run: gradients by truncated backpropagation through time over parallel streams, the state
/// carried on from batch to batch; Adam; the model that validates best is kept in its file.
///
/// A run that has begun loses nothing by what happens around it: signals that ask it to end, a
/// terminal that goes away, a disk that is full for a while.
class Training {
 public:
  /// The first two arguments must outlive the run. `model` is a new one, or with options.resume
  /// that in the file.
  Training(const TrainOptions& options, const Corpus& corpus, Model model);

  /// Prints what is going to be trained, and on what.
  void describe() const;
  /// Trains and saves. Ctrl-C, SIGTERM and SIGHUP end it early but in order. Throws Error when the
  /// loss runs away, and when the model could not be saved in the end.
  void run();
  /// Prints how it went, with a sample of what the saved model writes.
  void report() const;

 private:
  static constexpr Index kUnlimited = std::numeric_limits<Index>::max();

  Index default_eval_every() const;
  double fraction_done() const;
  void set_learning_rate();
  void train_step(Index batch);
  /// Stops at the end of what the loss of a working model can be.
  void check_bits(double bits) const;
  void evaluate_and_save();
  void keep(const std::string& quality);
  bool save();
  void train();
  Status status() const;

  const TrainOptions& options_;
  const Corpus& corpus_;
  std::span<const std::int32_t> validation_;
  Streams streams_;
  Model model_;
  unroll::nn::Adam adam_;
  Index batches_;             // in an epoch
  Index total_ = kUnlimited;  // steps
  Index eval_every_ = 0;

  Progress progress_{stdout};
  unroll::nn::States states_;
  double started_ = 0;
  Index epoch_ = 0, step_ = 0;
  std::optional<unroll::nn::TensorFile> unsaved_;  // what the file should hold and does not yet
  Index characters_ = 0;                           // trained on so far
  double training_seconds_ = 0;
  double smoothed_loss_ = 0, step_seconds_ = 0;
  double gradient_norm_ = 0;
  // Bits per character in validation of the best model of this run and of those it goes on with.
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace char_lm
