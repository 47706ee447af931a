// Operations that are wrong on purpose. Each is put into the middle of a function, and gradcheck
// has to say which operation it is and what is wrong with it.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Inputs = std::span<const Variable>;

/// An operation of one argument with the value `value(x)` and whatever gradient `vjp(x, g)`
/// claims.
template <class Value, class Vjp>
Variable broken(const char* name, const Variable& x, Value value, Vjp vjp) {
  const Tensor y = value(detach(x)).value();
  if (!recording(name, x)) return y;
  return record(name, y,
                [x, vjp](const Variable& g, BackwardPass& pass) { pass.add(x, vjp(x, g)); });
}

/// The only finding, of this cause, for this operation.
void expect_finding(const GradcheckReport& report, Cause cause, const std::string& operation) {
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  REQUIRE(report.findings.size() == 1);
  CHECK(std::string(to_string(report.findings[0].cause)) == to_string(cause));
  CHECK(report.findings[0].operation == operation);
  for (const GradcheckFailure& failure : report.failures) CHECK(failure.cause == cause);
}

/// tanh before and a square behind, so that the operation is not alone on the tape.
template <class Op>
GradcheckReport check_inside(Op op, const Tensor& x) {
  const auto f = [op](const Variable& v) { return square(op(tanh(v)) + 0.5); };
  return gradcheck(f, x);
}

const auto sine = [](const Variable& x) { return sin(x); };

}  // namespace

TEST_CASE("a right operation passes, and the report has nothing to say") {
  const auto right = [](const Variable& x) {
    return broken("sine", x, sine, [](const Variable& v, const Variable& g) { return g * cos(v); });
  };
  const GradcheckReport report = check_inside(right, random({3, 4}, 1));
  CHECK(report);
  CHECK(report.findings.empty());
}

TEST_CASE("a wrong sign") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine,
                  [](const Variable& v, const Variable& g) { return -g * cos(v); });
  };
  const GradcheckReport report = check_inside(wrong, random({3, 4}, 1));
  expect_finding(report, Cause::wrong_sign, "sine");
  CHECK(report.findings[0].index == 1);
  CHECK(report.findings[0].factor == -1.0);
  CHECK(report.findings[0].argument == "the result of tanh (operation 0)");
}

TEST_CASE("a wrong factor") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine,
                  [](const Variable& v, const Variable& g) { return 2.0 * (g * cos(v)); });
  };
  const GradcheckReport report = check_inside(wrong, random({3, 4}, 1));
  expect_finding(report, Cause::wrong_factor, "sine");
  CHECK(report.findings[0].factor == 2.0);
  CHECK(report.to_string().find("gives 2 times the derivative") != std::string::npos);
}

TEST_CASE("a factor that is off by a millionth") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine,
                  [](const Variable& v, const Variable& g) { return g * cos(v) * (1.0 + 1e-5); });
  };
  const GradcheckReport report = check_inside(wrong, random({3, 4}, 1));
  expect_finding(report, Cause::wrong_factor, "sine");
  CHECK(report.findings[0].factor == doctest::Approx(1.0 + 1e-5).epsilon(1e-7));
}

TEST_CASE("another function's derivative") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine, [](const Variable& v, const Variable& g) { return g * sin(v); });
  };
  expect_finding(check_inside(wrong, random({3, 4}, 1)), Cause::wrong_derivative, "sine");
}

TEST_CASE("a gradient that is transposed") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine,
                  [](const Variable& v, const Variable& g) { return transpose(g * cos(v)); });
  };
  expect_finding(check_inside(wrong, random({3, 3}, 1)), Cause::transposed, "sine");
}

TEST_CASE("a gradient whose numbers lie in the order of the transpose") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine, [](const Variable& v, const Variable& g) {
      return reshape(transpose(g * cos(v)), v.shape());
    });
  };
  expect_finding(check_inside(wrong, random({2, 3}, 1)), Cause::transposed, "sine");
}

TEST_CASE("a product whose vjp forgets to transpose the other factor") {
  const auto product = [](const Variable& a, const Variable& b) -> Variable {
    const Tensor y = matmul(detach(a), detach(b)).value();
    if (!recording("product", a, b)) return y;
    return record("product", y, [a, b](const Variable& g, BackwardPass& pass) {
      pass.add(a, matmul(g, b));
      pass.add(b, matmul(transpose(a), g));
    });
  };
  const DifferentiableFunction f = [product](Inputs in) {
    const Variable a = tanh(in[0]);
    return square(product(a, exp(in[1])));
  };
  const GradcheckReport report = gradcheck(f, {random({3, 3}, 1), random({3, 3}, 2)});
  expect_finding(report, Cause::transposed, "product");
  CHECK(report.findings[0].argument == "the result of tanh (operation 0)");
  for (const GradcheckFailure& failure : report.failures) CHECK(failure.input == "input 0");
}

TEST_CASE("a broadcast that is not summed back") {
  const auto check = [](auto vjp) {
    const auto add = [vjp](const Variable& a, const Variable& b) -> Variable {
      const Tensor y = (detach(a) + detach(b)).value();
      if (!recording("add", a, b)) return y;
      return record("add", y, [a, b, vjp](const Variable& g, BackwardPass& pass) {
        pass.add(a, g);
        pass.add(b, vjp(g));
      });
    };
    const DifferentiableFunction f = [add](Inputs in) { return square(add(in[0], tanh(in[1]))); };
    const GradcheckReport report = gradcheck(f, {random({4, 3}, 1), random({3}, 2)});
    expect_finding(report, Cause::missing_broadcast_sum, "add");
    CHECK(report.findings[0].argument == "the result of tanh (operation 0)");
    return report.findings[0].factor;
  };
  SUBCASE("one row in place of the sum") {
    check([](const Variable& g) { return select(g, 0, 2); });
  }
  SUBCASE("the mean in place of the sum") {
    CHECK(check([](const Variable& g) { return mean(g, {0}); }) == 0.25);
  }
}

TEST_CASE("an input that the vjp forgot") {
  const auto product = [](const Variable& a, const Variable& b) -> Variable {
    const Tensor y = (detach(a) * detach(b)).value();
    if (!recording("product", a, b)) return y;
    return record("product", y,
                  [a, b](const Variable& g, BackwardPass& pass) { pass.add(a, g * b); });
  };
  const DifferentiableFunction f = [product](Inputs in) {
    const Variable a = sin(in[0]);
    return exp(product(a, cos(in[1])));
  };
  const GradcheckReport report = gradcheck(f, {random({4}, 1), random({4}, 2)});
  expect_finding(report, Cause::missing_term, "product");
  CHECK(report.findings[0].argument == "the result of cos (operation 1)");
}

TEST_CASE("a part of the elements that the vjp forgot") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine, [](const Variable& v, const Variable& g) {
      Tensor mask = ones(v.shape(), v.dtype());
      mask.mutable_data<double>()[1] = 0.0;
      return g * cos(v) * Variable(mask);
    });
  };
  const GradcheckReport report = check_inside(wrong, random({3, 4}, 1));
  expect_finding(report, Cause::missing_term, "sine");
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].position == Shape{0, 1});
}

TEST_CASE("a vjp that reads what a later call of the same object has overwritten") {
  struct Layer {
    Tensor last;
    Variable operator()(const Variable& x) {
      last = x.value();
      return broken("layer", x, sine,
                    [this](const Variable&, const Variable& g) { return g * cos(Variable(last)); });
    }
  };
  const auto layer = std::make_shared<Layer>();
  const auto twice = [layer](const Variable& x) { return (*layer)((*layer)(x)); };
  const GradcheckReport report = gradcheck(twice, random({3}, 1, 0.5, 1.0));
  expect_finding(report, Cause::stale_state, "layer");
  CHECK(report.findings[0].index == 0);  // the second call reads what is its own
}

TEST_CASE("a vjp that keeps what the first call computed") {
  const auto kept = std::make_shared<Tensor>();
  const auto wrong = [kept](const Variable& x) {
    return broken("cached", x, sine, [kept](const Variable& v, const Variable& g) {
      if (!kept->defined()) *kept = cos(detach(v)).value();
      return g * Variable(*kept);
    });
  };
  expect_finding(check_inside(wrong, random({3}, 1, 0.5, 1.0)), Cause::stale_state, "cached");
}

TEST_CASE("a kink at the point, with the operation that has it") {
  const Tensor x = Tensor::of<double>({3}, {0.5, 0.0, -0.7});
  const GradcheckReport report = gradcheck([](const Variable& v) { return exp(relu(2.0 * v)); }, x);
  expect_finding(report, Cause::kink, "relu");
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].position == Shape{1});
  const double weight = report.failures[0].slope_above / 2.0;
  CHECK(weight > 0.49);
  CHECK(report.failures[0].slope_below == doctest::Approx(0.0));
  CHECK(report.failures[0].numeric == doctest::Approx(weight));  // the mean of both slopes
}

TEST_CASE("a tie is a kink, a jump is none") {
  const Tensor x = Tensor::of<double>({2}, {1.0, 2.5});
  expect_finding(gradcheck([](const Variable& v) { return v * floor(v); }, x), Cause::jump,
                 "floor");
  const DifferentiableFunction larger = [](Inputs in) { return maximum(in[0], in[1]); };
  expect_finding(gradcheck(larger, {x, x}), Cause::kink, "maximum");
}

TEST_CASE("a point right beside a kink has a derivative, which steps that are short enough find") {
  const auto f = [](const Variable& v) { return square(relu(v) + abs(v) + 1.0); };
  CHECK(gradcheck(f, Tensor::of<double>({4}, {0.0003, -0.0003, 1e-5, 0.2})));
}

TEST_CASE("a wrong vjp is told from the kinks beside it") {
  const auto f = [](const Variable& x) {
    return broken("sine", relu(x), sine,
                  [](const Variable& v, const Variable& g) { return -g * cos(v); });
  };
  const GradcheckReport report = gradcheck(f, Tensor::of<double>({3}, {0.5, 0.0, 0.7}));
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].cause == Cause::wrong_sign);
  CHECK(report.findings[0].operation == "sine");
  CHECK(report.findings[1].cause == Cause::kink);
  CHECK(report.findings[1].operation == "relu");
}

TEST_CASE("a function that draws random numbers, with the operation where they come in") {
  const auto f = [](const Variable& x) {
    const Variable y = exp(x);
    return square(y * Variable(bernoulli(x.shape(), 0.5, Dtype::float64)));
  };
  expect_finding(gradcheck(f, random({8}, 1)), Cause::not_deterministic, "mul");
}

TEST_CASE("a function that keeps count of its calls") {
  int calls = 0;
  const auto f = [&calls](const Variable& x) { return x * double(++calls); };
  expect_finding(gradcheck(f, random({3}, 1)), Cause::not_deterministic, "mul");
}

TEST_CASE("a value that is not a number, with the first operation that gives one") {
  const auto f = [](const Variable& x) { return exp(square(log(x)) + sin(x)); };
  expect_finding(gradcheck(f, Tensor::of<double>({1}, {-1.0})), Cause::non_finite, "log");
}

TEST_CASE("a derivative that is infinite where the value is not") {
  const auto f = [](const Variable& x) { return 1.0 + sqrt(square(x)); };
  const GradcheckReport report = gradcheck(f, Tensor::of<double>({1}, {0.0}));
  expect_finding(report, Cause::non_finite, "sqrt");
  CHECK(report.findings[0].argument == "the result of square (operation 0)");
}

TEST_CASE("a vjp that is not a number") {
  const auto wrong = [](const Variable& x) {
    return broken("sine", x, sine,
                  [](const Variable&, const Variable& g) { return g * std::nan(""); });
  };
  expect_finding(check_inside(wrong, random({3}, 1)), Cause::non_finite, "sine");
}

TEST_CASE("the edge of a domain") {
  const auto f = [](const Variable& x) { return 2.0 * acos(x); };
  expect_finding(gradcheck(f, Tensor::of<double>({1}, {1.0})), Cause::non_finite, "acos");
}

TEST_CASE("a stop_gradient is no wrong vjp, and is told from one") {
  SUBCASE("one of two paths") {
    const auto f = [](const Variable& x) { return x * stop_gradient(tanh(x)); };
    expect_finding(gradcheck(f, random({3}, 1)), Cause::stop_gradient, "");
  }
  SUBCASE("the only path of an input") {
    const DifferentiableFunction f = [](Inputs in) {
      const Variable a = exp(in[0]);
      return a * stop_gradient(in[1]);
    };
    const GradcheckReport report = gradcheck(f, {random({3}, 1), random({3}, 2)});
    expect_finding(report, Cause::stop_gradient, "");
    for (const GradcheckFailure& failure : report.failures) {
      CHECK(failure.input == "input 1");
      CHECK(failure.analytic == 0.0);
    }
    CHECK(report.findings[0].text.find("after exp (operation 0)") != std::string::npos);
  }
  SUBCASE("the whole function") {
    const auto f = [](const Variable& x) { return exp(detach(x)); };
    expect_finding(gradcheck(f, random({3}, 1)), Cause::stop_gradient, "");
  }
}

TEST_CASE("a value that is taken off the tape: every operation is right, the function is not") {
  const auto f = [](const Variable& x) { return exp(x.value()); };
  const GradcheckReport report = gradcheck(f, random({3}, 1));
  expect_finding(report, Cause::missing_term, "");
  CHECK(report.findings[0].text.find("nothing is recorded") != std::string::npos);
}

TEST_CASE("a vjp with numbers in place of operations is right once and wrong twice") {
  const auto raw = [](const Variable& x) {
    return broken("raw", x, sine,
                  [](const Variable& v, const Variable& g) { return detach(g) * cos(detach(v)); });
  };
  const Tensor x = random({3}, 1);
  CHECK(check_inside(raw, x));
  const GradcheckReport report = gradgradcheck(raw, x);
  CHECK_FALSE(report.passed);
  CHECK(report.findings[0].cause == Cause::not_differentiable);
  CHECK(report.findings[0].operation == "raw");
  GradcheckOptions options;
  options.jvp = true;
  CHECK_FALSE(gradcheck(raw, x, options).passed);
}

TEST_CASE("several wrong operations are all named, each once however often it is used") {
  const auto minus = [](const Variable& x) {
    return broken("minus", x, sine,
                  [](const Variable& v, const Variable& g) { return -g * cos(v); });
  };
  const auto half = [](const Variable& x) {
    return broken("half", x, sine,
                  [](const Variable& v, const Variable& g) { return 0.5 * (g * cos(v)); });
  };
  const auto f = [=](const Variable& x) {
    const Variable a = minus(minus(x));
    return half(a + half(x));
  };
  const GradcheckReport report = gradcheck(f, random({3}, 1));
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].operation == "minus");
  CHECK(report.findings[0].cause == Cause::wrong_sign);
  CHECK(report.findings[1].operation == "half");
  CHECK(report.findings[1].factor == 0.5);
}

TEST_CASE("a wrong operation is found among the steps of a recurrence, and by a parameter") {
  const Parameter weight("weight", random({4, 4}, 2));
  const auto multiply = [](const Variable& h, const Variable& w) -> Variable {
    const Tensor y = linear(detach(h), detach(w)).value();
    if (!recording("multiply", h, w)) return y;
    return record("multiply", y, [h, w](const Variable& g, BackwardPass& pass) {
      pass.add(h, matmul(g, w));
      pass.add(w, matmul(transpose(h), g));  // g^T h is right
    });
  };
  const auto f = [&](const Variable& x) {
    Variable h = select(x, 0, 0);
    for (Index t = 1; t < x.size(0); ++t) h = tanh(multiply(h, weight) + select(x, 0, t));
    return h;
  };
  GradcheckOptions options;
  options.parameters = {weight};
  const GradcheckReport report = gradcheck(f, random({5, 2, 4}, 3), options);
  expect_finding(report, Cause::transposed, "multiply");
  CHECK(report.findings[0].argument == "weight");
}

}  // namespace unroll::testing
