#pragma once

#include "corpus.hpp"
#include "model.hpp"
#include "optimization.hpp"
#include "progress.hpp"
#include "run_history.hpp"
#include "train.hpp"

#include <nn/data/token_streams.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/checkpoint_folder.hpp>
#include <nn/training/run_log.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lm {

/// The folder beside a model file in which its run is kept: settings, checkpoints, log.
std::string run_folder(const std::string& model);

/// One run: gradients by truncated backpropagation through time over parallel streams, the state
/// carried on from batch to batch; the model that validates best is kept in its file. Checkpoints
/// go to the run's folder: a run that is resumed ends with the model of one that was never
/// interrupted, bit for bit, unless its length is a time.
///
/// A run that has begun loses nothing by what happens around it: signals that ask it to end, a
/// terminal that goes away, a disk that is full for a while.
class Training {
 public:
  /// The first two arguments must outlive the run.
  Training(const TrainOptions& options, const Corpus& corpus, Model model);

  /// Prints what is going to be trained, and on what.
  void describe() const;
  /// Trains and saves. Ctrl-C, SIGTERM and SIGHUP end it early but in order. Throws Error when the
  /// loss runs away, and when the model could not be saved in the end.
  void run();
  /// Prints how it went.
  void report() const;

 private:
  void resume();
  Index default_eval_every() const;
  double fraction_done() const;
  double elapsed() const;
  void set_learning_rate();
  void train_step();
  void open_log();
  void log(const unroll::nn::RunValues& values);
  /// Writes a text with the model into the log.
  void log_sample(const Model& model);
  void draw_curves();
  void next_epoch();
  /// Stops at the end of what the loss of a working model can be.
  void check_nats(double nats) const;
  void validate();
  /// Measures this copy of the model and keeps it if it is the best so far.
  void validate(const Model& judged);
  void keep(const Model& model, const std::string& quality);
  /// Gives a copy of the model the averaged weights.
  void set_averages(Model& model) const;
  bool save();
  void checkpoint();
  void train();
  Status status() const;

  const TrainOptions& options_;
  const Corpus& corpus_;
  Model model_;
  unroll::nn::TokenStreams streams_;
  std::optional<unroll::nn::TokenStreams> validation_;
  std::unique_ptr<unroll::nn::Optimizer> optimizer_;
  std::optional<unroll::nn::AveragedWeights> average_;
  double steps_per_epoch_;
  double total_ = std::numeric_limits<double>::infinity();  // steps
  std::optional<LearningRate> rate_;
  Index eval_every_ = 0;

  // What a checkpoint holds beside the model and the optimizer.
  unroll::nn::States states_;
  std::int64_t epoch_ = 1, step_ = 0, tokens_ = 0;
  std::int64_t validated_step_ = -1;
  double seconds_ = 0;  // of training, before this process
  double smoothed_loss_ = 0;
  // Nats per symbol in validation of the best model so far.
  double best_ = std::numeric_limits<double>::infinity();
  unroll::nn::Checkpoint checkpoint_;

  unroll::nn::CheckpointFolder folder_;
  std::optional<unroll::nn::RunLog> log_;  // none when it could not be written
  RunHistory history_;                     // of the log
  Progress progress_;
  double started_ = 0, saved_ = 0, validated_ = 0;  // times
  double step_seconds_ = 0;
  double gradient_norm_ = 0;
  std::optional<unroll::nn::TensorFile> unsaved_;  // what the file should hold and does not yet
};

}  // namespace lm
