#pragma once

#include "model.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace char_lm {

struct SampleOptions {
  std::string model = "char_lm.safetensors";
  std::string prompt = "";
  Index length = 1000;
  double temperature = 0.8;
  std::uint64_t seed = 1;
};

/// Writes the prompt and `length` more characters, each drawn from softmax(logits / temperature).
void sample(const Model& model, const SampleOptions& options, std::FILE* out);

/// The command `sample`.
void run_sample(const SampleOptions& options);

}  // namespace char_lm
