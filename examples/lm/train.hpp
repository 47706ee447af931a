#pragma once

#include "settings.hpp"

#include <nn/data/vocabulary.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace lm {

/// How the weights are changed.
struct StepOptions {
  std::string optimizer = "adam";  ///< as make_optimizer reads it
  double learning_rate = 4e-3;
  double weight_decay = 0.0;
  std::string schedule = "cosine";  ///< as LearningRate reads it
  double clip = 1.0;                ///< largest global norm of the gradients; 0: none
  bool sum_over_time = false;       ///< the loss is summed over the steps of a batch, not averaged
  double average = 0.0;             ///< decay of the moving average that is validated; 0: none
};

struct TrainOptions {
  std::vector<std::string> text, valid, test;  ///< files or folders
  double validation = 0.05;                    ///< of the text, where there is no `valid`
  std::string level = "character";             ///< byte, character or word
  Index max_vocabulary = 0;                    ///< 0: as many as there are
  Index min_count = 1;
  bool lower_case = false;
  bool normalise = false;  ///< leave out byte order marks and carriage returns at ends of lines

  std::string model = "lm.safetensors";
  bool overwrite = false;  ///< replace the model in that file and its run
  bool resume = false;     ///< go on with the run
  NetworkOptions network;
  double init_range = 0.0;  ///< all weights uniform over -range..range; 0: the layers' own
  StepOptions step;
  Index batch = 16;  ///< parallel streams
  Index steps = 64;  ///< of truncated backpropagation through time

  // The run ends at the first of these limits that is not 0; without any, after kDefaultEpochs.
  Index epochs = 0;
  Index max_steps = 0;
  double minutes = 0.0;
  std::uint64_t seed = 1;
  Index eval_every = 0;       ///< steps; 0: chosen by the length of the run
  double eval_minutes = 0.0;  ///< validates after this time too; 0: by steps alone
  Index sample_length = 200;  ///< symbols written into the log at each validation
  double save_minutes = 1.0;  ///< between checkpoints, beside those at each validation
  int threads = 0;
  bool quiet = false;
};

/// Trains for about two minutes on two cores and 2 MB of text.
inline constexpr Index kDefaultEpochs = 3;

/// The command `train`. `settings`: what --resume reads, kept in the folder of the run.
void run_train(const TrainOptions& options, const std::string& settings);

}  // namespace lm
