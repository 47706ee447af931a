#pragma once

#include "model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace char_lm {

struct TrainOptions {
  std::vector<std::string> text;
  std::string model = "char_lm.safetensors";
  bool overwrite = false;  ///< replace the model in that file
  bool resume = false;     ///< go on with it; `network` is not used then
  NetworkOptions network;
  Index batch = 32;  ///< parallel streams
  Index steps = 64;  ///< of truncated backpropagation through time
  /// The run ends at the first of these limits that is set; without any, after kDefaultEpochs.
  std::optional<Index> epochs;
  std::optional<Index> max_steps;
  std::optional<double> minutes;
  double learning_rate = 4e-3;
  double clip = 1.0;
  double validation = 0.05;
  std::uint64_t seed = 1;
  Index eval_every = 0;  ///< steps; 0: chosen by the length of the run
  int threads = 0;
};

/// Trains for about two minutes on two cores and 2 MB of text.
inline constexpr Index kDefaultEpochs = 3;

/// The command `train`.
void run_train(const TrainOptions& options);

}  // namespace char_lm
