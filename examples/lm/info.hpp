#pragma once

#include <string>

namespace lm {

struct InfoOptions {
  std::string model;
  bool json = false;
};

/// The command `info`: prints the settings, sizes, parameters and notes of a model file.
void run_info(const InfoOptions& options);

struct ExportOptions {
  std::string model;
  std::string out;
  bool overwrite = false;
};

/// The command `export`: writes the weights alone, under the names that a PyTorch module with an
/// nn.Embedding `embedding`, an nn.LSTM, nn.GRU or nn.RNN `rnn` and an nn.Linear `readout` gives
/// them, so load_state_dict(strict=True) takes them. The metadata hold the settings.
void run_export(const ExportOptions& options);

}  // namespace lm
