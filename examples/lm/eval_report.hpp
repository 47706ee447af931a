#pragma once

#include "evaluate.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace lm {

/// What eval found out about one text, or about all together.
struct TextReport {
  std::string file;
  Index unknown = 0;      ///< symbols left out or mapped
  double unigram = 0;     ///< bits per symbol by the text's own symbol frequencies
  Evaluation evaluation;  ///< without adaptation
  std::optional<Evaluation> adapted;
};

/// The sum of several reports; the unigram entropy is the mean over their symbols.
TextReport total(const std::vector<TextReport>& reports);

void print(const TextReport& report, std::FILE* out);
/// One JSON object: "files" and "total".
std::string to_json(const std::vector<TextReport>& reports);

}  // namespace lm
