#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>

#include <cmath>
#include <vector>

#include "support/kneser_ney.hpp"

using unroll::testing::KneserNey;
using Tokens = std::vector<std::int32_t>;

namespace {

void check_probabilities(const KneserNey& model, const Tokens& context,
                         const std::vector<double>& expected) {
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(model.probability(context, static_cast<std::int32_t>(k)) ==
          doctest::Approx(expected[k]).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("a bigram model equals the computation by hand") {
  // a b a c a b, with d in the vocabulary. Bigrams: ab 2, ba 1, ac 1, ca 1; D_2 = 3/(3 + 2).
  // Distinct tokens before a: b and c, before b: a, before c: a; D_1 = 2/(2 + 2).
  const KneserNey model(Tokens{0, 1, 0, 2, 0, 1}, 4, 2);
  CHECK(model.discount(1) == doctest::Approx(0.5));
  CHECK(model.discount(2) == doctest::Approx(0.6));
  // p_1(a) = (2 - 0.5)/4 + 0.5 * 3/4 / 4, p_1(b) = p_1(c) = 0.5/4 + 0.375/4, p_1(d) = 0.375/4
  const std::vector<double> unigram{0.46875, 0.21875, 0.21875, 0.09375};
  check_probabilities(model, {}, unigram);
  check_probabilities(model, {3}, unigram);  // never seen
  // Two distinct tokens in three after a: p(b | a) = (2 - 0.6)/3 + 0.6 * 2/3 * p_1(b)
  check_probabilities(model, {0}, {0.4 * 0.46875, 1.4 / 3 + 0.0875, 0.4 / 3 + 0.0875, 0.0375});
  check_probabilities(model, {1}, {0.4 + 0.6 * 0.46875, 0.13125, 0.13125, 0.05625});
}

TEST_CASE("a trigram model equals the computation by hand") {
  // a b a b a c b a. Trigrams: aba 2, bab 1, bac 1, acb 1, cba 1; D_3 = 4/(4 + 2).
  // Distinct tokens before ab: b, ba: a and c, ac: b, cb: a; D_2 = 3/(3 + 2).
  // Distinct tokens before a: b, b: a and c, c: a; D_1 = 2/(2 + 2).
  const KneserNey model(Tokens{0, 1, 0, 1, 0, 2, 1, 0}, 3, 3);
  CHECK(model.discount(3) == doctest::Approx(2.0 / 3));
  check_probabilities(model, {}, {0.25, 0.5, 0.25});
  // p(b | a) = (1 - 0.6)/2 + 0.6 * 2/2 * 0.5
  check_probabilities(model, {0}, {0.15, 0.5, 0.35});
  // p(a | b) = (2 - 0.6)/2 + 0.6 * 1/2 * 0.25
  check_probabilities(model, {1}, {0.775, 0.15, 0.075});
  // p(b | b a) = (1 - 2/3)/2 + 2/3 * 2/2 * 0.5
  check_probabilities(model, {1, 0}, {0.1, 0.5, 0.4});
  // p(a | a b) = (2 - 2/3)/2 + 2/3 * 1/2 * 0.775
  check_probabilities(model, {0, 1}, {0.925, 0.05, 0.025});
  check_probabilities(model, {2, 2, 0, 1}, {0.925, 0.05, 0.025});  // the last two matter
  check_probabilities(model, {1, 1}, {0.775, 0.15, 0.075});        // never seen: as after b
  CHECK(model.perplexity(Tokens{1, 0, 2}) ==
        doctest::Approx(std::pow(0.5 * 0.775 * 0.4, -1.0 / 3)).epsilon(1e-12));
}

TEST_CASE("the probabilities after any context sum to 1 and are above 0") {
  unroll::Generator generator(3);
  Tokens text;
  for (int i = 0; i < 400; ++i)
    text.push_back(static_cast<std::int32_t>(generator.below(1 + generator.below(7))));
  const KneserNey model(text, 9, 5);
  for (int trial = 0; trial < 500; ++trial) {
    Tokens context;
    if (trial % 2 == 0) {  // seen, but for its first
      const std::size_t at = generator.below(text.size() - 4);
      context.assign(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(at + 4));
    }
    for (std::uint64_t i = generator.below(6); i > 0; --i)
      context.insert(context.begin(), static_cast<std::int32_t>(generator.below(9)));
    double sum = 0, least = 1;
    for (std::int32_t token = 0; token < 9; ++token) {
      const double p = model.probability(context, token);
      sum += p;
      least = std::min(least, p);
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-12));
    CHECK(least > 0);
  }
}

TEST_CASE("longer contexts help where there is something to learn") {
  Tokens text;
  for (int i = 0; i < 300; ++i)
    for (const int token : {0, 0, 1, 0, 1, 1, i % 2}) text.push_back(token);
  const double unigram = KneserNey(text, 2, 1).perplexity(text);
  const double trigram = KneserNey(text, 2, 3).perplexity(text);
  const double fivegram = KneserNey(text, 2, 5).perplexity(text);
  CHECK(unigram == doctest::Approx(2).epsilon(0.01));
  CHECK(trigram < unigram);
  CHECK(fivegram < trigram);
}

TEST_CASE("tokens outside the vocabulary and an order below 1 are refused") {
  CHECK_THROWS_AS(KneserNey(Tokens{0, 3}, 3), unroll::ArgumentError);
  CHECK_THROWS_AS(KneserNey(Tokens{-1}, 3), unroll::ArgumentError);
  CHECK_THROWS_AS(KneserNey(Tokens{0}, 3, 0), unroll::ArgumentError);
  const KneserNey model(Tokens{0, 1}, 3);
  CHECK_THROWS_AS(model.probability({}, 3), unroll::ArgumentError);
  CHECK_THROWS_AS(model.perplexity({}), unroll::ArgumentError);
}
