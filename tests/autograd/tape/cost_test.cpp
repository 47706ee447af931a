#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// What a forward and a backward pass asked for.
struct Cost {
  double operations = 0.0;
  double requests = 0.0;
  double bytes = 0.0;
};

constexpr Index kBatch = 3;
constexpr Index kInputs = 5;
constexpr Index kHidden = 8;

/// A recurrence over `x: [T,B,I]`; `unroll` returns the loss.
Cost cost_of(Index steps, const std::function<Variable(const Variable& x)>& unroll) {
  Tape tape;
  const Variable x = tape.watch(random({steps, kBatch, kInputs}, 1));
  const memory::Statistics before = memory::statistics();
  static_cast<void>(tape.gradients(unroll(x)));
  const memory::Statistics& after = memory::statistics();
  return {static_cast<double>(tape.statistics().operations),
          static_cast<double>(after.requests - before.requests),
          static_cast<double>(after.bytes_requested - before.bytes_requested)};
}

/// A step costs the same however long the sequence is. What a pass costs beside its steps cancels
/// in the differences.
void expect_flat_cost(const std::function<Variable(const Variable& x)>& unroll) {
  constexpr std::array<Index, 4> kSteps{50, 100, 200, 400};
  std::vector<Cost> costs;
  for (Index steps : kSteps) costs.push_back(cost_of(steps, unroll));
  const auto per_step = [&](std::size_t k, double Cost::*count) {
    return (costs[k + 1].*count - costs[k].*count) / static_cast<double>(kSteps[k + 1] - kSteps[k]);
  };
  const auto expect_equal = [&](const char* what, double Cost::*count, double tolerance) {
    CHECK_MESSAGE(costs[0].*count > 50.0, what << " were not counted");
    for (std::size_t k = 1; k + 1 < kSteps.size(); ++k)
      CHECK_MESSAGE(std::abs(per_step(k, count) / per_step(0, count) - 1.0) < tolerance,
                    what << " per step: " << per_step(0, count) << " up to T = " << kSteps[1]
                         << ", " << per_step(k, count) << " up to T = " << kSteps[k + 1]);
  };
  expect_equal("operations", &Cost::operations, 0.01);
  expect_equal("requests", &Cost::requests, 0.01);
  expect_equal("bytes", &Cost::bytes, 0.05);  // blocks come in sizes
}

}  // namespace

TEST_CASE("a step of backpropagation through time costs the same in a sequence of any length") {
  const Parameter w("w", random({kHidden, kInputs}, 2));
  const Parameter u("u", random({kHidden, kHidden}, 3));
  const Parameter b("b", random({kHidden}, 4));
  expect_flat_cost([&](const Variable& x) {
    Variable h = zeros({kBatch, kHidden}, Dtype::float64);
    Variable loss = zeros({}, Dtype::float64);
    for (Index t = 0; t < x.size(0); ++t) {
      h = tanh(linear(select(x, 0, t), w) + linear(h, u, b));
      loss = loss + sum(h * h);
    }
    return loss;
  });
}

TEST_CASE("so it does when the inputs are projected at once and the outputs are stacked") {
  const Parameter w("w", random({2 * kHidden, kInputs}, 2));
  const Parameter u("u", random({2 * kHidden, kHidden}, 3));
  expect_flat_cost([&](const Variable& x) {
    const Variable projected = linear(x, w);
    Variable h = zeros({kBatch, kHidden}, Dtype::float64);
    std::vector<Variable> outputs;
    for (Index t = 0; t < x.size(0); ++t) {
      const auto [gate, candidate] = split<2>(select(projected, 0, t) + linear(h, u));
      h = pointwise([](auto g, auto c, auto old) { return old + sigmoid(g) * (tanh(c) - old); },
                    gate, candidate, h);
      outputs.push_back(h);
    }
    return mean(square(stack(outputs)));
  });
}

}  // namespace unroll::testing
