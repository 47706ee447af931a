#pragma once

#include "filters.hpp"
#include "model.hpp"

#include <cstdint>
#include <cstdio>
#include <istream>
#include <string>

namespace lm {

struct SampleOptions {
  std::string model = "lm.safetensors";
  std::string prompt = "";
  std::string prompt_file = "";  ///< holds the prompt, if not empty
  Index length = 1000;           ///< symbols to write after the prompt
  FilterOptions filter = {};
  Index repetition_window = 0;  ///< symbols that the repetition penalty looks back; 0: all
  Index samples = 1;
  std::uint64_t seed = 1;
  bool interactive = false;  ///< goes on from lines of the standard input
};

/// Writes the prompt and `length` more symbols, each drawn by the weights of filter(), as often
/// as `samples` says. The first follows from the prompt, or without one from a line break. Every
/// symbol is flushed. Throws FormatError for a prompt with symbols that the model does not
/// know.
void sample(const Model& model, const SampleOptions& options, std::FILE* out);

/// Reads lines from `in` until its end and continues each with `length` symbols. The model
/// remembers all lines and answers as one text without line breaks between them. A line with
/// symbols that it does not know is reported to `errors` and not read.
void converse(const Model& model, const SampleOptions& options, std::istream& in, std::FILE* out,
              std::FILE* errors);

/// The command `sample`.
void run_sample(const SampleOptions& options);

}  // namespace lm
