// Training on a model's own symbols: which are read, how often, and the gradients.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <span>

#include "support/expect.hpp"
#include "support/translation_models.hpp"

namespace unroll::testing {

TEST_CASE("the gradients under scheduled sampling hold the drawn symbols constant") {
  const nn::EncoderDecoder model = all_models()[0];
  const nn::SymbolBatch source = nn::SymbolBatch::of({{1, 4}, {3}});
  const nn::SymbolBatch target = nn::SymbolBatch::of({{2, 1, 1}, {1, 2}});
  const auto loss = [&](std::span<const Variable>) {
    Generator generator(5);
    return model.loss(source, target, {.truth = 0.3}, generator);
  };
  const GradcheckReport report = nn::gradcheck(model, loss, {});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("scheduled sampling reads the truth with the probability given, else its own symbols") {
  nn::EncoderDecoder model = model_of(nn::Recurrent(nn::GRU(2, 4)));
  const nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  const nn::SymbolBatch target = nn::SymbolBatch::of({{2, 1, 2, 1}, {2, 2, 2, 2}, {1, 1, 1, 1}});
  const Tensor forced = model(source, target).logits.value();
  Generator generator(1);
  const std::uint64_t before = generator.position();
  expect_close(model(source, target, {.truth = 1.0}, generator).logits.value(), forced, 0.0);
  CHECK(generator.position() == before);
  const Tensor sampled = model(source, target, {.truth = 0.0}, generator).logits.value();
  expect_close(sampled.slice(0, 0, 1), forced.slice(0, 0, 1), 0.0);  // the start is always read
  CHECK(max(abs(sampled - Variable(forced))).item() > 1e-6);

  // A model that is sure of symbol 1 reads 1s, whatever the target says.
  for (Parameter parameter : model.parameters()) {
    if (parameter.shape() != Shape{kTargetSymbols}) continue;  // the readout's bias
    parameter.set(Tensor::of<double>({kTargetSymbols}, {0.0, 1000.0, 0.0, 0.0}));
  }
  const nn::SymbolBatch ones_of_it =
      nn::SymbolBatch::of({{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}});
  expect_close(model(source, target, {.truth = 0.0}, generator).logits.value(),
               model(source, ones_of_it).logits.value(), 0.0);
}

TEST_CASE("the share of true symbols that a step reads is the probability given") {
  // The cell's output is the symbol it reads; the logits copy it, beside certain draws of symbol 1.
  nn::EncoderDecoder model = model_of(nn::Recurrent(nn::GRU(2, 4)));
  for (Parameter parameter : model.parameters())
    if (parameter.shape() == Shape{kTargetSymbols})
      parameter.set(Tensor::of<double>({kTargetSymbols}, {0.0, 1000.0, 0.0, 0.0}));
  constexpr std::size_t kMany = 2000;
  const nn::SymbolBatch source = nn::SymbolBatch::of(Sequences(kMany, {1, 2}));
  const nn::SymbolBatch target = nn::SymbolBatch::of(Sequences(kMany, {2}));
  const auto second = [&](const nn::SymbolBatch& of) {
    return model(nn::SymbolBatch::of({{1, 2}}), of).logits.value().at({1, 0, 0});
  };
  const double if_true = second(nn::SymbolBatch::of({{2}}));
  const double if_own = second(nn::SymbolBatch::of({{1}}));
  REQUIRE(std::abs(if_true - if_own) > 1e-6);
  Generator generator(3);
  const Tensor logits = model(source, target, {.truth = 0.7}, generator).logits.value();
  double truths = 0.0;
  for (std::size_t b = 0; b < kMany; ++b)
    if (std::abs(logits.at({1, static_cast<Index>(b), 0}) - if_true) < 1e-9) truths += 1.0;
  CHECK(truths / kMany == doctest::Approx(0.7).epsilon(0.05));
}

TEST_CASE("the schedules of scheduled sampling are those of the paper") {
  CHECK(nn::linear_decay(0, 0.9, 0.01, 0.2) == doctest::Approx(0.9));
  CHECK(nn::linear_decay(30, 0.9, 0.01, 0.2) == doctest::Approx(0.6));
  CHECK(nn::linear_decay(1000, 0.9, 0.01, 0.2) == doctest::Approx(0.2));
  CHECK(nn::exponential_decay(0, 0.99) == doctest::Approx(1.0));
  CHECK(nn::exponential_decay(3, 0.5) == doctest::Approx(0.125));
  CHECK(nn::inverse_sigmoid_decay(0, 99.0) == doctest::Approx(0.99));
  CHECK(nn::inverse_sigmoid_decay(1000000, 100.0) == doctest::Approx(0.0));
}

}  // namespace unroll::testing
