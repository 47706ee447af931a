// Perplexity of an interpolated Kneser-Ney 5-gram on words, with the vocabulary that `lm train
// --level word` makes of the same text: the count-based model beside the recurrent ones of
// language_models.py.
//   kneser_ney TRAIN VALID TEST MAX_VOCABULARY        prints JSON
#include "support/kneser_ney.hpp"

#include <nn/data/text_file.hpp>
#include <nn/data/vocabulary.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

using unroll::nn::TextFile;
using unroll::nn::Unknown;
using unroll::nn::Vocabulary;

double perplexity(const unroll::testing::KneserNey& model, const Vocabulary& vocabulary,
                  const char* path) {
  const TextFile text(path);
  return model.perplexity(vocabulary.encode(text.bytes(), path, Unknown::map));
}

void run(char** arguments) {
  const TextFile text(arguments[1]);
  const Vocabulary vocabulary = Vocabulary::build(unroll::nn::Level::word, {text.bytes()},
                                                  {.max_size = std::stoll(arguments[4])});
  const unroll::testing::KneserNey model(
      vocabulary.encode(text.bytes(), arguments[1], Unknown::map),
      static_cast<std::int32_t>(vocabulary.size()));
  std::printf("{\"valid\": %.3f, \"test\": %.3f}\n", perplexity(model, vocabulary, arguments[2]),
              perplexity(model, vocabulary, arguments[3]));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: kneser_ney TRAIN VALID TEST MAX_VOCABULARY\n", stderr);
    return 2;
  }
  try {
    run(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kneser_ney: %s\n", error.what());
    return 1;
  }
}
