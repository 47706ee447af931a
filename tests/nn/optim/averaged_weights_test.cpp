#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/linear.hpp>
#include <nn/optim/averaged_weights.hpp>
#include <nn/optim/non_monotonic_trigger.hpp>
#include <nn/optim/sgd.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// The average of the scalar w after it took these values.
double average_of(const nn::AveragedWeightsOptions& options, const std::vector<double>& values) {
  Parameter w("w", full({}, values[0], Dtype::float64));
  nn::AveragedWeights average({w}, options);
  for (std::size_t k = 1; k < values.size(); ++k) {
    w.set(full({}, values[k], Dtype::float64));
    average.update();
  }
  CHECK(average.updates() == static_cast<std::int64_t>(values.size()) - 1);
  return average.averages()[0].value.item();
}

std::vector<double> elements(const nn::AveragedWeights& average) {
  std::vector<double> all;
  for (const auto& [parameter, value] : average.averages())
    for (const double element : value.value().to_vector<double>()) all.push_back(element);
  return all;
}

}  // namespace

TEST_CASE("an exponential average starts from the weights at construction") {
  const nn::AveragedWeightsOptions options{.decay = 0.75};
  CHECK(average_of(options, {8.0}) == 8.0);
  CHECK(average_of(options, {8.0, 4.0}) == 7.0);
  CHECK(average_of(options, {8.0, 4.0, -1.0}) == 5.0);
}

TEST_CASE("a debiased average is that from zeros, divided by the sum of its shares") {
  const nn::AveragedWeightsOptions options{.averaging = nn::Averaging::debiased, .decay = 0.75};
  const std::vector<double> values = {99.0, 4.0, -1.0, 0.5, 2.0};
  double from_zeros = 0.0;
  std::vector<double> seen = {values[0]};
  for (std::size_t t = 1; t < values.size(); ++t) {
    seen.push_back(values[t]);
    from_zeros = 0.75 * from_zeros + 0.25 * values[t];
    const double expected = from_zeros / (1.0 - std::pow(0.75, static_cast<double>(t)));
    CHECK(average_of(options, seen) == doctest::Approx(expected).epsilon(1e-14));
  }
  CHECK(average_of(options, {99.0, 4.0}) == 4.0);
}

TEST_CASE("an equal average is the mean of the weights after each update") {
  const nn::AveragedWeightsOptions options{.averaging = nn::Averaging::equal};
  CHECK(average_of(options, {99.0, 0.1}) == 0.1);
  CHECK(average_of(options, {99.0, 1.0, 2.0, 6.0}) == doctest::Approx(3.0).epsilon(1e-15));
}

TEST_CASE("the model reads the averages while they are substituted") {
  Parameter w("w", full({2}, 4.0));
  nn::AveragedWeights average({w}, {.decay = 0.5});
  w.set(full({2}, 2.0));
  average.update();
  {
    const Substitution averaged(average.averages());
    expect_values(Variable(w).value(), {3.0, 3.0}, 0.0);
    average.update();  // of the weights, not of the averages
  }
  expect_values(Variable(w).value(), {2.0, 2.0}, 0.0);
  CHECK(elements(average) == std::vector<double>{2.5, 2.5});
}

TEST_CASE("averages that somebody holds do not change") {
  Parameter w("w", full({2}, 4.0));
  nn::AveragedWeights average({w, w}, {.decay = 0.5});
  const auto held = average.averages();
  CHECK(held.size() == 1);  // each parameter once
  w.set(zeros({2}));
  average.update();
  CHECK(held[0].value.value().to_vector<double>() == std::vector<double>{4, 4});
  CHECK(elements(average) == std::vector<double>{2, 2});
}

TEST_CASE("averages follow the weights to another dtype") {
  Parameter w("w", full({2}, 4.0));
  nn::AveragedWeights average({w}, {.decay = 0.5});
  w.set(zeros({2}, Dtype::float64));
  CHECK(average.averages()[0].value.dtype() == Dtype::float64);
  average.update();
  CHECK(average.averages()[0].value.dtype() == Dtype::float64);
  CHECK(elements(average) == std::vector<double>{2, 2});
}

TEST_CASE("averages that continue from a state are the same, bit for bit") {
  for (const nn::Averaging averaging :
       {nn::Averaging::exponential, nn::Averaging::debiased, nn::Averaging::equal}) {
    const nn::AveragedWeightsOptions options{.averaging = averaging, .decay = 0.9};
    nn::Linear model(3, 2);
    const auto move = [&](std::uint64_t step) {
      for (Parameter& parameter : model.parameters())
        parameter.set(random(parameter.shape(), step).to(parameter.dtype()));
    };
    nn::AveragedWeights whole(model.parameters(), options);
    nn::NamedTensors state;
    for (std::uint64_t k = 0; k < 6; ++k) {
      if (k == 3) state = whole.state(model);
      move(k);
      whole.update();
    }
    nn::AveragedWeights second(model.parameters(), options);
    second.set_state(model, state);
    CHECK(second.updates() == 3);
    for (std::uint64_t k = 3; k < 6; ++k) {
      move(k);
      second.update();
    }
    CHECK(elements(second) == elements(whole));
  }
}

TEST_CASE("a state of averages that does not fit changes nothing and says what is wrong") {
  const nn::Linear model(3, 2);
  nn::AveragedWeights average(model.parameters());
  average.update();
  nn::NamedTensors state = average.state(model);
  REQUIRE(state.size() == 3);
  CHECK(state[1].first == "weight.average");
  state[1].second = zeros({7});
  state[2].first = "elsewhere";
  const std::vector<double> before = elements(average);
  expect_error<FormatError>([&] { average.set_state(model, state); },
                            {"AveragedWeights", "weight.average: [7] instead of [2,3]",
                             "bias.average: missing", "elsewhere: not of this average"});
  CHECK(elements(average) == before);
  const nn::Linear foreign(3, 2);
  expect_error<ArgumentError>([&] { static_cast<void>(average.state(foreign)); },
                              {"AveragedWeights", "not in the module"});
  for (const double decay : {1.0, -0.1, std::nan("")})
    expect_error<ArgumentError>([&] { nn::AveragedWeights({}, {.decay = decay}); },
                                {"AveragedWeights", "decay"});
}

TEST_CASE("SGD, a trigger and an equal average are NT-ASGD") {
  // The loss is w: w falls by 1 a step. Validation, after every second step, gets worse at once.
  Parameter w("w", full({1}, 0.0, Dtype::float64));
  nn::SGD sgd({w}, {.learning_rate = 1.0});
  nn::AveragedWeights average({w}, {.averaging = nn::Averaging::equal});
  nn::NonMonotonicTrigger trigger({.window = 1});
  for (int step = 1; step <= 10; ++step) {
    Tape tape;
    sgd.step(tape.gradients(sum(Variable(w))));
    if (trigger.triggered()) average.update();
    if (step % 2 == 0 && !trigger.triggered() && trigger.observe(step)) average.update();
  }
  // Triggered by the third validation, after step 6: the mean of -6, ..., -10.
  CHECK(average.updates() == 5);
  CHECK(average.averages()[0].value.item() == doctest::Approx(-8.0).epsilon(1e-14));
  CHECK(w.value().item() == -10.0);
}

}  // namespace unroll::testing
