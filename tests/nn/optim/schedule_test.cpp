#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/optim/schedule.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "parity/golden.hpp"
#include "support/expect.hpp"

namespace unroll::testing {
namespace {

std::vector<double> factors(const nn::Schedule& schedule, std::int64_t count) {
  std::vector<double> all;
  for (std::int64_t step = 0; step < count; ++step) all.push_back(schedule(step));
  return all;
}

}  // namespace

TEST_CASE("schedules take the values of torch.optim.lr_scheduler") {
  namespace schedule = nn::schedule;
  const std::map<std::string, nn::Schedule> schedules = {
      {"StepLR", schedule::step(3, 0.25)},
      {"MultiStepLR", schedule::milestones({2, 5, 5, 9}, 0.75)},
      {"ExponentialLR", schedule::exponential(0.75)},
      {"CosineAnnealingLR", schedule::cosine(10, 0.125)},
      {"LinearLR", schedule::linear_warmup(5, 0.25)},
      {"OneCycleLR", schedule::one_cycle({.steps = 20})},
      {"OneCycleLR, other options",
       schedule::one_cycle(
           {.steps = 9, .start_division = 4.0, .final_division = 8.0, .warmup_fraction = 0.5})},
      {"OneCycleLR, no warm-up", schedule::one_cycle({.steps = 7, .warmup_fraction = 0.0})},
      {"SequentialLR",
       schedule::then(schedule::linear_warmup(4, 0.25), 4, schedule::exponential(0.5))},
      {"ChainedScheduler", schedule::linear_warmup(4, 0.5) * schedule::exponential(0.75)},
  };
  const Golden golden = Golden::read("schedules")["schedules"];
  CHECK(golden.size() == schedules.size());
  for (const auto& [name, schedule] : schedules) {
    const Tensor expected = golden[name].tensor(Dtype::float64);
    check_parity(Tensor::of(expected.shape(), factors(schedule, expected.size())), golden[name],
                 name);
  }
}

TEST_CASE("a schedule keeps its last value beyond its end") {
  namespace schedule = nn::schedule;
  const std::int64_t late = std::numeric_limits<std::int64_t>::max();
  CHECK(schedule::cosine(10, 0.125)(late) == 0.125);
  CHECK(schedule::cosine(10)(11) == 0.0);
  CHECK(schedule::linear_warmup(5, 0.5)(late) == 1.0);
  CHECK(schedule::milestones({2, 3}, 0.5)(late) == 0.25);
  const nn::Schedule cycle =
      schedule::one_cycle({.steps = 8, .start_division = 4.0, .final_division = 2.0});
  CHECK(cycle(7) == 0.125);
  CHECK(cycle(8) == 0.125);
  CHECK(cycle(late) == 0.125);
}

TEST_CASE("Zaremba's schedule keeps the rate, then halves it at every epoch begun") {
  CHECK(factors(nn::schedule::zaremba(4, 1, 0.5), 7) ==
        std::vector<double>{1, 1, 1, 1, 0.5, 0.25, 0.125});
  CHECK(factors(nn::schedule::zaremba(2, 3, 0.5), 9) ==
        std::vector<double>{1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
}

TEST_CASE("schedules of no steps are at their end") {
  namespace schedule = nn::schedule;
  CHECK(schedule::cosine(0, 0.5)(0) == 0.5);
  CHECK(schedule::linear_warmup(0, 0.5)(0) == 1.0);
  CHECK(schedule::then(schedule::constant(3.0), 0, schedule::constant(2.0))(0) == 2.0);
  CHECK(schedule::one_cycle({.steps = 1, .warmup_fraction = 1.0})(0) == 1.0);
  CHECK(factors(schedule::milestones({}, 0.5), 3) == std::vector<double>{1, 1, 1});
  CHECK(factors(schedule::milestones({0}, 0.5), 2) == std::vector<double>{0.5, 0.5});
}

TEST_CASE("any function of the step is a schedule and takes part in products") {
  const nn::Schedule inverse([](std::int64_t step) { return 1.0 / static_cast<double>(1 + step); });
  CHECK(factors(inverse * nn::schedule::constant(6.0), 3) == std::vector<double>{6, 3, 2});
  const nn::Schedule copy = inverse;
  CHECK(copy(3) == 0.25);
}

TEST_CASE("schedules refuse arguments out of range, by name") {
  namespace schedule = nn::schedule;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error<ArgumentError>([] { schedule::constant()(-1); }, {"Schedule", "negative", "-1"});
  expect_error<ArgumentError>([] { nn::Schedule({}); }, {"Schedule", "empty"});
  expect_error<ArgumentError>([] { schedule::constant(-1.0); }, {"constant", "factor"});
  expect_error<ArgumentError>([] { schedule::step(0, 0.5); }, {"step", "at least 1"});
  expect_error<ArgumentError>([&] { schedule::step(1, nan); }, {"step", "factor"});
  expect_error<ArgumentError>([] { schedule::milestones({3, 2}, 0.5); }, {"milestones", "order"});
  expect_error<ArgumentError>([] { schedule::milestones({-1}, 0.5); }, {"milestones", "-1"});
  expect_error<ArgumentError>([] { schedule::exponential(HUGE_VAL); }, {"exponential"});
  expect_error<ArgumentError>([] { schedule::cosine(-1); }, {"cosine", "-1"});
  expect_error<ArgumentError>([] { schedule::cosine(1, -0.5); }, {"cosine", "floor"});
  expect_error<ArgumentError>([] { schedule::linear_warmup(-1); }, {"linear_warmup"});
  expect_error<ArgumentError>([] { schedule::zaremba(1, 0, 0.5); }, {"zaremba", "every"});
  expect_error<ArgumentError>([] { schedule::one_cycle({}); }, {"one_cycle", "steps"});
  expect_error<ArgumentError>([] { schedule::one_cycle({.steps = 5, .warmup_fraction = 1.5}); },
                              {"one_cycle", "warm-up"});
  expect_error<ArgumentError>([] { schedule::one_cycle({.steps = 5, .final_division = 0.0}); },
                              {"one_cycle", "positive"});
  expect_error<ArgumentError>(
      [] { schedule::then(schedule::constant(), -1, schedule::constant()); }, {"then"});
}

}  // namespace unroll::testing
