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

TEST_CASE("a minGRU computes the equations of the paper") {
  constexpr Index kSteps = 5, kBatch = 2, kInputs = 3, kHidden = 4;
  const nn::Recurrent rnn = wide(nn::Recurrent(nn::MinGRU(kInputs, kHidden)));
  const Tensor x = random({kSteps, kBatch, kInputs}, 1);
  const auto wz = numbers_of(rnn, "gate.weight"), bz = numbers_of(rnn, "gate.bias");
  const auto wh = numbers_of(rnn, "candidate.weight"), bh = numbers_of(rnn, "candidate.bias");
  const Tensor outputs = rnn(x).outputs.value();
  for (Index b = 0; b < kBatch; ++b)
    for (Index k = 0; k < kHidden; ++k) {
      const auto i = static_cast<std::size_t>(k);
      double h = 0.0;
      for (Index t = 0; t < kSteps; ++t) {
        const std::vector<double> xt = input_at(x, t, b);
        const double z = logistic(product_row(wz, k, xt) + bz[i]);
        h = (1.0 - z) * h + z * (product_row(wh, k, xt) + bh[i]);
        CHECK(distance(outputs.at({t, b, k}), h) < 1e-12);
      }
    }
}

TEST_CASE("a minGRU keeps the contract, in all forms") {
  const nn::CellReport report = nn::check_cell(nn::MinGRU(2, 3));
  CHECK_MESSAGE(report, report.to_string());
  expect_one_definition(nn::Recurrent(nn::MinGRU(2, 3)));
}

TEST_CASE("a minGRU whose gate is closed keeps its state") {
  const nn::Recurrent rnn(nn::MinGRU(2, 3));
  Parameter bias = rnn.named_parameters()[1].parameter;
  REQUIRE(bias.name() == "bias");
  bias.set(full({3}, -100.0));
  const nn::State start{ones({1, 3})};
  const auto [outputs, state] = rnn(random({9, 1, 2}, 2).to(Dtype::float32), start);
  expect_close(state[0].value(), ones({1, 3}), 1e-6);
}

TEST_CASE("a minGRU of no size is refused") {
  expect_error<ArgumentError>([] { nn::MinGRU(0, 3); }, {"inputs", "at least 1"});
  expect_error<ArgumentError>([] { nn::MinGRU(2, 0); }, {"state size", "at least 1"});
}

}  // namespace unroll::testing
