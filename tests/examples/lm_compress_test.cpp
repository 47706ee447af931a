#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "examples/lm/compress.hpp"
#include "examples/lm/crc32.hpp"
#include "examples/lm/range_coder.hpp"
#include "lm.hpp"

using namespace lm;
using Frequencies = std::vector<std::uint32_t>;

namespace {

constexpr std::uint32_t kCrc = 0xDEADBEEF;

const Model& model() {
  static const Model model = [] {
    unroll::seed(3);
    Model made(lm_program::characters("\n abcdefgh\u00F6\U0001F41B"),
               {.layers = 2, .hidden = 12, .embedding = 6});
    made.eval();
    return made;
  }();
  return model;
}

std::string random_text(int length) {
  unroll::Generator generator(5);
  const auto size = static_cast<std::uint64_t>(model().vocabulary().size());
  std::string text;
  for (int i = 0; i < length; ++i)
    text += model().vocabulary().symbol(static_cast<Index>(generator.below(size)));
  return text;
}

void check_round_trip(const std::string& text) {
  const Compressed compressed = compress(model(), kCrc, text);
  CHECK(compressed.symbols == static_cast<Index>(unroll::nn::decode_utf8(text, "it").size()));
  CHECK(decompress(model(), kCrc, compressed.bytes, "it") == text);
}

void refuse(const std::string& bytes, const std::string& message, std::uint32_t crc = kCrc) {
  CHECK_THROWS_WITH_AS(decompress(model(), crc, bytes, "it"), doctest::Contains(message.c_str()),
                       unroll::FormatError);
}

}  // namespace

TEST_CASE("CRC-32 gives the check value of its definition") {
  CHECK(crc32("123456789") == 0xCBF43926U);
  CHECK(crc32("") == 0);
}

TEST_CASE("frequencies sum to the total, are at least 1 and close to the probabilities") {
  unroll::Generator generator(1);
  for (const std::size_t size : {1, 2, 3, 100, 10000}) {
    CAPTURE(size);
    for (const double scale : {0.0, 1.0, 10.0, 1000.0}) {
      std::vector<double> logits(size);
      double sum = 0;
      for (double& x : logits) {
        x = scale * generator.uniform();
        sum += std::exp(x - scale);
      }
      const Frequencies got = range_coder::frequencies(logits);
      CHECK(std::accumulate(got.begin(), got.end(), std::uint64_t{0}) == range_coder::kTotal);
      CHECK(*std::min_element(got.begin(), got.end()) >= 1);
      double worst = 0;
      for (std::size_t k = 0; k < size; ++k)
        worst = std::max(worst, std::abs(got[k] / static_cast<double>(range_coder::kTotal) -
                                         std::exp(logits[k] - scale) / sum));
      CHECK(worst < 2.0 * static_cast<double>(size) / range_coder::kTotal);
    }
  }
  CHECK_THROWS_AS(range_coder::frequencies({}), unroll::ArgumentError);
  CHECK_THROWS_AS(range_coder::frequencies(std::vector<double>{0, NAN}), unroll::ArgumentError);
}

TEST_CASE("the coder reaches the entropy of what it codes, and decodes it") {
  // Very likely, likely and as unlikely as can be.
  const std::vector<double> logits{std::log(0.9), std::log(0.0999), std::log(0.0001), -1000};
  const Frequencies table = range_coder::frequencies(logits);
  unroll::Generator generator(2);
  std::vector<std::size_t> symbols;
  double bits = 0;
  range_coder::Encoder encoder;
  for (int i = 0; i < 100000; ++i) {
    const double u = generator.uniform();
    const std::size_t symbol = i % 10000 == 77 ? 3 : u < 0.9 ? 0 : u < 0.9999 ? 1 : 2;
    symbols.push_back(symbol);
    bits -= std::log2(static_cast<double>(table[symbol]) / range_coder::kTotal);
    encoder.encode(table, symbol);
  }
  const std::string bytes = encoder.finish();
  CHECK(static_cast<double>(8 * bytes.size()) >= bits - 8);
  CHECK(static_cast<double>(8 * bytes.size()) <= bits + 16);
  range_coder::Decoder decoder(bytes);
  std::size_t wrong = 0;
  for (const std::size_t symbol : symbols) wrong += decoder.decode(table) != symbol ? 1 : 0;
  CHECK(wrong == 0);
}

TEST_CASE("bytes of no encoder give symbols that exist") {
  const Frequencies table = range_coder::frequencies(std::vector<double>{0, 1, -1});
  for (const char byte : {'\xff', '\x00', '\x5a'}) {
    const std::string bytes(30, byte);
    range_coder::Decoder decoder(bytes);
    for (int i = 0; i < 500; ++i) CHECK(decoder.decode(table) < 3);
  }
}

TEST_CASE("tables that change and carries through many bytes are decoded") {
  unroll::Generator generator(4);
  for (int trial = 0; trial < 300; ++trial) {
    // The last symbol of a coarse table and then the last of a fine one: low comes close to 1.
    std::vector<Frequencies> tables;
    std::vector<std::size_t> symbols;
    range_coder::Encoder encoder;
    for (int i = 0; i < 60; ++i) {
      std::vector<double> logits(2 + generator.below(5));
      for (double& x : logits) x = 20 * generator.uniform();
      tables.push_back(range_coder::frequencies(logits));
      const std::size_t last = logits.size() - 1;
      symbols.push_back(generator.below(4) > 0 ? last : generator.below(last + 1));
      encoder.encode(tables.back(), symbols.back());
    }
    const std::string bytes = encoder.finish();
    range_coder::Decoder decoder(bytes);
    std::vector<std::size_t> got;
    for (const Frequencies& table : tables) got.push_back(decoder.decode(table));
    CHECK(got == symbols);
  }
}

TEST_CASE("a text comes back, be it ordinary, random, one character or none") {
  check_round_trip("");
  for (Index k = 0; k < model().vocabulary().size(); ++k)
    check_round_trip(model().vocabulary().symbol(k));
  check_round_trip(random_text(2000));
  std::string ordinary;
  for (int i = 0; i < 50; ++i) ordinary += "a bad \u00F6gg fed \U0001F41B each da\n";
  check_round_trip(ordinary);
}

TEST_CASE("a long text costs the model's cross-entropy, whatever the number of threads") {
  const std::string text = random_text(20000);
  const Compressed compressed = compress(model(), kCrc, text);
  const double bits = compressed.nats / std::log(2) * 20000;
  CHECK(static_cast<double>(8 * compressed.bytes.size()) < 1.005 * bits);
  CHECK(static_cast<double>(8 * compressed.bytes.size()) > bits);
  const int before = unroll::threads();
  unroll::set_threads(before == 1 ? 2 : 1);
  CHECK(compress(model(), kCrc, text).bytes == compressed.bytes);
  unroll::set_threads(before);
}

TEST_CASE("another model, damage and truncation are refused") {
  const std::string good = compress(model(), kCrc, random_text(200)).bytes;
  refuse(good, "another model: the checksum of its file is deadbeef, that of this model's file 1",
         1U << 28);
  refuse("", "cut off: expected at least 36 bytes, got 0");
  refuse("hello world", "not a file of lm compress");
  for (std::size_t size = 1; size < good.size(); ++size) refuse(good.substr(0, size), "cut off");
  refuse(good + 'x', "damaged");
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const unsigned flip : {1U, 128U}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      refuse(bytes, "it: ");
    }
  CHECK_THROWS_AS(compress(model(), kCrc, "xyz"), unroll::FormatError);
}

TEST_CASE("a model that computes other numbers is reported, not a wrong text returned") {
  const std::string good = compress(model(), kCrc, random_text(200)).bytes;
  Model other = unroll::nn::clone(model());
  unroll::Parameter weight = other.parameters()[0];
  weight.set(unroll::full(weight.shape(), 0.3));
  CHECK_THROWS_WITH_AS(decompress(other, kCrc, good, "it"), doctest::Contains("other numbers"),
                       unroll::FormatError);
}
