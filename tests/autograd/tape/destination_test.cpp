// Gradients that a vjp computes where they are gathered: acquired, written, committed.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/tensor/copy.hpp>

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

using extension::GradientDestination;

using Inputs = std::array<Variable, 2>;
using Vjp = std::function<void(const Inputs&, const Variable& g, BackwardPass&)>;

/// a + 2 b, with a vjp of the test's own.
Variable weighted_sum(const Variable& a, const Variable& b, Vjp vjp) {
  Tensor y = (detach(a) + detach(b) * 2.0).value();
  if (!recording("weighted_sum", a, b)) return y;
  return record(
      "weighted_sum", std::move(y),
      [x = Inputs{a, b}, vjp](const Variable& g, BackwardPass& pass) { vjp(x, g, pass); });
}

void add_plainly(const Inputs& x, const Variable& g, BackwardPass& pass) {
  pass.add(x[0], g);
  pass.add(x[1], g * 2.0);
}

/// Writes the gradients of a and b where they were acquired, or to memory of their own.
void write(std::array<Tensor, 2>& to, const Variable& g) {
  for (std::size_t k = 0; k < 2; ++k) {
    const Tensor value = (g * (k == 0 ? 1.0 : 2.0)).value();
    if (!to[k].defined())
      to[k] = value;
    else
      kernels::copy(value, to[k]);
  }
}

Tensor gradient(const Vjp& vjp, int axis) {
  Tape tape;
  const Variable x = tape.watch(
      Tensor::of<double>({4, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
  const auto [a, b] = split<2>(x, axis);
  return tape.gradients(sum(square(weighted_sum(a, b, vjp))))[x].value();
}

}  // namespace

TEST_CASE("what is written to a destination and committed is the gradient, without a copy") {
  for (const int axis : {0, 1}) {
    const void* first = nullptr;
    const Tensor g = gradient(
        [&](const Inputs& x, const Variable& dy, BackwardPass& pass) {
          std::array<Tensor, 2> to;
          GradientDestination destination(pass, x, dy.shape(), to);
          REQUIRE(to[0].defined());
          first = to[0].address();
          write(to, dy);
          destination.commit();
          CHECK(!to[0].defined());
        },
        axis);
    CHECK(g.address() == first);
    expect_values(g, gradient(add_plainly, axis).to_vector<double>());
  }
}

TEST_CASE("a destination that is not committed is given back") {
  for (const int axis : {0, 1}) {
    const Tensor g = gradient(
        [](const Inputs& x, const Variable& dy, BackwardPass& pass) {
          for (int attempt = 0; attempt < 2; ++attempt) {
            std::array<Tensor, 2> to;
            const GradientDestination destination(pass, x, dy.shape(), to);
            CHECK(to[0].defined());
            write(to, dy * 1e9);
          }
          add_plainly(x, dy, pass);
        },
        axis);
    expect_values(g, gradient(add_plainly, axis).to_vector<double>());
  }
}

TEST_CASE("a block of neighbours must be computed in its destination") {
  expect_error<ArgumentError>(
      [] {
        gradient(
            [](const Inputs& x, const Variable& dy, BackwardPass& pass) {
              std::array<Tensor, 2> to;
              GradientDestination destination(pass, x, dy.shape(), to);
              to[1] = dy.value();
              destination.commit();
            },
            1);
      },
      {"gradient destination", "input 1", "do not replace it"});
}

TEST_CASE("a destination takes as many tensors as variables, and not too many") {
  const auto acquire = [](std::size_t variables, std::size_t tensors) {
    gradient(
        [=](const Inputs&, const Variable& dy, BackwardPass& pass) {
          const std::vector<Variable> x(variables);
          std::vector<Tensor> to(tensors);
          const GradientDestination destination(pass, x, dy.shape(), to);
        },
        0);
  };
  expect_error<ArgumentError>([&] { acquire(2, 1); }, {"2 variables and 1 tensors"});
  expect_error<ArgumentError>([&] { acquire(32, 32); }, {"32 variables", "31 at most"});
}

TEST_CASE("there is no destination in a pass that is differentiated, nor for a constant") {
  Tape tape;
  const Variable x = tape.watch(ones({2, 4}, Dtype::float64));
  const auto [a, b] = split<2>(x);
  const Variable y =
      weighted_sum(a, b, [](const Inputs& in, const Variable& g, BackwardPass& pass) {
        std::array<Tensor, 2> to;
        const Inputs constants{detach(in[0]), detach(in[1])};
        const GradientDestination of_constants(pass, constants, g.shape(), to);
        CHECK(!to[0].defined());
        const GradientDestination destination(pass, in, g.shape(), to);
        CHECK(to[0].defined() == !pass.differentiable());
        add_plainly(in, g, pass);
      });
  expect_values(tape.gradients(sum(y), {.retain = true})[x].value(), {1, 1, 2, 2, 1, 1, 2, 2});
  expect_values(tape.gradients(sum(y), {.differentiable = true})[x].value(),
                {1, 1, 2, 2, 1, 1, 2, 2});
}

}  // namespace unroll::testing
