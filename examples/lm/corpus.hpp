#pragma once

#include "train.hpp"

#include <nn/data/text_file.hpp>
#include <nn/data/vocabulary.hpp>

#include <string_view>
#include <vector>

namespace lm {

/// Texts on the disk, mapped into memory, with the vocabulary of those that are trained on.
struct Corpus {
  std::vector<unroll::nn::TextFile> files;
  std::vector<std::string_view> train, valid, test;
  unroll::nn::Vocabulary vocabulary;
};

/// Throws Error or FormatError for texts that cannot be read or are too short to train on.
Corpus read_corpus(const TrainOptions& options);

/// Bytes of some texts.
Index bytes_of(const std::vector<std::string_view>& texts);

}  // namespace lm
