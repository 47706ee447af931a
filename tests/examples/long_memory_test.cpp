// The data of the example long_memory: every task is what its paper says, and its known baseline is
// the error of who knows nothing.
#include <doctest/doctest.h>

#include <autograd/autograd.hpp>
#include <examples/long_memory/tasks.hpp>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace unroll::testing {

using namespace long_memory;

namespace {

/// The text of sequence b, symbol by symbol.
std::string text_of(const Batch& batch, Index b, const std::string& symbols) {
  std::string text;
  for (Index t = 0; t < batch.lengths[static_cast<std::size_t>(b)]; ++t) {
    const Tensor x = batch.x.select(0, t).select(0, b);
    CHECK(sum(x).item() == 1.0);
    text += symbols[static_cast<std::size_t>(argmax(x).item())];
  }
  return text;
}

std::string allowed_at(const Batch& batch, Index t, Index b, const std::string& symbols) {
  std::string allowed;
  for (std::size_t k = 0; k < symbols.size(); ++k)
    if (batch.allowed.at({t, b, static_cast<Index>(k)}) == 1.0) allowed += symbols[k];
  return allowed;
}

}  // namespace

TEST_CASE("adding: one marker in each half, wanted is the sum of what they mark, baseline 1/6") {
  Generator generator(1);
  const Index steps = 50, count = 4000;
  const Batch batch = adding(steps, count, generator);
  REQUIRE(batch.x.shape() == Shape{steps, count, 2});
  double squares = 0.0;
  for (Index b = 0; b < count; ++b) {
    double marked = 0.0, first_half = 0.0, markers = 0.0;
    for (Index t = 0; t < steps; ++t) {
      const double marker = batch.x.at({t, b, 1});
      REQUIRE((marker == 0.0 || marker == 1.0));
      markers += marker;
      first_half += t < steps / 2 ? marker : 0.0;
      marked += marker * batch.x.at({t, b, 0});
    }
    REQUIRE(markers == 2.0);
    REQUIRE(first_half == 1.0);
    REQUIRE(batch.numbers.at({b, 0}) == doctest::Approx(marked));
    squares += std::pow(batch.numbers.at({b, 0}) - 1.0, 2);
  }
  CHECK(squares / static_cast<double>(count) == doctest::Approx(1.0 / 6.0).epsilon(0.05));
}

TEST_CASE("copy memory: the symbols return after the signal, baseline 10 ln 8 / (T + 20)") {
  Generator generator(2);
  const Index gap = 30, count = 100;
  const Batch batch = copy_memory(gap, count, generator);
  REQUIRE(batch.x.shape() == Shape{gap + 20, count, 10});
  std::map<char, int> seen;
  for (Index b = 0; b < count; ++b) {
    const std::string text = text_of(batch, b, "01234567_!");
    for (const char symbol : text.substr(0, 10)) ++seen[symbol];
    CHECK(text.substr(0, 10).find_first_of("_!") == std::string::npos);
    CHECK(text.substr(10) == std::string(29, '_') + "!" + std::string(10, '_'));
    for (Index t = 0; t < gap + 20; ++t) {
      const Index wanted = static_cast<Index>(batch.classes.at({t, b}));
      CHECK(wanted == (t < gap + 10 ? 8 : text[static_cast<std::size_t>(t - gap - 10)] - '0'));
    }
  }
  CHECK(seen.size() == 8);

  // Certain of the blanks, and of the rest only that it is no blank and no signal.
  std::vector<float> logits;
  for (Index t = 0; t < gap + 20; ++t)
    for (Index b = 0; b < count; ++b)
      for (Index k = 0; k < 10; ++k)
        logits.push_back((t < gap + 10 ? k == 8 : k < 8) ? 0.0F : -1e4F);
  const double loss = cross_entropy(Tensor::of(batch.x.shape(), logits), batch.classes).item();
  CHECK(loss == doctest::Approx(10.0 * std::log(8.0) / static_cast<double>(gap + 20)));
}

TEST_CASE("temporal order: X or Y at two places, and the class is their order") {
  Generator generator(3);
  const Batch batch = temporal_order(400, generator);
  std::map<std::string, Index> classes;
  std::set<Index> lengths;
  for (Index b = 0; b < 400; ++b) {
    const std::string text = text_of(batch, b, "abcdXYSE");
    const Index length = static_cast<Index>(text.size());
    lengths.insert(length);
    CHECK(length >= 100);
    CHECK(length <= 110);
    CHECK(text.front() == 'S');
    CHECK(text.back() == 'E');
    const std::size_t first = text.find_first_of("XY"),
                      second = text.find_first_of("XY", first + 1);
    CHECK(first >= 10);
    CHECK(first <= 20);
    REQUIRE(second <= 60);
    CHECK(second >= 50);
    CHECK(text.find_first_of("XY", second + 1) == std::string::npos);
    CHECK(text.find_first_of("SE", 1) == text.size() - 1);
    const Index wanted = static_cast<Index>(batch.classes.at({length - 1, b}));
    const std::string order{text[first], text[second]};
    CHECK(classes.emplace(order, wanted).first->second == wanted);
    for (Index t = 0; t < batch.classes.size(0); ++t)
      if (t != length - 1) CHECK(batch.classes.at({t, b}) == Batch::kNothing);
  }
  CHECK(classes.size() == 4);
  CHECK(std::set<Index>{classes["XX"], classes["XY"], classes["YX"], classes["YY"]} ==
        std::set<Index>{0, 1, 2, 3});
  CHECK(lengths.size() == 11);
}

TEST_CASE("the grammar accepts embedded Reber strings and no others") {
  for (const char* right :
       {"BTBTXSETE", "BPBPVVEPE", "BTBTSSXSETE", "BPBTXXVPSEPE", "BTBPVPXTTVVETE", "BPBPTVPSEPE"})
    CHECK(is_embedded_reber(right));
  for (const char* wrong : {"", "B", "BTXSE", "BTBTXSEPE", "BPBPVVETE", "BTBTXSET", "BTBTXSETEE",
                            "BTBTVSETE", "BXBTXSEXE", "TTBTXSETE"})
    CHECK_FALSE(is_embedded_reber(wrong));
  CHECK(after_embedded_reber("") == "B");
  CHECK(after_embedded_reber("B") == "TP");
  CHECK(after_embedded_reber("BTBTX") == "SX");
  CHECK(after_embedded_reber("BTBTXSE") == "T");
  CHECK(after_embedded_reber("BPBTXSE") == "P");
  CHECK(after_embedded_reber("BPBTXSET") == "");
}

TEST_CASE("embedded Reber: every string belongs to the grammar, and its next symbol is allowed") {
  Generator generator(4);
  const Batch batch = embedded_reber(300, generator);
  std::set<std::string> different;
  double length = 0.0;
  for (Index b = 0; b < 300; ++b) {
    std::string text = text_of(batch, b, kReber);
    for (Index t = 0; t < static_cast<Index>(text.size()); ++t) {
      const std::string allowed = allowed_at(batch, t, b, kReber);
      CHECK(allowed == [&] {  // in the order of the symbols
        std::string sorted;
        for (const char symbol : kReber)
          if (after_embedded_reber(text.substr(0, static_cast<std::size_t>(t) + 1)).find(symbol) !=
              std::string::npos)
            sorted += symbol;
        return sorted;
      }());
      const char next = kReber[static_cast<std::size_t>(batch.classes.at({t, b}))];
      CHECK(allowed.find(next) != std::string::npos);
      if (t + 1 < static_cast<Index>(text.size()))
        CHECK(next == text[static_cast<std::size_t>(t) + 1]);
    }
    text += 'E';
    CHECK(is_embedded_reber(text));
    different.insert(text);
    length += static_cast<double>(text.size()) / 300.0;
  }
  CHECK(different.size() > 30);
  CHECK(length > 10.0);
  CHECK(length < 14.0);
}

TEST_CASE("Reber streams go on from batch to batch, string after string") {
  Generator generator(5);
  ReberStreams streams(3);
  std::vector<std::string> texts(3);
  for (int k = 0; k < 20; ++k) {
    const Batch batch = streams.next(7, generator);
    for (Index b = 0; b < 3; ++b) {
      const std::string part = text_of(batch, b, kReber);
      REQUIRE(part.size() == 7);
      if (k > 0) {  // what was to be predicted is read next
        const auto last = static_cast<std::size_t>(b);
        CHECK(texts[last].back() == part[0]);
        texts[last].pop_back();
      }
      texts[static_cast<std::size_t>(b)] += part;
      for (Index t = 0; t < 7; ++t) {
        const char next = kReber[static_cast<std::size_t>(batch.classes.at({t, b}))];
        CHECK(allowed_at(batch, t, b, kReber).find(next) != std::string::npos);
        if (t == 6) texts[static_cast<std::size_t>(b)] += next;
      }
    }
  }
  for (const std::string& text : texts) {
    std::string current;
    int strings = 0;
    for (const char symbol : text) {
      CHECK(after_embedded_reber(current).find(symbol) != std::string::npos);
      current += symbol;
      if (is_embedded_reber(current)) {
        current.clear();
        ++strings;
      }
    }
    CHECK(strings >= 3);
  }
}

TEST_CASE("counting: the strings, and what may follow each of their symbols") {
  const Batch two = counting("ab", {1, 3});
  CHECK(text_of(two, 0, "abST") == "Sab");
  CHECK(text_of(two, 1, "abST") == "Saaabbb");
  const std::vector<std::string> after{"a", "ab", "ab", "ab", "b", "b", "T"};
  for (Index t = 0; t < 7; ++t)
    CHECK(allowed_at(two, t, 1, "abST") == after[static_cast<std::size_t>(t)]);
  CHECK(allowed_at(two, 1, 0, "abST") == "ab");
  CHECK(allowed_at(two, 2, 0, "abST") == "T");
  CHECK(allowed_at(two, 3, 0, "abST") == "");  // past the end

  const Batch three = counting("abc", {2});
  CHECK(text_of(three, 0, "abcST") == "Saabbcc");
  const std::vector<std::string> next{"a", "ab", "ab", "b", "c", "c", "T"};
  for (Index t = 0; t < 7; ++t)
    CHECK(allowed_at(three, t, 0, "abcST") == next[static_cast<std::size_t>(t)]);
}

}  // namespace unroll::testing
