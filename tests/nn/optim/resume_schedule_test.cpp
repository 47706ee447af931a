// A run that stops in the middle of a schedule and continues from the state of its optimizer.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/mlp.hpp>
#include <nn/optim/adadelta.hpp>
#include <nn/optim/adagrad.hpp>
#include <nn/optim/adam.hpp>
#include <nn/optim/asgd.hpp>
#include <nn/optim/lion.hpp>
#include <nn/optim/nadam.hpp>
#include <nn/optim/radam.hpp>
#include <nn/optim/rmsprop.hpp>
#include <nn/optim/schedule.hpp>
#include <nn/optim/sgd.hpp>

#include <cstdint>
#include <memory>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

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

std::vector<double> weights_of(const nn::Module& module) {
  std::vector<double> all;
  for (const Parameter& parameter : module.parameters())
    for (const double value : parameter.value().to_vector<double>()) all.push_back(value);
  return all;
}

template <class O, class Options>
void check_resumes(const Options& options) {
  const nn::MLP start = model_of_seed_3();
  const nn::MLP whole = nn::clone(start);
  O uninterrupted(whole.parameters(), options);
  train(uninterrupted, whole, 14);
  for (const std::int64_t stop : {0, 1, 3, 4, 9}) {
    CAPTURE(stop);
    const nn::MLP parts = nn::clone(start);
    O first(parts.parameters(), options);
    train(first, parts, stop);
    O second(parts.parameters(), options);
    second.set_state(parts, first.state(parts));
    train(second, parts, 14);
    CHECK(weights_of(parts) == weights_of(whole));
    CHECK(second.learning_rate() == uninterrupted.learning_rate());
  }
}

}  // namespace

TEST_CASE("a run continues in the middle of a schedule with the same steps, bit for bit") {
  check_resumes<nn::SGD>(nn::SGDOptions{.momentum = 0.9, .nesterov = true});
  check_resumes<nn::ASGD>(nn::ASGDOptions{.start = 2});
  check_resumes<nn::RMSprop>(nn::RMSpropOptions{.momentum = 0.5});
  check_resumes<nn::Adagrad>(nn::AdagradOptions{.rate_decay = 0.1});
  check_resumes<nn::Adadelta>(nn::AdadeltaOptions{});
  check_resumes<nn::Adam>(nn::AdamOptions{.weight_decay = 0.1});
  check_resumes<nn::NAdam>(nn::NAdamOptions{});
  check_resumes<nn::RAdam>(nn::RAdamOptions{});
  check_resumes<nn::Lion>(nn::LionOptions{});
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
