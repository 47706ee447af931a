#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <functional>
#include <string>
#include <vector>

#include "support/counted_new.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing {
namespace {

void expect_no_allocation(const std::function<void()>& step) {
  for (int k = 0; k < 3; ++k) step();
  const std::uint64_t heap = heap_allocations;
  const memory::Statistics before = memory::statistics();
  for (int k = 0; k < 10; ++k) step();
  const std::uint64_t allocated = heap_allocations - heap;
  CHECK(allocated == 0);
  CHECK(memory::statistics().allocations == before.allocations);
  CHECK(memory::statistics().bytes_in_use == before.bytes_in_use);
  CHECK(memory::statistics().requests >= before.requests + 100);
}

/// What one more step of a sequence costs a training step: nodes, blocks of memory, bytes in them.
struct StepCost {
  double operations, requests, bytes;
};

StepCost cost_of_a_step(const nn::Recurrent& rnn, Index batch) {
  const auto measure = [&](Index steps) {
    const Tensor x = ones({steps, batch, rnn.cell().inputs()});
    const memory::Statistics before = memory::statistics();
    Tape tape;
    const Variable loss = sum(rnn(tape.watch(x)).outputs);
    const auto operations = static_cast<double>(tape.statistics().operations);
    tape.gradients(loss);
    const memory::Statistics after = memory::statistics();
    return StepCost{operations, static_cast<double>(after.requests - before.requests),
                    static_cast<double>(after.bytes_requested - before.bytes_requested)};
  };
  measure(40);  // the scratch of kernels is there from then on
  const StepCost few = measure(20);
  const StepCost many = measure(40);
  return {(many.operations - few.operations) / 20, (many.requests - few.requests) / 20,
          (many.bytes - few.bytes) / 20};
}

}  // namespace

// The counts stand for time: a change that raises one makes every recurrent network slower, and
// needs a reason. Whoever lowers one lowers the bound.
TEST_CASE("a step of a recurrent network costs a few nodes, blocks and bytes") {
  constexpr Index kBatch = 8;
  constexpr Index kHidden = 64;
  constexpr double kState = kBatch * kHidden * sizeof(float);
  const auto check = [&](const std::string& name, const nn::Recurrent& rnn, double operations,
                         double requests, double states) {
    CAPTURE(name);
    const StepCost cost = cost_of_a_step(rnn, kBatch);
    CHECK(cost.operations == operations);
    CHECK(cost.requests <= requests);
    CHECK(cost.bytes / kState <= states);
  };
  check("LSTM", nn::Recurrent(nn::LSTM(kHidden, kHidden)), 2, 9.5, 24.5);
  check("GRU", nn::Recurrent(nn::GRU(kHidden, kHidden)), 2, 11.5, 26.5);
  check("Elman", nn::Recurrent(nn::Elman(kHidden, kHidden)), 2, 7.5, 10.5);
}

TEST_CASE("a training step of an LSTM language model allocates nothing once the first are over") {
  seed(1);
  nn::Embedding embed(40, 12);
  nn::Recurrent rnn(nn::LSTM(12, 16));
  nn::Linear head(16, 40);
  std::vector<Parameter> parameters = embed.parameters();
  for (const auto* part : std::initializer_list<const nn::Module*>{&rnn, &head})
    for (const Parameter& parameter : part->parameters()) parameters.push_back(parameter);
  nn::Adam adam(parameters);
  const Tensor ids = uniform({10, 4}, 0, 40).to(Dtype::int64);
  nn::State state;
  double loss_before = 0.0;
  double loss_after = 0.0;
  expect_no_allocation([&] {
    Tape tape;
    auto [outputs, next] = rnn(embed(ids), state);
    const Variable loss = cross_entropy(head(outputs), ids);
    adam.step(tape.gradients(loss));
    loss_after = loss.item();
    if (loss_before == 0.0) loss_before = loss_after;
  });
  CHECK(loss_after < loss_before);
}

TEST_CASE("clipping and the step of every optimizer allocate nothing once the first are over") {
  // A table that is looked up, a matrix that is worth several threads, a vector.
  const std::vector<Parameter> parameters = {Parameter("table", ones({50, 6})),
                                             Parameter("matrix", ones({600, 700})),
                                             Parameter("vector", ones({3}))};
  const Tensor rows = uniform({20}, 0.0, 50.0).to(Dtype::int64);
  const auto check = [&](nn::Optimizer&& optimizer) {
    const double before = parameters[0].value().at({0, 0});
    expect_no_allocation([&] {
      Tape tape;
      const Variable loss = sum(square(embedding(parameters[0], rows))) +
                            sum(square(Variable(parameters[1]))) + sum(Variable(parameters[2]));
      Gradients gradients = tape.gradients(loss);
      CHECK(nn::clip_by_global_norm(gradients, 0.5) > 0.5);
      optimizer.step(gradients);
    });
    CHECK(parameters[0].value().at({rows.to_vector<std::int64_t>()[0], 0}) != before);
  };
  const WithThreads guard(2);
  check(nn::SGD(parameters, {.learning_rate = 0.1}));
  check(nn::SGD(parameters, {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}));
  check(nn::SGD(parameters, {.learning_rate = 0.1, .weight_decay = 0.1}));
  check(nn::Adam(parameters, {.weight_decay = 0.1}));
}

}  // namespace unroll::testing
