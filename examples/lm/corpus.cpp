#include "corpus.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/data/token_streams.hpp>
#include <nn/data/utf8.hpp>

#include <string>
#include <utility>

namespace lm {
namespace {

namespace nn = unroll::nn;

/// Opens the files and folders that an option names.
std::vector<std::string_view> open(const TrainOptions& options,
                                   const std::vector<std::string>& paths,
                                   std::vector<nn::TextFile>& files) {
  std::vector<std::string_view> texts;
  for (const std::string& path : paths)
    for (const std::string& file : nn::text_files(path)) {
      files.emplace_back(file);
      if (options.normalise) files.back() = files.back().normalised();
      texts.push_back(files.back().bytes());
      if (options.level != "byte")
        nn::check_utf8(texts.back(), fmt::format("text: \"{}\"", files.back().name()));
    }
  return texts;
}

/// Moves the end of the texts, this fraction of their bytes, to `end`.
void split_off(nn::Level level, double fraction, std::vector<std::string_view>& texts,
               std::vector<std::string_view>& end) {
  double wanted = fraction * static_cast<double>(bytes_of(texts));
  while (!texts.empty() && wanted >= 1) {
    const auto size = static_cast<double>(texts.back().size());
    const auto [before, after] =
        nn::split_text(level, texts.back(), size > wanted ? 1.0 - wanted / size : 0.0);
    wanted -= static_cast<double>(after.size());
    if (!after.empty()) end.insert(end.begin(), after);
    texts.back() = before;
    if (!before.empty()) break;
    texts.pop_back();
  }
}

}  // namespace

Index bytes_of(const std::vector<std::string_view>& texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  return static_cast<Index>(bytes);
}

Corpus read_corpus(const TrainOptions& options) {
  std::vector<nn::TextFile> files;
  const nn::Level level = nn::level_from(options.level);
  std::vector<std::string_view> train = open(options, options.text, files);
  std::vector<std::string_view> valid = open(options, options.valid, files);
  std::vector<std::string_view> test = open(options, options.test, files);
  // As one text: what is validated on need not be in the vocabulary of the rest, but a character
  // that is only there would be an error hours later.
  const std::vector<std::string_view> all = train;
  if (valid.empty() && options.validation > 0) split_off(level, options.validation, train, valid);
  auto vocabulary = nn::Vocabulary::build(level, level == nn::Level::word ? train : all,
                                          {.max_size = options.max_vocabulary,
                                           .min_count = options.min_count,
                                           .lower_case = options.lower_case});
  return {std::move(files), std::move(train), std::move(valid), std::move(test),
          std::move(vocabulary)};
}

}  // namespace lm
