// All steps of a memory of key-value pairs at once: the same as step by step, in less memory.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kSteps = 75;  // three chunks
constexpr Index kBatch = 3;
constexpr Index kKeys = 4;
constexpr Index kValues = 5;

/// Random steps with decays of e^-mean_decay on the average.
nn::MemorySteps random_steps(Index decays, double mean_decay, std::uint64_t seed) {
  return {.queries = random({kSteps, kBatch, kKeys}, seed),
          .keys = random({kSteps, kBatch, kKeys}, seed + 1),
          .values = random({kSteps, kBatch, kValues}, seed + 2),
          .log_decay = random({kSteps, kBatch, decays}, seed + 3, -2.0 * mean_decay, 0.0)};
}

/// Plain loops over double for sequence b.
struct HandMemory {
  std::vector<double> outputs, memory;
};
HandMemory by_hand(const nn::MemorySteps& steps, const Tensor& start) {
  HandMemory result;
  const auto& [queries, keys, values, decay] = steps;
  result.outputs.assign(static_cast<std::size_t>(kSteps * kBatch * kValues), 0.0);
  result.memory = start.to_vector<double>();
  for (Index t = 0; t < kSteps; ++t)
    for (Index b = 0; b < kBatch; ++b)
      for (Index k = 0; k < kKeys; ++k)
        for (Index v = 0; v < kValues; ++v) {
          double& s = result.memory[static_cast<std::size_t>((b * kKeys + k) * kValues + v)];
          const Index row = decay.size(2) == 1 ? 0 : k;
          s = std::exp(decay.value().at({t, b, row})) * s +
              keys.value().at({t, b, k}) * values.value().at({t, b, v});
          result.outputs[static_cast<std::size_t>((t * kBatch + b) * kValues + v)] +=
              queries.value().at({t, b, k}) * s;
        }
  return result;
}

/// A layer and a random sequence for it, run in every way that a layer can be asked for.
struct Way {
  std::string name;
  nn::UnrollOptions options;
};
std::vector<Way> ways() {
  std::vector<double> marks(static_cast<std::size_t>(kSteps * kBatch), 0.0);
  for (const Index at : {0, 31, 32, 97, 98, 99, 130, 200, 224})
    marks[static_cast<std::size_t>(at)] = 1.0;
  const Tensor resets = Tensor::of<double>({kSteps, kBatch}, marks);
  const std::vector<Index> lengths{kSteps, 40, 0};
  std::vector<Way> all{{"plain", {}},
                       {"lengths", {.lengths = lengths}},
                       {"resets", {.resets = resets}},
                       {"lengths and resets", {.lengths = lengths, .resets = resets}}};
  for (std::size_t k = 0; k < 4; ++k) {
    Way reversed = all[k];
    reversed.name += " in reverse";
    reversed.options.reverse = true;
    all.push_back(reversed);
  }
  return all;
}

void expect_same(const Tensor& actual, const Tensor& expected) {
  expect_values(actual, expected.to_vector<double>(), 1e-11);
}

/// Outputs, states and all gradients of the layer are those of its steps.
void expect_as_stepwise(const nn::Recurrent& rnn, const nn::UnrollOptions& options) {
  const Tensor x = random({kSteps, kBatch, rnn.cell().inputs()}, 31, -2.0, 2.0);
  const std::vector<Tensor> start = random_state(rnn, kBatch, 32);
  const auto run = [&](const nn::Recurrent& layer) {
    Tape tape;
    const Variable input = tape.watch(x);
    nn::State state;
    for (const Tensor& part : start) state.push_back(tape.watch(part));
    const auto [outputs, after] = layer(input, state, options);
    Variable loss = sum(outputs * random(outputs.shape(), 33));
    for (const Variable& part : after) loss = loss + sum(part * random(part.shape(), 34));
    const Gradients gradients = tape.gradients(loss);
    std::vector<Tensor> results{outputs.value(), gradients[input].value()};
    for (const Variable& part : after) results.push_back(part.value());
    for (const Variable& part : state) results.push_back(gradients[part].value());
    for (const Parameter& parameter : rnn.parameters())
      results.push_back(gradients[parameter].value());
    return results;
  };
  const std::vector<Tensor> at_once = run(rnn), stepwise = run(rnn.stepwise());
  REQUIRE(at_once.size() == stepwise.size());
  for (std::size_t k = 0; k < at_once.size(); ++k) {
    CAPTURE(k);
    expect_same(at_once[k], stepwise[k]);
  }
}

}  // namespace

TEST_CASE("a memory scan computes the recurrence of its documentation") {
  const Tensor start = random({kBatch, kKeys, kValues}, 1);
  for (const Index decays : {Index{1}, kKeys})
    for (const double decay : {0.0, 0.05, 1.0, 20.0, 300.0}) {
      CAPTURE(decays);
      CAPTURE(decay);
      const nn::MemorySteps steps = random_steps(decays, decay, 2);
      const auto [outputs, memory] = nn::memory_scan(steps, start, {});
      const HandMemory expected = by_hand(steps, start);
      expect_values(outputs.value(), expected.outputs);
      expect_values(memory.value(), expected.memory);
    }
}

TEST_CASE("a decay of zero in the middle of a memory scan leaves nothing, and what follows exact") {
  nn::MemorySteps steps = random_steps(1, 0.1, 5);
  Tensor decay = steps.log_decay.value().clone();
  for (const Index at : {3, 20, 21, 64})
    decay.in_place<double>()[at * kBatch + at % kBatch] = -1e30;
  steps.log_decay = decay;
  const Tensor start = random({kBatch, kKeys, kValues}, 6);
  const auto [outputs, memory] = nn::memory_scan(steps, start, {});
  const HandMemory expected = by_hand(steps, start);
  expect_values(outputs.value(), expected.outputs);
  expect_values(memory.value(), expected.memory);
}

TEST_CASE("memory scans in float32 lose no digits to deep decays") {
  for (const double decay : {0.5, 1.2, 3.0, 30.0}) {
    const nn::MemorySteps steps = random_steps(kKeys, decay, 7);
    const Tensor start = random({kBatch, kKeys, kValues}, 8);
    const auto narrow_of = [](const Variable& x) { return x.value().to(Dtype::float32); };
    const auto [outputs, memory] = nn::memory_scan({.queries = narrow_of(steps.queries),
                                                    .keys = narrow_of(steps.keys),
                                                    .values = narrow_of(steps.values),
                                                    .log_decay = narrow_of(steps.log_decay)},
                                                   start.to(Dtype::float32), {});
    expect_values(outputs.value(), by_hand(steps, start).outputs, 1e-5);
  }
}

TEST_CASE("gradients of memory and delta scans are those of finite differences, of both orders") {
  const auto by_delta = [](std::span<const Variable> in) {
    const auto [outputs, memory] = nn::delta_scan({in[0], in[1], in[2], in[3]}, in[4], {});
    return sum(square(outputs)) + sum(sin(memory));
  };
  const std::vector<Tensor> delta_inputs{random({4, 2, 2}, 16), random({4, 2, 2}, 17),
                                         random({4, 2, 3}, 18), random({4, 2, 1}, 19, 0.1, 0.9),
                                         random({2, 2, 3}, 20)};
  const GradcheckReport delta_first = gradcheck(by_delta, delta_inputs);
  CHECK_MESSAGE(delta_first, delta_first.to_string());
  const GradcheckReport delta_second = gradgradcheck(by_delta, delta_inputs);
  CHECK_MESSAGE(delta_second, delta_second.to_string());

  for (const Index decays : {Index{1}, Index{2}}) {
    const auto f = [](std::span<const Variable> in) {
      const auto [outputs, memory] = nn::memory_scan({in[0], in[1], in[2], in[3]}, in[4], {});
      return sum(square(outputs)) + sum(sin(memory));
    };
    const std::vector<Tensor> inputs{random({4, 2, 2}, 11), random({4, 2, 2}, 12),
                                     random({4, 2, 3}, 13), random({4, 2, decays}, 14, -2.0, -0.1),
                                     random({2, 2, 3}, 15)};
    const GradcheckReport first = gradcheck(f, inputs);
    CHECK_MESSAGE(first, first.to_string());
    const GradcheckReport second = gradgradcheck(f, inputs);
    CHECK_MESSAGE(second, second.to_string());
  }
}

TEST_CASE("layers with a matrix memory run as their steps do, in every way that a layer can run") {
  for (const Way& way : ways()) {
    CAPTURE(way.name);
    nn::Recurrent attention(
        nn::GatedLinearAttention(3, kKeys, kValues, {.gate_rank = 2, .temperature = 2.0}));
    randomize(attention, 21);
    expect_as_stepwise(attention, way.options);
    nn::Recurrent delta(nn::DeltaNet(3, kKeys, kValues));
    randomize(delta, 23);
    expect_as_stepwise(delta, way.options);
    for (const bool exponential : {false, true}) {
      nn::Recurrent mlstm(nn::MLSTM(3, kKeys, {.exponential_forget = exponential}));
      randomize(mlstm, 22);
      expect_as_stepwise(mlstm, way.options);
    }
  }
}

TEST_CASE("a delta scan replaces what is stored under equal keys") {
  // One-hot keys: with a rate of 1 each is a place that is written, with 0.5 one half of it.
  const Tensor keys = Tensor::of<double>({5, 1, 2}, {1, 0, 0, 1, 1, 0, 1, 0, 0, 1});
  const Tensor values = Tensor::of<double>({5, 1, 1}, {3, 5, 7, 1, 9});
  const Tensor rates = Tensor::of<double>({5, 1, 1}, {1, 1, 1, 0.5, 0});
  const auto [outputs, memory] =
      nn::delta_scan({.queries = keys, .keys = keys, .values = values, .rates = rates},
                     Tensor::of<double>({1, 2, 1}, {2, 4}), {});
  expect_values(outputs.value(), {3, 5, 7, 4, 5});
  expect_values(memory.value(), {4, 5});
}

TEST_CASE("a DeltaNet that meets NaN has NaN outputs, as its steps do") {
  const nn::Recurrent rnn(nn::DeltaNet(3, 2, 2));
  Tensor x = narrow({4, 1, 3}, 24);
  x.in_place<float>()[3] = std::nanf("");
  const std::vector<float> outputs = rnn(x).outputs.value().to_vector<float>();
  CHECK(std::isfinite(outputs[0]));
  CHECK(std::isnan(outputs[7]));
}

TEST_CASE("a layer with a matrix memory keeps none for each step") {
  const Tensor x = narrow({256, 2, 8}, 41);
  const std::size_t matrices = 256 * 2 * 64 * 64 * sizeof(float);
  const auto bytes_kept = [&](const nn::Recurrent& layer) {
    Tape tape;
    const std::size_t before = memory::statistics().bytes_in_use;
    const nn::Sequence run = layer(tape.watch(x));
    return memory::statistics().bytes_in_use - before;
  };
  for (const nn::Recurrent& rnn :
       {nn::Recurrent(nn::GatedLinearAttention(8, 64, 64)), nn::Recurrent(nn::MLSTM(8, 64)),
        nn::Recurrent(nn::DeltaNet(8, 64, 64))}) {
    CHECK(bytes_kept(rnn.stepwise()) > matrices);
    CHECK(bytes_kept(rnn) < matrices / 2);
  }
}

TEST_CASE("a memory scan refuses sizes that do not fit") {
  const nn::MemorySteps good = random_steps(kKeys, 1.0, 51);
  const Tensor start = random({kBatch, kKeys, kValues}, 52);
  nn::MemorySteps bad = good;
  bad.keys = random({kSteps, kBatch, kKeys + 1}, 53);
  expect_error<ShapeError>([&] { nn::memory_scan(bad, start, {}); },
                           {"memory_scan", "keys", "[75,3,5]", "[T,B,K]"});
  bad = good;
  bad.log_decay = random({kSteps, kBatch, 2}, 54, -1.0, 0.0);
  expect_error<ShapeError>([&] { nn::memory_scan(bad, start, {}); }, {"log_decay", "[75,3,2]"});
  expect_error<ShapeError>([&] { nn::memory_scan(good, start.transpose(1, 2), {}); },
                           {"start", "[3,5,4]", "[B,K,V]"});
  expect_error<ShapeError>(
      [&] {
        nn::delta_scan({good.queries, good.keys, good.values, good.log_decay}, start, {});
      },
      {"delta_scan", "rates", "[75,3,4]", "[T,B,1]"});
}

}  // namespace unroll::testing
