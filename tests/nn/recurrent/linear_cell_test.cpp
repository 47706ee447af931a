// Linear cells of any state shape and number, with outputs of their own.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/lru.hpp>
#include <nn/cells/mamba.hpp>
#include <nn/nn.hpp>
#include <nn/recurrent/complex_products.hpp>

#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// A state of M modes for each input, with rates that are the same at all steps.
class Modes : public nn::LinearCell {
 public:
  Modes(Index inputs, Index modes)
      : LinearCell(inputs, {inputs, modes}),
        rate_(parameter("rate", random({inputs, modes}, 1, 0.2, 0.9).to(Dtype::float32))) {}
  Coefficients coefficients(const Variable& x) const override {
    const Shape& state = state_shapes()[0];
    return {rate_, broadcast_to(unsqueeze(x, 3), {x.size(0), x.size(1), state[0], state[1]})};
  }

 private:
  Parameter rate_;
};

/// The same with an output that reads the input.
class Summed : public Modes {
 public:
  Summed(Index inputs, Index modes)
      : Modes(inputs, modes), mix_(parameter("mix", random({modes}, 2).to(Dtype::float32))) {}
  Index outputs() const override { return inputs(); }
  Variable readout(const Variable& h, const Variable& x) const override {
    return sum(h * mix_, {3}) * sigmoid(x);
  }

 private:
  Parameter mix_;
};

/// A rotation of the plane, complex, without parameters.
class Rotation : public nn::LinearCell {
 public:
  Rotation() : LinearCell(2, {2, 1}, {.complex = true}) {}
  Coefficients coefficients(const Variable& x) const override {
    return {Tensor::of<double>({2, 1}, {0.0, 1.0}).to(x.dtype()), unsqueeze(x, 3)};
  }
};

/// Returns what it is told to.
class Told : public nn::LinearCell {
 public:
  Told(Variable decay, Variable input, Variable output, bool is_complex = false)
      : LinearCell(3, {2, 4}, {.complex = is_complex}),
        decay_(std::move(decay)),
        input_(std::move(input)),
        output_(std::move(output)) {}
  Coefficients coefficients(const Variable&) const override { return {decay_, input_}; }
  Variable readout(const Variable&, const Variable&) const override { return output_; }

 private:
  Variable decay_, input_, output_;
};

}  // namespace

TEST_CASE("a linear cell has a state of any shape, flattened in its output") {
  const nn::Recurrent rnn = wide(nn::Recurrent(Modes(3, 4)));
  const auto rate = numbers_of(rnn, "rate");
  const Tensor x = random({5, 2, 3}, 3);
  const auto [outputs, state] = rnn(x);
  REQUIRE(outputs.shape() == Shape{5, 2, 12});
  REQUIRE(state[0].shape() == Shape{2, 3, 4});
  for (Index b = 0; b < 2; ++b)
    for (Index k = 0; k < 12; ++k) {
      double h = 0.0;
      for (Index t = 0; t < 5; ++t) {
        h = rate[static_cast<std::size_t>(k)] * h + x.at({t, b, k / 4});
        CHECK(distance(outputs.value().at({t, b, k}), h) < 1e-14);
      }
      CHECK(state[0].value().at({b, k / 4, k % 4}) == outputs.value().at({4, b, k}));
    }
}

TEST_CASE("linear cells of any shape and number keep the contract, in all forms") {
  for (const nn::Recurrent& rnn :
       {nn::Recurrent(Modes(2, 3)), nn::Recurrent(Summed(2, 3)), nn::Recurrent(Rotation())}) {
    const nn::CellReport report = nn::check_cell(rnn);
    CHECK_MESSAGE(report, report.to_string());
    expect_one_definition(rnn);
  }
}

TEST_CASE("a rotation by a right angle returns after four steps") {
  const nn::Recurrent rnn{Rotation()};
  Tensor x = zeros({5, 1, 2}, Dtype::float64);
  x.in_place<double>()[0] = 1.0;
  expect_values(rnn(x).outputs.value(), {1, 0, 0, 1, -1, 0, 0, -1, 1, 0});
  expect_values(rnn.stepwise()(x).outputs.value(), {1, 0, 0, 1, -1, 0, 0, -1, 1, 0});
}

TEST_CASE("RTRL has the gradients of backpropagation through time for linear cells of any kind") {
  seed(4);
  for (const nn::Recurrent& layer :
       {nn::Recurrent(Summed(2, 3)), nn::Recurrent(Modes(2, 3)), nn::Recurrent(nn::LRU(2, 3)),
        nn::Recurrent(nn::SelectiveSSM(2, {.state = 3}))}) {
    const nn::Recurrent rnn = wide(layer);
    nn::Linear head(rnn.cell().outputs(), 2);
    head.to(Dtype::float64);
    const nn::StepLoss loss = [&](const Variable& output, const Tensor& target) {
      return mse_loss(head(output), target);
    };
    const Tensor x = random({5, 2, 2}, 5);
    const Tensor targets = random({5, 2, 2}, 6);
    nn::RTRL rtrl(rnn, loss);
    nn::BPTT bptt(rnn, loss);
    const auto forward = rtrl.gradients(x, targets);
    const auto backward = bptt.gradients(x, targets);
    CHECK(forward.loss == doctest::Approx(backward.loss));
    for (const Parameter& parameter : rnn.parameters())
      expect_close(forward.gradients[parameter].value(), backward.gradients[parameter].value(),
                   1e-11);
  }
}

TEST_CASE("a linear cell whose rates do not change takes no copy of them for each step") {
  constexpr Index kSteps = 2000, kBatch = 4, kSize = 32;
  class Decay : public nn::LinearCell {
   public:
    Decay() : LinearCell(kSize, kSize), rate_(parameter("rate", full({kSize}, 0.9))) {}
    Coefficients coefficients(const Variable& x) const override { return {rate_, x}; }

   private:
    Parameter rate_;
  };
  const nn::Recurrent rnn{Decay()};
  const Tensor x = zeros({kSteps, kBatch, kSize});
  memory::reset_peak();
  const Index before = bytes_in_use();
  Tape tape;
  const Variable outputs = rnn(x).outputs;
  CHECK(tape.statistics().operations < 4);
  CHECK(static_cast<Index>(memory::statistics().peak_bytes) - before <
        kSteps * kBatch * kSize * 4 * 11 / 10);
  CHECK(tape.gradients(mean(outputs))[rnn.parameters()[0]].shape() == Shape{kSize});
}

TEST_CASE("a linear cell refuses coefficients and outputs that do not fit, by class and size") {
  const Tensor x = zeros({5, 1, 3});
  const Tensor fits = zeros({5, 1, 2, 4});
  const auto run = [&](const Told& cell) { nn::Recurrent{cell}(x); };
  const auto step = [&](const Told& cell) { nn::Recurrent{cell}.stepwise()(x); };
  expect_error<ShapeError>(
      [&] {
        run({fits, zeros({5, 1, 8}), {}});
      },
      {"input coefficients", "[5,1,8]", "[5,1,2,4]", "Told"});
  expect_error<ShapeError>([&] { run({{}, fits, {}}); }, {"decay", "undefined", "Told"});
  expect_error<ShapeError>(
      [&] {
        run({zeros({5, 5, 1, 2, 4}), fits, {}});
      },
      {"decay", "must broadcast", "[5,1,2,4]"});
  for (const Shape& shape : {Shape{4}, Shape{1, 4}, Shape{5, 1, 1, 4}}) {
    expect_error<ShapeError>(
        [&] {
          run({zeros(shape), fits, {}, true});
        },
        {"decay", "real and imaginary parts", "[2,4]", "Told"});
    expect_error<ShapeError>(
        [&] {
          step({zeros(shape), fits, {}, true});
        },
        {"decay", "real and imaginary parts"});
  }
  expect_error<ShapeError>(
      [&] {
        run({fits, fits, zeros({5, 1, 3})});
      },
      {"readout returned", "[5,1,3]", "[5,1,8]", "outputs()", "Told"});
  expect_error<ShapeError>(
      [&] {
        step({fits, fits, zeros({5, 1, 3})});
      },
      {"readout returned", "[5,1,3]", "[1,1,8]"});
}

TEST_CASE("a complex linear cell refuses a state without real and imaginary parts") {
  class Wrong : public nn::LinearCell {
   public:
    explicit Wrong(const nn::StateShape& state) : LinearCell(2, state, {.complex = true}) {}
    Coefficients coefficients(const Variable& x) const override { return {x, x}; }
  };
  expect_error<ArgumentError>([] { Wrong(4); }, {"LinearCell", "axis of 2", "[4]"});
  expect_error<ArgumentError>([] { Wrong({4, 2}); }, {"LinearCell", "axis of 2", "[4,2]"});
}

TEST_CASE("products with complex matrices are those of complex numbers") {
  const Tensor x = random({2, 3}, 7);
  const Tensor b = random({2, 4, 3}, 8);
  const Tensor h = nn::complex_product(x, b).value();
  REQUIRE(h.shape() == Shape{2, 2, 4});
  for (int part = 0; part < 2; ++part)
    expect_close(h.select(1, part), matmul(x, transpose(Variable(b.select(0, part)))).value(),
                 1e-14);
  const Tensor c = random({2, 5, 4}, 9);
  const Variable y = matmul(h.select(1, 0), transpose(Variable(c.select(0, 0)))) -
                     matmul(h.select(1, 1), transpose(Variable(c.select(0, 1))));
  expect_close(nn::real_product(h, c).value(), y.value(), 1e-14);
  const Tensor bias = random({2, 5}, 10);
  expect_close(nn::real_product(h, c, bias).value(), (y + bias).value(), 1e-14);
  expect_error<ShapeError>(
      [&] {
        nn::complex_product(x, zeros({4, 3}, Dtype::float64));
      },
      {"complex_product", "[2,N,I]", "[4,3]"});
  expect_error<ShapeError>([&] { nn::real_product(x, c); },
                           {"real_product", "[2,3]", "[2,5,4]", "[...,2,4]"});
}

}  // namespace unroll::testing
