#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <span>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Polar coordinates; the vjp is written in terms of the two outputs.
std::array<Variable, 2> polar(const Variable& x, const Variable& y) {
  const Variable a = detach(x);
  const Variable b = detach(y);
  std::array<Variable, 2> outputs{sqrt(a * a + b * b), atan2(b, a)};
  if (recording("polar", x, y))
    record("polar", outputs,
           [x = x.without_value(), y = y.without_value()](
               std::span<const Variable> polar, std::span<const Variable> g, BackwardPass& pass) {
             const Variable& radius = polar[0];
             const Variable& angle = polar[1];
             if (g[0].defined()) {
               pass.add(x, g[0] * cos(angle));
               pass.add(y, g[0] * sin(angle));
             }
             if (g[1].defined()) {
               pass.add(x, -g[1] * sin(angle) / radius);
               pass.add(y, g[1] * cos(angle) / radius);
             }
           });
  return outputs;
}

}  // namespace

TEST_CASE(
    "a vjp with several outputs is given them on the tape: any order of derivative is right") {
  const std::vector<Tensor> inputs{random({2, 3}, 1), random({2, 3}, 2)};
  const auto both = [](std::span<const Variable> in) {
    const auto [radius, angle] = polar(in[0], in[1]);
    return radius * square(angle);
  };
  const auto one = [](std::span<const Variable> in) { return square(polar(in[0], in[1])[1]); };
  CHECK(gradcheck(both, inputs));
  CHECK(gradgradcheck(both, inputs));
  CHECK(gradgradcheck(one, inputs));
}

TEST_CASE("the outputs that a vjp is given are those of this call, however often it is made") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({2}, {3.0, 0.0}));
  const Variable y = tape.watch(Tensor::of<double>({2}, {4.0, 2.0}));
  const auto first = polar(x, y);
  const auto second = polar(y, x);
  const Gradients g = tape.gradients(sum(first[0] + second[1]));
  expect_values(g[x].value(), {0.6 + 4.0 / 25.0, 0.5});
  expect_values(g[y].value(), {0.8 - 3.0 / 25.0, 1.0});
}

}  // namespace unroll::testing
