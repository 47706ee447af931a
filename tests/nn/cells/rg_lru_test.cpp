#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("an RG-LRU computes the equations of the paper") {
  constexpr Index kSteps = 5, kBatch = 2, kSize = 4;
  const double c = 5.0;
  const nn::Recurrent rnn = wide(nn::Recurrent(nn::RGLRU(kSize, {.c = c})));
  const Tensor x = random({kSteps, kBatch, kSize}, 1);
  const auto wa = numbers_of(rnn, "recurrence_gate.weight");
  const auto ba = numbers_of(rnn, "recurrence_gate.bias");
  const auto wx = numbers_of(rnn, "input_gate.weight");
  const auto bx = numbers_of(rnn, "input_gate.bias");
  const auto lambda = numbers_of(rnn, "lambda");
  const Tensor outputs = rnn(x).outputs.value();
  for (Index b = 0; b < kBatch; ++b)
    for (Index k = 0; k < kSize; ++k) {
      const auto i = static_cast<std::size_t>(k);
      double h = 0.0;
      for (Index t = 0; t < kSteps; ++t) {
        const std::vector<double> xt = input_at(x, t, b);
        const double r = logistic(product_row(wa, k, xt) + ba[i]);
        const double gate = logistic(product_row(wx, k, xt) + bx[i]);
        // a^(c r) with a = sigmoid(-lambda).
        const double a = std::pow(logistic(-lambda[i]), c * r);
        h = a * h + std::sqrt(1.0 - a * a) * (gate * xt[i]);
        CHECK(distance(outputs.at({t, b, k}), h) < 1e-12);
      }
    }
}

TEST_CASE("an RG-LRU keeps the contract, in all forms") {
  const nn::CellReport report = nn::check_cell(nn::RGLRU(3));
  CHECK_MESSAGE(report, report.to_string());
  expect_one_definition(nn::Recurrent(nn::RGLRU(3)));
}

TEST_CASE("the decays of an RG-LRU lie in the range asked for") {
  seed(4);
  const nn::Recurrent rnn(nn::RGLRU(500, {.min_decay = 0.8, .max_decay = 0.95}));
  double least = 1.0, largest = 0.0;
  for (const double lambda : numbers_of(rnn, "lambda")) {
    const double a = std::pow(logistic(-lambda), 8.0);
    least = std::min(least, a);
    largest = std::max(largest, a);
  }
  CHECK(least > 0.7999);
  CHECK(least < 0.805);
  CHECK(largest < 0.9501);
  CHECK(largest > 0.945);
}

TEST_CASE("the state of an RG-LRU stays the size of its input, whatever its memory") {
  seed(5);
  constexpr Index kSize = 100;
  const nn::Recurrent rnn{nn::RGLRU(kSize)};
  for (Parameter parameter : rnn.parameters())
    if (parameter.name() != "lambda") parameter.set(zeros(parameter.shape()));
  const Tensor x = normal({4000, 1, kSize}, 0.0, 1.0);
  // Both gates are 1/2: the variance of h is that of x / 2.
  const Variable late = slice(rnn(x).outputs, 0, 2000, 4000);
  CHECK(mean(square(late)).item() == doctest::Approx(0.25).epsilon(0.1));
}

TEST_CASE("an RG-LRU refuses decays and gates out of range") {
  expect_error<ArgumentError>([] { nn::RGLRU(2, {.c = 0.0}); }, {"RGLRU", "c must be positive"});
  expect_error<ArgumentError>([] { nn::RGLRU(2, {.min_decay = 0.9, .max_decay = 1.0}); },
                              {"RGLRU", "max_decay", "0.9", "1.0"});
  expect_error<ArgumentError>([] { nn::RGLRU(2, {.min_decay = 0.0}); }, {"RGLRU", "min_decay"});
  expect_error<ArgumentError>([] { nn::RGLRU(0); }, {"inputs", "at least 1"});
}

}  // namespace unroll::testing
