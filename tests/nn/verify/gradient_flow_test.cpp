// How gradients flow back in time, against the tape for every cell; the formula by hand is in
// tests/hand_derived/gradient_flow_test.cpp.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/cells.hpp"
#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// `[1,n]` of a batch of one.
Variable flat(const Variable& x) { return reshape(x, {1, -1}); }

Variable joined(const nn::State& state) {
  memory::Vector<Variable> parts;
  for (const Variable& part : state) parts.push_back(flat(part));
  return concat(parts);
}

/// dS_T/dS_k of a batch of one, by a backward pass for each row of the unrolled network.
Tensor jacobian(const nn::Recurrent& rnn, const Tensor& x, Index k) {
  nn::State before = rnn.cell().initial_state(1, x.dtype());
  if (k > 0) before = nn::detach(rnn(x.slice(0, 0, k)).state);
  Tape tape;
  std::vector<Variable> leaves;
  nn::State start;
  for (const Variable& part : before) {
    leaves.push_back(tape.watch(part.value()));
    start.push_back(leaves.back());
  }
  const Variable last = joined(rnn(x.slice(0, k, x.size(0)), start).state);
  std::vector<Variable> rows;
  for (Index j = 0; j < last.size(1); ++j) {
    const Gradients slopes = tape.gradients(select(select(last, 0, 0), 0, j), {.retain = true});
    std::vector<Variable> row;
    for (const Variable& leaf : leaves) row.push_back(flat(detach(slopes[leaf])));
    rows.push_back(concat(row));
  }
  return concat(rows, 0).value();
}

}  // namespace

TEST_CASE("for every cell and lag, the norms are those of the Jacobian of the unrolled network") {
  constexpr Index steps = 5;
  const Tensor x = random({steps, 2, kCellInputs}, 1);
  for (const CellCase& cell : all_cells()) {
    INFO(cell.file);
    const nn::Recurrent rnn = cell.make();
    const nn::GradientFlow flow = nn::gradient_flow(rnn.cell(), x);
    CHECK(flow.spectral.shape() == Shape{steps + 1, 2});
    for (Index b = 0; b < 2; ++b)
      for (Index lag = 1; lag <= steps; ++lag) {
        const Tensor expected = jacobian(rnn, x.slice(1, b, b + 1), steps - lag);
        CHECK(flow.frobenius.at({lag, b}) ==
              doctest::Approx(norm(Variable(expected)).item()).epsilon(1e-12));
        const double spectral = flow.spectral.at({lag, b});
        CHECK(spectral == doctest::Approx(nn::spectral_norm(expected)).epsilon(1e-12));
        CHECK(spectral <= flow.bound[std::size_t(lag)] * (1.0 + 1e-12));
        CHECK(spectral <= flow.frobenius.at({lag, b}) * (1.0 + 1e-12));
      }
    CHECK(flow.spectral.at({0, 0}) == doctest::Approx(1.0).epsilon(1e-14));
  }
}

TEST_CASE("the gradient of the loss at every step is that of the tape") {
  nn::Recurrent rnn(nn::LSTM(2, 3));
  rnn.to(Dtype::float64);
  const Tensor x = random({4, 2, 2}, 1);
  const Tensor d = random({4, 2, 3}, 2);
  const nn::GradientFlow flow = nn::gradient_flow(
      rnn.cell(), x,
      {.loss = [](const Variable& h,
                  const Tensor& target) { return sum(square(h - Variable(target))); },
       .targets = d});
  for (Index k = 0; k < 4; ++k) {
    nn::State before = rnn.cell().initial_state(2, Dtype::float64);
    if (k > 0) before = nn::detach(rnn(x.slice(0, 0, k)).state);
    Tape tape;
    const Variable h = tape.watch(before[0].value());
    const Variable c = tape.watch(before[1].value());
    Variable loss = sum(square(rnn(x.slice(0, k, 4), {h, c}).outputs - Variable(d.slice(0, k, 4))));
    if (k > 0) loss = loss + sum(square(h - Variable(d.select(0, k - 1))));
    const Gradients slopes = tape.gradients(loss);
    for (Index b = 0; b < 2; ++b)
      CHECK(flow.loss_gradient.at({4 - k, b}) ==
            doctest::Approx(std::hypot(norm(select(slopes[h], 0, b)).item(),
                                       norm(select(slopes[c], 0, b)).item()))
                .epsilon(1e-12));
  }
}

TEST_CASE("a part of the state can be looked at alone") {
  nn::Recurrent rnn(nn::LSTM(2, 3));
  rnn.to(Dtype::float64);
  const Tensor x = random({4, 1, 2}, 1);
  const nn::GradientFlow flow = nn::gradient_flow(rnn.cell(), x, {.part = 1});
  for (Index lag = 1; lag <= 4; ++lag) {
    const Tensor block = jacobian(rnn, x, 4 - lag).slice(0, 3, 6).slice(1, 3, 6);
    CHECK(flow.spectral.at({lag, 0}) == doctest::Approx(nn::spectral_norm(block)).epsilon(1e-12));
  }
}

TEST_CASE("a report says whether gradients vanish, explode or keep their size") {
  const auto report = [](double scale) {
    nn::Recurrent rnn(nn::Elman(1, 4, {.activation = nn::linear_activation}));
    rnn.to(Dtype::float64);
    std::vector<double> diagonal(16, 0.0);
    for (std::size_t k = 0; k < 4; ++k) diagonal[5 * k] = scale;
    for (const nn::Module::Named& named : rnn.named_parameters())
      if (named.name == "weight_hh_l0")
        Parameter(named.parameter).set(Tensor::of({4, 4}, diagonal));
    return nn::gradient_flow(rnn.cell(), random({60, 2, 1}, 1));
  };
  CHECK(report(0.5).rate() == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(report(0.5).spectral_bound == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(report(0.5).spectral.at({60, 0}) == doctest::Approx(std::pow(0.5, 60)).epsilon(1e-12));
  CHECK(report(0.5).to_string().find("the gradients vanish") != std::string::npos);
  CHECK(report(1.0).to_string().find("the gradients keep their size") != std::string::npos);
  CHECK(report(2.0).to_string().find("the gradients explode") != std::string::npos);
  const std::string text = report(0.5).to_string();
  // lags 0, 1, 2, 5, 10, 20, 50, 60, between a header and the words.
  CHECK(std::count(text.begin(), text.end(), '\n') == 10);
}

TEST_CASE("a NaN is reported, not taken for a gradient that vanishes") {
  nn::Recurrent rnn(nn::GRU(2, 3));
  Tensor x = ones({4, 2, 2});
  x.mutable_data<float>()[0] = std::nanf("");  // in one sequence of two
  const nn::GradientFlow flow = nn::gradient_flow(rnn.cell(), x);
  CHECK(std::isnan(flow.spectral.at({4, 0})));
  CHECK(std::isfinite(flow.spectral.at({4, 1})));
  CHECK(std::isnan(flow.spectral_bound));
  CHECK(std::isnan(flow.rate()));
  CHECK(flow.to_string().find("NaN") != std::string::npos);
  CHECK(flow.to_string().find("vanish") == std::string::npos);
}

TEST_CASE("the spectral norm is the largest singular value") {
  const auto norm_of = [](Index rows, Index columns, std::vector<double> values) {
    return nn::spectral_norm(Tensor::of({rows, columns}, values));
  };
  CHECK(norm_of(3, 3, {1, 0, 0, 0, -5, 0, 0, 0, 2}) == doctest::Approx(5.0).epsilon(1e-14));
  CHECK(norm_of(2, 2, {0.6, -0.8, 0.8, 0.6}) == doctest::Approx(1.0).epsilon(1e-14));  // all equal
  CHECK(norm_of(1, 3, {2, 3, 6}) == doctest::Approx(7.0).epsilon(1e-14));
  CHECK(norm_of(3, 1, {2, 3, 6}) == doctest::Approx(7.0).epsilon(1e-14));
  CHECK(norm_of(2, 2, {3, 0, 4, 5}) == doctest::Approx(std::sqrt(45.0)).epsilon(1e-14));
  CHECK(norm_of(2, 2, {3e-200, 0, 4e-200, 5e-200}) ==
        doctest::Approx(std::sqrt(45.0) * 1e-200).epsilon(1e-14));
  CHECK(norm_of(2, 2, {3e200, 0, 4e200, 5e200}) ==
        doctest::Approx(std::sqrt(45.0) * 1e200).epsilon(1e-14));
  CHECK(norm_of(2, 2, {1, 0, 0, 1.0 - 1e-9}) == doctest::Approx(1.0).epsilon(1e-14));
  CHECK(norm_of(2, 2, {0, 0, 0, 0}) == 0.0);
  CHECK(std::isnan(norm_of(2, 2, {std::nan(""), 0, 0, 1})));
  expect_error<ShapeError>([] { nn::spectral_norm(ones({3})); }, {"spectral_norm", "[3]"});
  expect_error<ShapeError>([] { nn::spectral_norm(Tensor()); }, {"spectral_norm"});
  expect_error<DtypeError>([] { nn::spectral_norm(arange(4).reshape({2, 2})); }, {"int64"});
}

TEST_CASE("what does not fit is refused by gradient_flow") {
  const nn::LSTM cell(2, 3);
  const Tensor x = ones({4, 2, 2});
  const auto flow = [&](const Tensor& input, const nn::GradientFlowOptions& options) {
    nn::gradient_flow(cell, input, options);
  };
  expect_error<ShapeError>([&] { flow(ones({4, 2, 3}), {}); }, {"gradient_flow", "[4,2,3]"});
  expect_error<ShapeError>([&] { flow(ones({0, 2, 2}), {}); }, {"gradient_flow", "[0,2,2]"});
  expect_error<ShapeError>([&] { flow(Tensor(), {}); }, {"gradient_flow", "[T,B,2]"});
  expect_error<ShapeError>([&] { flow(x, {.state = {ones({2, 3})}}); }, {"1 tensors", "keeps 2"});
  expect_error<ShapeError>(
      [&] {
        flow(x, {.state = {ones({1, 3}), ones({1, 3})}});
      },
      {"[1,3]", "[2,3]"});
  expect_error<ArgumentError>([&] { flow(x, {.part = 2}); }, {"no part 2", "2 tensors"});
  expect_error<ArgumentError>([&] { flow(x, {.spectral_bound = -1.0}); }, {"spectral_bound", "-1"});
  const nn::StepLoss loss = [](const Variable& h, const Tensor&) { return sum(h); };
  expect_error<ArgumentError>([&] { flow(x, {.loss = loss}); }, {"targets"});
  expect_error<ArgumentError>(
      [&] {
        flow(x, {.loss = loss, .targets = ones({3, 2, 1})});
      },
      {"targets", "[3,2,1]", "[4,2,2]"});
  Tape tape;
  const Variable recorded = tape.watch(ones({2, 3}));
  expect_error<TapeError>([&] { flow(x, {.state = {recorded, recorded}}); }, {"detach()"});
}
