#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/utf8.hpp>

#include <string>

#include "support/with_threads.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// What is wrong with a text, by the decoder that goes from one code point to the next.
std::string decoder_says(const std::string& text) {
  try {
    nn::decode_utf8(text, "it");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

std::string check_says(const std::string& text) {
  try {
    nn::check_utf8(text, "it");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a text is valid where each of its code points is, and else invalid at the first byte") {
  Generator generator(1);
  const auto long_text = [&](std::size_t size) {
    std::string text;
    while (text.size() < size)
      text += generator.below(9) > 0 ? "plain, " : generator.below(2) == 0 ? "ö€" : "\U0001F41B";
    return text;
  };
  int invalid = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text = long_text(generator.below(80));
    for (std::uint64_t damages = generator.below(3); damages > 0 && !text.empty(); --damages)
      text[generator.below(text.size())] = static_cast<char>(0x70 + generator.below(0x90));
    const std::string expected = decoder_says(text);
    invalid += expected.empty() ? 0 : 1;
    if (check_says(text) != expected) CHECK(check_says(text) == expected);
  }
  CHECK(invalid > 500);
  CHECK(invalid < 2500);

  // In several pieces and threads.
  for (const int threads : {1, 3}) {
    const WithThreads with(threads);
    std::string text = long_text(700'000);
    CHECK(check_says(text) == "");
    for (int trial = 0; trial < 4; ++trial) {
      text[generator.below(text.size())] = '\xFF';
      CHECK(check_says(text) == decoder_says(text));
      CHECK(check_says(text) != "");
    }
    text.resize(text.size() - 1);
    text += "\xC3";
    CHECK(check_says(text) == decoder_says(text));
  }
}
