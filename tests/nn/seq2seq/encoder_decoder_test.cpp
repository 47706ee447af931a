// Encoder, decoder with attention, and both together: by hand, in batches, gradients, decoding.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/translation_models.hpp"

namespace unroll::testing {
namespace {

nn::SymbolBatch only(const Sequences& sequences, std::size_t b) {
  return nn::SymbolBatch::of({sequences[b]});
}

}  // namespace

TEST_CASE("sequences of unequal length become a batch, time first") {
  const nn::SymbolBatch batch = nn::SymbolBatch::of(kSources);
  CHECK(batch.lengths == std::vector<Index>{3, 1, 2});
  CHECK(batch.batch() == 3);
  CHECK(batch.symbols.to_vector<Index>() == std::vector<Index>{1, 3, 0, 4, 0, 2, 2, 0, 0});
  CHECK(batch.padded("test", 5, 9).to_vector<Index>() ==
        std::vector<Index>{1, 3, 0, 4, 9, 2, 2, 9, 9});
  CHECK(nn::SymbolBatch::of({{}, {}}).symbols.shape() == Shape{0, 2});
  CHECK(nn::SymbolBatch::of({}).batch() == 0);
  expect_error<ArgumentError>([&] { batch.padded("test", 4, 0); },
                              {"test", "symbol 1 of sequence 0", "4", "0..3"});
  expect_error<ShapeError>([] { nn::SymbolBatch().padded("test", 4, 0); }, {"[T,B]"});
  expect_error<ShapeError>(
      [&] {
        nn::SymbolBatch{batch.symbols, {3, 1}}.padded("test", 9, 0);
      },
      {"2 lengths"});
  expect_error<ArgumentError>(
      [&] {
        nn::SymbolBatch{batch.symbols, {3, 1, 4}}.padded("test", 9, 0);
      },
      {"sequence 2"});
}

TEST_CASE("an encoder returns the outputs of its layers and the state of the last one") {
  seed(1);
  const nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  const auto check = [&](const nn::Encoder& encoder, Index outputs, Index summary) {
    CHECK(encoder.outputs() == outputs);
    CHECK(encoder.summary_size() == summary);
    const nn::Encoded encoded = encoder(source);
    CHECK(encoded.outputs.shape() == Shape{3, 3, outputs});
    CHECK(encoded.summary.shape() == Shape{3, summary});
    CHECK(encoded.lengths == source.lengths);
    CHECK(encoded.outputs.value().at({1, 1, 0}) == 0.0);
    CHECK(encoder.named_parameters()[0].name == "embedding.weight");
    return encoded;
  };
  check(nn::Encoder(5, nn::GRU(2, 3)), 3, 3);
  check(nn::Encoder(5, nn::Bidirectional(nn::LSTM(2, 3), nn::GRU(2, 4))), 7, 10);
  check(nn::Encoder(5, nn::Stacked(nn::GRU(2, 3), two_ways(3))), 4, 6);

  const nn::Recurrent rnn(nn::LSTM(2, 3));
  const nn::Encoder encoder(5, rnn);
  const nn::Encoded encoded = check(encoder, 3, 6);
  const nn::Embedding embed(5, 2);
  Parameter table = embed.weight();
  table.set(encoder.named_parameters()[0].parameter.value());
  const auto [outputs, state] = rnn(embed(source.symbols), {}, {.lengths = source.lengths});
  expect_close(encoded.outputs.value(), outputs.value(), 0.0);
  expect_close(encoded.summary.value(), concat({state[0], state[1]}).value(), 0.0);
}

TEST_CASE("the loss under teacher forcing is the one composed by hand, step by step") {
  seed(2);
  nn::LSTM encoder_cell(2, 3), decoder_cell(2 + 2, 3);
  nn::MultiplicativeAttention attention(3, 3);
  nn::EncoderDecoder model(
      nn::Encoder(kSourceSymbols, encoder_cell),
      nn::AttentionDecoder(kTargetSymbols, decoder_cell, attention, {.units = 2}), kMarks);
  model.to(Dtype::float64);
  const auto value = [&](const std::string& name) {
    for (const auto& named : model.named_parameters())
      if (named.name == name) return named.parameter.value();
    FAIL("no parameter " << name);
    return Tensor();
  };

  Variable total = zeros({}, Dtype::float64);
  double count = 0.0;
  for (std::size_t b = 0; b < kSources.size(); ++b) {
    const std::vector<Index>& source = kSources[b];
    const auto row = [&](const char* table, Index symbol) {
      return slice(Variable(value(table)), 0, symbol, symbol + 1);
    };
    nn::State state = encoder_cell.initial_state(1, Dtype::float64);
    std::vector<Variable> read;
    const auto step = [](const nn::Cell& cell, const Variable& x, const nn::State& before) {
      return cell.step(select(cell.project(unsqueeze(x, 0)), 0, 0), before).state;
    };
    for (const Index symbol : source) {
      state = step(encoder_cell, row("encoder.embedding.weight", symbol), state);
      read.push_back(state[0]);
    }
    const Variable bridged = tanh(linear(concat({state[0], state[1]}),
                                         Variable(value("bridge.weight")), value("bridge.bias")));
    state = {slice(bridged, 1, 0, 3), slice(bridged, 1, 3, 6)};
    Variable attentional = zeros({1, 2}, Dtype::float64);
    std::vector<Index> inputs{kMarks.start}, outputs = kTargets[b];
    inputs.insert(inputs.end(), kTargets[b].begin(), kTargets[b].end());
    outputs.push_back(kMarks.end);
    for (std::size_t t = 0; t < outputs.size(); ++t) {
      state = step(decoder_cell, concat({row("decoder.embedding.weight", inputs[t]), attentional}),
                   state);
      Variable context = zeros({1, 3}, Dtype::float64), weight_sum = zeros({}, Dtype::float64);
      for (const Variable& h : read) {
        const Variable score =
            sum(state[0] * linear(h, Variable(value("decoder.attention.weight"))));
        context = context + exp(score) * h;
        weight_sum = weight_sum + exp(score);
      }
      attentional = tanh(linear(concat({context / weight_sum, state[0]}),
                                Variable(value("decoder.combine.weight"))));
      const Variable logits = linear(attentional, Variable(value("decoder.readout.weight")),
                                     value("decoder.readout.bias"));
      total = total + logsumexp(logits) - select(select(logits, 1, outputs[t]), 0, 0);
      count += 1.0;
    }
  }
  const double loss =
      model.loss(nn::SymbolBatch::of(kSources), nn::SymbolBatch::of(kTargets)).item();
  CHECK(loss == doctest::Approx(total.item() / count).epsilon(1e-12));
}

TEST_CASE("a padded batch gives what each sequence alone gives") {
  const nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  const nn::SymbolBatch target = nn::SymbolBatch::of(kTargets);
  for (const nn::EncoderDecoder& model : all_models()) {
    const auto [logits, weights] = model(source, target);
    CHECK(logits.shape() == Shape{4, 3, kTargetSymbols});
    CHECK(weights.shape() == Shape{4, 3, 3});
    double total = 0.0, count = 0.0;
    for (Index b = 0; b < 3; ++b) {
      const auto place = static_cast<std::size_t>(b);
      const auto alone = model(only(kSources, place), only(kTargets, place));
      const Index steps = alone.logits.size(0), keys = alone.weights.size(2);
      expect_close(logits.value().slice(0, 0, steps).slice(1, b, b + 1), alone.logits.value());
      const Tensor mine = weights.value().slice(0, 0, steps).slice(1, b, b + 1);
      expect_close(mine.slice(2, 0, keys), alone.weights.value());
      expect_close(mine.slice(2, keys, 3), zeros({steps, 1, 3 - keys}, Dtype::float64), 0.0);
      const auto n = static_cast<double>(steps);
      total += n * model.loss(only(kSources, place), only(kTargets, place)).item();
      count += n;
    }
    CHECK(model.loss(source, target).item() == doctest::Approx(total / count).epsilon(1e-12));

    for (const Index width : {1, 3}) {
      const auto together = model.beam_search(source, {.width = width, .max_length = 6});
      const auto greedy = model.greedy_search(source, {.max_length = 6});
      for (std::size_t b = 0; b < 3; ++b) {
        const auto alone =
            model.beam_search(only(kSources, b), {.width = width, .max_length = 6})[0];
        REQUIRE(together[b].size() == alone.size());
        for (std::size_t k = 0; k < alone.size(); ++k) {
          CHECK(together[b][k].symbols == alone[k].symbols);
          CHECK(together[b][k].score == doctest::Approx(alone[k].score).epsilon(1e-12));
        }
        const auto one = model.greedy_search(only(kSources, b), {.max_length = 6})[0];
        CHECK(greedy[b].symbols == one.symbols);
        if (width == 1) CHECK(greedy[b].symbols == alone[0].symbols);
      }
    }
  }
}

TEST_CASE("what stands in the padding of a batch does not matter") {
  const nn::EncoderDecoder model = all_models()[1];
  nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  nn::SymbolBatch target = nn::SymbolBatch::of(kTargets);
  const double loss = model.loss(source, target).item();
  source.symbols = Tensor::of<Index>({3, 3}, {1, 3, 0, 4, -7, 2, 2, 99, 77});
  target.symbols = Tensor::of<Index>({3, 3}, {2, 1, -1, 1, 2, 55, 44, 2, 3});
  CHECK(model.loss(source, target).item() == loss);
}

TEST_CASE("the gradients of the loss agree with finite differences, encoder and decoder") {
  const nn::SymbolBatch source = nn::SymbolBatch::of({{1, 4, 2}, {3}});
  const nn::SymbolBatch target = nn::SymbolBatch::of({{2, 1}, {1}});
  for (const nn::EncoderDecoder& model : all_models()) {
    const auto loss = [&](std::span<const Variable>) { return model.loss(source, target); };
    const GradcheckReport report = nn::gradcheck(model, loss, {});
    CHECK_MESSAGE(report.passed, report.to_string());
    CHECK(report.checked == model.parameter_count());
  }
}

TEST_CASE("a beam of full width finds the best translation that there is") {
  for (const nn::EncoderDecoder& model : all_models())
    for (const double alpha : {0.0, 1.0}) {
      const nn::SymbolBatch source = nn::SymbolBatch::of({{1, 4, 2}});
      double best = -std::numeric_limits<double>::infinity();
      std::vector<Index> best_symbols;
      Sequences open{{}};
      for (std::size_t length = 1; length <= 4; ++length) {
        Sequences longer;
        for (const auto& symbols : open) {
          const auto steps = static_cast<double>(length);
          const double log_p = -steps * model.loss(source, nn::SymbolBatch::of({symbols})).item();
          const double score = log_p / std::pow((5.0 + steps) / 6.0, alpha);
          if (score > best) best_symbols = symbols;
          best = std::max(best, score);
          for (Index symbol = 0; symbol < kTargetSymbols; ++symbol) {
            if (symbol == kMarks.end) continue;
            longer.push_back(symbols);
            longer.back().push_back(symbol);
          }
        }
        open = longer;
      }
      const auto found =
          model.beam_search(source, {.width = 108, .length_penalty = alpha, .max_length = 4})[0];
      CHECK(found[0].symbols == best_symbols);
      CHECK(found[0].score == doctest::Approx(best).epsilon(1e-12));
    }
}

TEST_CASE("an encoder-decoder learns to turn sequences round") {
  seed(4);
  nn::EncoderDecoder model(
      nn::Encoder(4, nn::Bidirectional(nn::GRU(6, 8), nn::GRU(6, 8))),
      nn::AttentionDecoder(6, nn::LSTM(6 + 16, 16), nn::DotProductAttention(16)),
      {.start = 4, .end = 5});
  nn::Adam adam(model.parameters(), {.learning_rate = 1e-2});
  Generator generator(1);
  const auto batch = [&](std::size_t count) {
    Sequences sources(count), targets;
    for (auto& source : sources) {
      source.resize(1 + generator.below(4));
      for (Index& symbol : source) symbol = static_cast<Index>(generator.below(4));
      targets.emplace_back(source.rbegin(), source.rend());
    }
    return std::pair{sources, targets};
  };
  for (int k = 0; k < 250; ++k) {
    const auto [sources, targets] = batch(16);
    Tape tape;
    Gradients gradients =
        tape.gradients(model.loss(nn::SymbolBatch::of(sources), nn::SymbolBatch::of(targets)));
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
  }
  const auto [sources, targets] = batch(50);
  const auto greedy = model.greedy_search(nn::SymbolBatch::of(sources), {.max_length = 8});
  const auto beam = model.beam_search(nn::SymbolBatch::of(sources), {.max_length = 8});
  int right = 0, right_by_beam = 0;
  for (std::size_t b = 0; b < sources.size(); ++b) {
    right += greedy[b].symbols == targets[b] && greedy[b].ended ? 1 : 0;
    right_by_beam += beam[b][0].symbols == targets[b] ? 1 : 0;
  }
  CHECK(right >= 45);
  CHECK(right_by_beam >= 45);
}

TEST_CASE("an encoder-decoder refuses parts that do not fit and symbols outside") {
  const nn::Encoder encoder(5, nn::GRU(2, 4));
  const auto decoder = [](Index inputs, nn::AdditiveAttention attention, Index units) {
    return nn::AttentionDecoder(4, nn::GRU(inputs, 3), std::move(attention), {.units = units});
  };
  const nn::AttentionDecoder fitting = decoder(5, nn::AdditiveAttention(3, 4, 2), 2);
  for (const Index end : {-1, 4})
    expect_error<ArgumentError>(
        [&] {
          nn::EncoderDecoder(encoder, fitting, {0, end});
        },
        {"end symbol", std::to_string(end), "4 symbols"});
  expect_error<ArgumentError>([&] { nn::EncoderDecoder(encoder, fitting, {.end = 1}); },
                              {"start symbol"});
  expect_error<ArgumentError>(
      [&] { nn::EncoderDecoder(nn::Encoder(5, nn::GRU(2, 3)), fitting, kMarks); },
      {"3 outputs", "reads 4"});
  expect_error<ArgumentError>([&] { decoder(2, nn::AdditiveAttention(3, 4, 2), 2); },
                              {"2 inputs", "fills 2", "embedding"});
  expect_error<ArgumentError>([&] { decoder(3, nn::AdditiveAttention(3, 4, 2), 0); }, {"fills 3"});
  expect_error<ArgumentError>([&] { decoder(5, nn::AdditiveAttention(2, 4, 2), 2); },
                              {"queries of 2", "3 outputs"});
  expect_error<ArgumentError>([&] { decoder(5, nn::AdditiveAttention(3, 4, 2), -1); }, {"units"});
  expect_error<ArgumentError>([] { nn::Encoder(5, nn::Stacked(nn::StackedOptions{})); },
                              {"no layers"});

  const nn::EncoderDecoder model(encoder, fitting, kMarks);
  const nn::SymbolBatch source = nn::SymbolBatch::of({{1, 2}, {3}});
  const nn::SymbolBatch target = nn::SymbolBatch::of({{1}, {2}});
  expect_error<ShapeError>([&] { model.loss(source, nn::SymbolBatch::of({{1}})); },
                           {"2 sources", "1 targets"});
  expect_error<ArgumentError>(
      [&] {
        model.loss(nn::SymbolBatch::of({{1, 2}, {}}), target);
      },
      {"sequence 1", "without keys"});
  expect_error<ArgumentError>(
      [&] {
        model.loss(nn::SymbolBatch::of({{}, {}}), target);
      },
      {"no keys"});
  expect_error<ArgumentError>(
      [&] {
        model.loss(nn::SymbolBatch::of({{1, 5}, {1}}), target);
      },
      {"encoder", "symbol 1 of sequence 0"});
  expect_error<ArgumentError>(
      [&] {
        model.loss(source, nn::SymbolBatch::of({{1}, {4}}));
      },
      {"symbol 0 of sequence 1", "0..3"});
  for (const double truth : {-0.1, 1.1, std::nan("")})
    expect_error<ArgumentError>([&] { model.loss(source, target, {.truth = truth}); }, {"truth"});
  expect_error<ArgumentError>([&] { model.beam_search(source, {.width = 0}); }, {"width"});
  expect_error<ArgumentError>(
      [&] {
        model.next_symbols(source)({0, 0}, {0, 2});
      },
      {"outside", "0..1"});
}

TEST_CASE("a clone of an encoder-decoder computes the same with parameters of its own") {
  const nn::EncoderDecoder model = all_models()[2];
  nn::EncoderDecoder copy = nn::clone(model);
  const nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  const nn::SymbolBatch target = nn::SymbolBatch::of(kTargets);
  const double loss = model.loss(source, target).item();
  CHECK(copy.loss(source, target).item() == loss);
  for (Parameter& parameter : copy.parameters())
    parameter.set(zeros(parameter.shape(), Dtype::float64));
  CHECK(copy.loss(source, target).item() == doctest::Approx(std::log(4.0)));
  CHECK(model.loss(source, target).item() == loss);
}

TEST_CASE("a decoder's cell may have derived weights, in training and in decoding") {
  seed(2);
  nn::GRU plain(4, 3);
  const auto model_with = [](const nn::AnyCell& cell) {
    seed(3);
    return nn::EncoderDecoder(
        nn::Encoder(kSourceSymbols, nn::Recurrent(nn::GRU(2, 4))),
        nn::AttentionDecoder(kTargetSymbols, cell, nn::AdditiveAttention(3, 4, 2), {.units = 2}),
        kMarks);
  };
  const nn::EncoderDecoder normed = model_with(nn::WeightNorm(plain, "weight_hh"));
  const nn::EncoderDecoder bare = model_with(plain);
  const nn::SymbolBatch source = nn::SymbolBatch::of(kSources);
  const nn::SymbolBatch target = nn::SymbolBatch::of(kTargets);
  CHECK(normed.loss(source, target).item() ==
        doctest::Approx(bare.loss(source, target).item()).epsilon(1e-6));
  const auto one = normed.greedy_search(source, {.max_length = 5});
  const auto other = bare.greedy_search(source, {.max_length = 5});
  for (std::size_t b = 0; b < one.size(); ++b) CHECK(one[b].symbols == other[b].symbols);
}

}  // namespace unroll::testing
