// Any g(s, t, x) as a cell: gradients, time, and every misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

TEST_CASE("the gradients of an Euler cell agree with finite differences") {
  nn::Recurrent rnn(nn::Euler(3, 2, [](const Variable& s, const Variable& t, const Variable& x) {
    return sin(t) * s + slice(x, -1, 0, 2);
  }));
  const GradcheckReport report = nn::gradcheck(rnn, random({4, 2, 3}, 1));
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("an Euler cell lists the parameters of a g that is a module") {
  class Decay : public nn::Module {
   public:
    Variable operator()(const Variable& s, const Variable&, const Variable&) const {
      return -(Variable(rate_) * s);
    }

   private:
    Parameter rate_ = parameter("rate", ones({2}));
  };
  nn::Recurrent rnn(nn::Euler(1, 2, Decay()));
  REQUIRE(rnn.named_parameters().size() == 1);
  CHECK(rnn.named_parameters()[0].name == "g.rate_l0");
  const GradcheckReport report = nn::gradcheck(rnn, random({4, 2, 1}, 2));
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("the Euler cell starts at its time and refuses a slope of another shape") {
  const nn::Recurrent clock(
      nn::Euler(1, 1, [](const Variable&, const Variable& t, const Variable&) { return t; },
                {.step = 0.5, .start = 2.0}));
  const auto [outputs, state] = clock(zeros({2, 3, 1}));
  expect_values(outputs.value(), {1.0, 1.0, 1.0, 2.25, 2.25, 2.25}, 1e-6);
  expect_values(state[1].value(), {3.0, 3.0, 3.0}, 1e-6);
  const nn::Recurrent wrong(
      nn::Euler(1, 2, [](const Variable&, const Variable& t, const Variable&) { return t; }));
  expect_error<ShapeError>([&] { wrong(zeros({2, 3, 1})); }, {"euler", "[3,1]", "[3,2]"});
}

TEST_CASE("an Euler cell refuses sizes below 1 and steps that lead nowhere") {
  const auto g = [](const Variable& s, const Variable&, const Variable&) { return s; };
  expect_error<ArgumentError>([&] { nn::Euler(1, 2, g, {.step = 0.0}); }, {"euler", "step"});
  expect_error<ArgumentError>([&] { nn::Euler(1, 2, g, {.step = HUGE_VAL}); }, {"euler", "inf"});
  expect_error<ArgumentError>([&] { nn::Euler(1, 0, g); }, {"state size"});
}
