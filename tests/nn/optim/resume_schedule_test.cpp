// A run that stops in the middle of a schedule and continues from the state of its optimizer.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/mlp.hpp>
#include <nn/optim/schedule.hpp>

#include <cstdint>
#include <memory>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/optimizers.hpp"

namespace unroll::testing {
namespace {

constexpr double kRate = 0.05;

nn::Schedule warmup_and_decay() {
  return nn::schedule::then(nn::schedule::linear_warmup(4, 0.25), 4, nn::schedule::cosine(8, 0.1));
}

void train(nn::Optimizer& optimizer, const nn::MLP& model, std::int64_t until) {
  const nn::Schedule schedule = warmup_and_decay();
  while (optimizer.steps() < until) {
    optimizer.set_learning_rate(kRate * schedule(optimizer.steps()));
    const Tensor x = random({5, 3}, static_cast<std::uint64_t>(optimizer.steps()));
    Tape tape;
    optimizer.step(tape.gradients(sum(square(model(x)))));
  }
}

nn::MLP model_of_seed_3() {
  seed(3);
  nn::MLP model({3, 4, 2});
  model.to(Dtype::float64);
  return model;
}

void check_resumes(const MakeOptimizer& make) {
  const nn::MLP start = model_of_seed_3();
  const nn::MLP whole = nn::clone(start);
  const auto uninterrupted = make(whole.parameters());
  train(*uninterrupted, whole, 14);
  for (const std::int64_t stop : {0, 1, 3, 4, 9}) {
    CAPTURE(stop);
    const nn::MLP parts = nn::clone(start);
    const auto first = make(parts.parameters());
    train(*first, parts, stop);
    const auto second = make(parts.parameters());
    second->set_state(parts, first->state(parts));
    train(*second, parts, 14);
    CHECK(weights_of(parts) == weights_of(whole));
    CHECK(second->learning_rate() == uninterrupted->learning_rate());
  }
}

}  // namespace

TEST_CASE("a run continues in the middle of a schedule with the same steps, bit for bit") {
  for (const MakeOptimizer& make : every_optimizer()) check_resumes(make);
}

TEST_CASE("sparse rows change the looked up rows alone where that is exact, under any rate") {
  const Tensor first = random({5, 2}, 1);
  const Tensor at = Tensor::of<std::int64_t>({3}, {3, 1, 3});
  const auto is_untouched = [&](auto make) {
    const Parameter table("table", first.clone());
    const auto optimizer = make(std::vector{table});
    for (int k = 0; k < 3; ++k) {
      optimizer->set_learning_rate(kRate * warmup_and_decay()(optimizer->steps()));
      Tape tape;
      const Gradients gradients = tape.gradients(sum(square(embedding(table, at))));
      REQUIRE_FALSE(gradients.parameters()[0].dense.defined());
      optimizer->step(gradients);
    }
    for (const Index row : {1, 3})
      for (const Index column : {0, 1})
        CHECK(table.value().at({row, column}) != first.at({row, column}));
    bool untouched = true;
    for (const Index row : {0, 2, 4})
      for (const Index column : {0, 1})
        untouched = untouched && table.value().at({row, column}) == first.at({row, column});
    return untouched;
  };
  const auto sgd = [](const nn::SGDOptions& options) {
    return [options](const auto& all) { return std::make_unique<nn::SGD>(all, options); };
  };
  CHECK(is_untouched(sgd({})));
  CHECK(is_untouched(sgd({.momentum = 0.9, .nesterov = true})));
  CHECK(is_untouched([](const auto& all) { return std::make_unique<nn::Adagrad>(all); }));
  CHECK(is_untouched([](const auto& all) { return std::make_unique<nn::Adam>(all); }));
  // Decay reaches every row.
  CHECK_FALSE(is_untouched(sgd({.weight_decay = 0.1})));
}

}  // namespace unroll::testing
