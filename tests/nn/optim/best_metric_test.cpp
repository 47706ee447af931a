// What watches a validation metric: Plateau, EarlyStopping, NonMonotonicTrigger.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/optim/early_stopping.hpp>
#include <nn/optim/non_monotonic_trigger.hpp>
#include <nn/optim/plateau.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "parity/golden.hpp"
#include "support/expect.hpp"

namespace unroll::testing {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What `watcher` returns for each metric; with `resume_at`, a fresh one continues from there.
template <class Watcher, class Options>
auto observe_all(const Options& options, const std::vector<double>& metrics,
                 std::size_t resume_at = 0) {
  Watcher watcher(options);
  std::vector<double> all;
  for (std::size_t k = 0; k < metrics.size(); ++k) {
    if (k == resume_at && k > 0) {
      Watcher fresh(options);
      fresh.set_state(watcher.state());
      watcher = fresh;
    }
    all.push_back(static_cast<double>(watcher.observe(metrics[k])));
  }
  return all;
}

}  // namespace

TEST_CASE("a plateau reduces the rate as torch.optim.lr_scheduler.ReduceLROnPlateau does") {
  const std::map<std::string, nn::PlateauOptions> cases = {
      {"min", {.factor = 0.5, .patience = 1, .threshold = 0.0625}},
      {"max", {.factor = 0.75, .patience = 2, .threshold = 0.0, .goal = nn::Goal::maximise}},
      {"cooldown", {.factor = 0.5, .patience = 0, .threshold = 0.0625, .cooldown = 2}},
      {"least rate", {.factor = 0.25, .patience = 1, .threshold = 0.25, .min_factor = 0.125}},
  };
  const Golden golden = Golden::read("schedules");
  CHECK(golden["plateaus"].size() == cases.size());
  const auto metrics = golden["metrics"].tensor(Dtype::float64).to_vector<double>();
  for (const auto& [name, options] : cases) {
    CAPTURE(name);
    const auto expected = golden["plateaus"][name].tensor(Dtype::float64).to_vector<double>();
    CHECK(observe_all<nn::Plateau>(options, metrics) == expected);
    for (std::size_t at = 1; at < metrics.size(); ++at)
      CHECK(observe_all<nn::Plateau>(options, metrics, at) == expected);
  }
}

TEST_CASE("a metric that is NaN is never better, a first one included") {
  nn::Plateau plateau({.factor = 0.5, .patience = 1});
  CHECK(plateau.observe(kNaN) == 1.0);
  CHECK(std::isnan(plateau.best()));
  CHECK(plateau.observe(kNaN) == 0.5);
  CHECK(plateau.observe(3.0) == 0.5);
  CHECK(plateau.best() == 3.0);
  CHECK(plateau.observe(kNaN) == 0.5);
  CHECK(plateau.best() == 3.0);
  CHECK(plateau.observe(kNaN) == 0.25);
  CHECK(observe_all<nn::EarlyStopping>(nn::EarlyStoppingOptions{.patience = 2},
                                       {kNaN, 1.0, kNaN, kNaN}) == std::vector<double>{0, 0, 0, 1});
}

TEST_CASE("any finite metric is better than an infinite one") {
  nn::EarlyStopping stopping({.patience = 1, .min_delta = 1.0});
  CHECK_FALSE(stopping.observe(kInfinity));
  CHECK_FALSE(stopping.observe(1e300));
  CHECK(stopping.best() == 1e300);
  CHECK(stopping.observe(kInfinity));
}

TEST_CASE("a negative metric must improve by a fraction of its absolute value") {
  nn::Plateau plateau({.factor = 0.5, .patience = 0, .threshold = 0.5});
  CHECK(plateau.observe(-2.0) == 1.0);
  CHECK(plateau.observe(-2.5) == 0.5);
  CHECK(plateau.observe(-3.5) == 0.5);
  CHECK(plateau.best() == -3.5);
}

TEST_CASE("training stops after `patience` metrics that are no better") {
  const std::vector<double> metrics = {5, 4, 4, 3, 3.5, 3, 3.2, 2};
  const nn::EarlyStoppingOptions options{.patience = 3};
  const std::vector<double> expected = {0, 0, 0, 0, 0, 0, 1, 0};
  for (std::size_t at = 0; at < metrics.size(); ++at)
    CHECK(observe_all<nn::EarlyStopping>(options, metrics, at) == expected);
  nn::EarlyStopping stopping(options);
  for (const double metric : metrics) stopping.observe(metric);
  CHECK(stopping.best() == 2.0);
  CHECK(stopping.since_best() == 0);
  stopping.observe(7.0);
  CHECK(stopping.best() == 2.0);
  CHECK(stopping.since_best() == 1);
}

TEST_CASE("an improvement must exceed min_delta, towards the goal") {
  const nn::EarlyStoppingOptions least{.patience = 1, .min_delta = 0.5};
  CHECK(observe_all<nn::EarlyStopping>(least, {3, 2.5, 2.25}) == std::vector<double>{0, 1, 0});
  const nn::EarlyStoppingOptions most{.patience = 1, .min_delta = 0.5, .goal = nn::Goal::maximise};
  CHECK(observe_all<nn::EarlyStopping>(most, {3, 2, 3.5, 3.75}) == std::vector<double>{0, 1, 1, 0});
}

TEST_CASE("averaging is triggered by a loss worse than the best before the window") {
  // With a window of 2: 4.5 is worse than 4 of its window, but not than 5; 4.25 is worse than 4.
  const std::vector<double> losses = {6, 5, 4, 4.5, 3.9, 4.25, 1};
  const std::vector<double> expected = {0, 0, 0, 0, 0, 1, 1};
  const nn::NonMonotonicTriggerOptions options{.window = 2};
  for (std::size_t at = 0; at < losses.size(); ++at)
    CHECK(observe_all<nn::NonMonotonicTrigger>(options, losses, at) == expected);
  CHECK(observe_all<nn::NonMonotonicTrigger>(nn::NonMonotonicTriggerOptions{.window = 0},
                                             {2, 2, 2.5, 1}) == std::vector<double>{0, 0, 1, 1});
  nn::NonMonotonicTrigger trigger;  // nothing lies before a window of five
  for (const double loss : {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}) CHECK_FALSE(trigger.observe(loss));
  CHECK(trigger.observe(7.0));
  CHECK(trigger.triggered());
}

TEST_CASE("a validation loss that is NaN is worse than any number") {
  const nn::NonMonotonicTriggerOptions options{.window = 1};
  CHECK(observe_all<nn::NonMonotonicTrigger>(options, {kNaN, 2, 1}) ==
        std::vector<double>{0, 0, 0});
  CHECK(observe_all<nn::NonMonotonicTrigger>(options, {2, 1, kNaN}) ==
        std::vector<double>{0, 0, 1});
}

TEST_CASE("the state of what watches a metric is refused when it does not fit, and unchanged") {
  nn::Plateau plateau({.factor = 0.5, .patience = 0});
  for (const double metric : {1.0, 2.0}) plateau.observe(metric);
  nn::NamedTensors state = plateau.state();
  state[0] = {"elsewhere", zeros({})};
  state[1].second = zeros({3});
  expect_error<FormatError>(
      [&] { plateau.set_state(state); },
      {"Plateau", "factor: missing", "worse: [3] instead of []", "elsewhere: not of this plateau"});
  CHECK(plateau.factor() == 0.5);
  state = plateau.state();
  state[2].second = full({}, -1.0);
  expect_error<FormatError>([&] { plateau.set_state(state); }, {"cooling", "not a count"});
  state = plateau.state();
  state[0].second = full({}, 2.0);
  expect_error<FormatError>([&] { plateau.set_state(state); }, {"factor", "[0, 1]"});

  nn::EarlyStopping stopping;
  expect_error<FormatError>([&] { stopping.set_state({}); }, {"EarlyStopping", "best: missing"});
  nn::NonMonotonicTrigger trigger;
  trigger.observe(1.0);
  state = trigger.state();
  state[1].second = full({}, 2.0);
  expect_error<FormatError>([&] { trigger.set_state(state); },
                            {"NonMonotonicTrigger", "losses: [1] instead of [2]"});
}

TEST_CASE("what watches a metric refuses options out of range, by name") {
  expect_error<ArgumentError>([] { nn::Plateau({.factor = 1.0}); }, {"Plateau", "factor"});
  expect_error<ArgumentError>([] { nn::Plateau({.factor = kNaN}); }, {"Plateau", "factor"});
  expect_error<ArgumentError>([] { nn::Plateau({.patience = -1}); }, {"Plateau", "patience"});
  expect_error<ArgumentError>([] { nn::Plateau({.threshold = -1.0}); }, {"Plateau", "threshold"});
  expect_error<ArgumentError>([] { nn::Plateau({.cooldown = -1}); }, {"Plateau", "cooldown"});
  expect_error<ArgumentError>([] { nn::Plateau({.min_factor = 2.0}); }, {"Plateau", "least"});
  expect_error<ArgumentError>([] { nn::EarlyStopping({.patience = 0}); },
                              {"EarlyStopping", "patience"});
  expect_error<ArgumentError>([] { nn::EarlyStopping({.min_delta = kInfinity}); },
                              {"EarlyStopping", "min_delta"});
  expect_error<ArgumentError>([] { nn::NonMonotonicTrigger({.window = -1}); },
                              {"NonMonotonicTrigger", "window"});
}

}  // namespace unroll::testing
