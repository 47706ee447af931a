// What eval does beside reading: the neural cache and dynamic evaluation.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "examples/lm/evaluate.hpp"
#include "examples/lm/predictor.hpp"
#include "lm.hpp"

using namespace lm;

namespace {

using Text = std::vector<std::int32_t>;

/// Untrained, so there is much to learn from the text.
Model small_model(const std::string& cell = "lstm") {
  unroll::seed(3);
  Model model(lm_program::characters("abcdefgh"),
              {.cell = cell, .layers = 2, .hidden = 12, .embedding = 6});
  model.eval();
  return model;
}

Text random_text(int length) {
  unroll::Generator generator(5);
  Text text;
  for (int i = 0; i < length; ++i) text.push_back(static_cast<std::int32_t>(generator.below(8)));
  return text;
}

Text repetitive_text(int length) {
  Text text;
  for (int i = 0; i < length; ++i) text.push_back(i % 3);
  return text;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("the surprises are those of the whole text in one call of the model") {
  for (const char* cell : {"lstm", "gru", "elman"}) {
    CAPTURE(cell);
    const Model model = small_model(cell);
    const Text text = random_text(50);
    const std::string written = model.vocabulary().decode(text);
    unroll::nn::TokenStreams streams = side_by_side({written}, model.vocabulary());
    CHECK(mean(surprises(model, text)) ==
          doctest::Approx(evaluate(model, streams).nats).epsilon(1e-6));
  }
}

TEST_CASE("a predictor starts from equal probabilities and forgets when it is reset") {
  const Model model = small_model();
  Predictor predictor(model);
  CHECK(predictor.size() == 8);
  CHECK(predictor.hidden().empty());
  CHECK(predictor.log_probabilities()[3] == doctest::Approx(-std::log(8)).epsilon(1e-12));
  predictor.read(2);
  CHECK(predictor.hidden().size() == 12);
  const std::vector<double> first = predictor.log_probabilities();
  double sum = 0;
  for (const double x : first) sum += std::exp(x);
  CHECK(sum == doctest::Approx(1).epsilon(1e-12));
  predictor.read(2);
  CHECK(predictor.log_probabilities() != first);
  predictor.reset();
  CHECK(predictor.log_probabilities()[3] == doctest::Approx(-std::log(8)).epsilon(1e-12));
  predictor.read(2);
  CHECK(predictor.log_probabilities() == first);
}

TEST_CASE("the cache is the mixture that its equations say, over the last pairs alone") {
  const Model model = small_model();
  const Text text = random_text(40);
  const NeuralCacheOptions options{.size = 7, .theta = 1.7, .weight = 0.3};

  // Every hidden state and distribution first, then the double sum over all pairs.
  Predictor predictor(model);
  std::vector<std::vector<double>> hidden, log_p;
  for (const std::int32_t symbol : text) {
    predictor.read(symbol);
    hidden.emplace_back(predictor.hidden().begin(), predictor.hidden().end());
    log_p.push_back(predictor.log_probabilities());
  }
  const std::vector<double> got = surprises(model, text, {.dynamic = {}, .cache = options});
  REQUIRE(got.size() == 39);
  for (int t = 0; t < 39; ++t) {
    std::map<int, double> scores;
    double total = 0;
    for (int i = std::max(0, t - 7); i < t; ++i) {
      double product = 0;
      for (int k = 0; k < 12; ++k) product += hidden[t][k] * hidden[i][k];
      scores[text[i + 1]] += std::exp(1.7 * product);
      total += std::exp(1.7 * product);
    }
    const double p_model = std::exp(log_p[t][text[t + 1]]);
    const double p = t == 0 ? p_model : 0.7 * p_model + 0.3 * scores[text[t + 1]] / total;
    CAPTURE(t);
    CHECK(got[t] == doctest::Approx(-std::log(p)).epsilon(1e-12));
  }
}

TEST_CASE("the probabilities of the cache sum to 1, however large the scores") {
  const std::vector<float> a{30, 40}, b{-3, 1};
  for (const double theta : {0.0, 1.0, 100.0}) {
    NeuralCache cache({.size = 2, .theta = theta, .weight = 0.4});
    cache.add(b, 0);
    cache.add(a, 1);
    cache.add(a, 2);
    double sum = 0;
    for (int symbol = 0; symbol < 4; ++symbol) sum += cache.mix(a, symbol, 0.25);
    CHECK(sum == doctest::Approx(1).epsilon(1e-12));
    CHECK(cache.mix(a, 0, 0.25) == doctest::Approx(0.15));  // forgotten
    CHECK(cache.mix(a, 1, 0.25) == doctest::Approx(0.35));
  }
}

TEST_CASE("the cache and dynamic evaluation improve on a text that repeats itself") {
  const Model model = small_model();
  const Text text = repetitive_text(300);
  const double plain = mean(surprises(model, text));
  CHECK(plain == doctest::Approx(std::log(8)).epsilon(0.2));
  const double cached = mean(
      surprises(model, text, {.dynamic = {}, .cache = {.size = 100, .theta = 20, .weight = 0.5}}));
  CHECK(cached < plain - 0.5);
  const double adapted =
      mean(surprises(model, text, {.dynamic = {.rate = 1, .decay = 0}, .cache = {}}));
  CHECK(adapted < plain - 0.5);
  const double held =
      mean(surprises(model, text, {.dynamic = {.rate = 1, .decay = 0.5}, .cache = {}}));
  CHECK(held > adapted + 0.1);
  CHECK(held < plain);
}

TEST_CASE("dynamic evaluation with a rate of 0 is plain evaluation, and leaves the model alone") {
  const Model model = small_model();
  const Text text = random_text(100);
  const std::vector<double> plain = surprises(model, text);
  CHECK(surprises(model, text, {.dynamic = {.rate = 0, .decay = 0.5}, .cache = {}}) == plain);

  const AdaptOptions adapting{.dynamic = {.rate = 0.5}, .cache = {}};
  const std::vector<double> adapted = surprises(model, text, adapting);
  CHECK(surprises(model, text) == plain);
  CHECK(surprises(model, text, adapting) == adapted);
  // The first segment is predicted before anything is learnt.
  for (int i = 0; i < 20; ++i) CHECK(adapted[i] == plain[i]);
  CHECK(adapted[20] != plain[20]);
}

TEST_CASE("a step is SGD on the mean of the segment and the way back to the trained weights") {
  const Model model = small_model();
  const Text inputs{0, 1, 2, 3}, targets{1, 2, 3, 4};
  const std::vector<unroll::Parameter> trained = model.parameters();
  DynamicEvaluation dynamic(model, {.rate = 0.5, .decay = 0.25, .steps = 4});
  dynamic.adapt(inputs, targets, {});
  dynamic.adapt(inputs, targets, {});

  // The same by central differences of the mean, one weight of each parameter.
  const auto loss = [&](const Model& at) {
    double sum = 0;
    Predictor predictor(at);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      predictor.read(inputs[i]);
      sum -= predictor.log_probabilities()[static_cast<std::size_t>(targets[i])];
    }
    return sum / 4;
  };
  DynamicEvaluation first(model, {.rate = 0.5, .decay = 0.25, .steps = 4});
  first.adapt(inputs, targets, {});
  for (std::size_t p = 0; p < trained.size(); ++p) {
    CAPTURE(trained[p].name());
    const Model probe = unroll::nn::clone(first.model());
    unroll::Parameter weight = probe.parameters()[p];
    const float before = weight.value().data<float>()[0];
    const auto at = [&](float value) {
      weight.mutable_value().mutable_data<float>()[0] = value;
      return loss(probe);
    };
    constexpr float kStep = 1e-2F;
    const double slope = (at(before + kStep) - at(before - kStep)) / (2 * kStep);
    const double stepped = before - 0.5 * slope;
    const double expected = stepped + 0.25 * (trained[p].value().data<float>()[0] - stepped);
    CHECK(dynamic.model().parameters()[p].value().data<float>()[0] ==
          doctest::Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("nonsense is refused") {
  const Model model = small_model();
  CHECK_THROWS_AS(NeuralCache({.size = -1}), unroll::ArgumentError);
  CHECK_THROWS_AS(NeuralCache({.size = 1, .theta = -1}), unroll::ArgumentError);
  CHECK_THROWS_WITH_AS(NeuralCache({.size = 1, .theta = 1, .weight = 1}),
                       "NeuralCache: weight: expected a number from 0 to below 1, got 1",
                       unroll::ArgumentError);
  NeuralCache cache({.size = 2});
  cache.add(std::vector<float>{1, 2}, 0);
  CHECK_THROWS_AS(cache.mix(std::vector<float>{1}, 0, 0.5), unroll::ShapeError);
  CHECK_THROWS_AS(DynamicEvaluation(model, {.rate = -1}), unroll::ArgumentError);
  CHECK_THROWS_AS(DynamicEvaluation(model, {.rate = 1, .decay = 2}), unroll::ArgumentError);
  CHECK_THROWS_AS(DynamicEvaluation(model, {.rate = 1, .decay = 0, .steps = 0}),
                  unroll::ArgumentError);
  DynamicEvaluation dynamic(model, {.rate = 1});
  CHECK_THROWS_AS(dynamic.adapt({}, {}, {}), unroll::ArgumentError);
  CHECK_THROWS_AS(dynamic.adapt(Text{1}, Text{1, 2}, {}), unroll::ArgumentError);
}
