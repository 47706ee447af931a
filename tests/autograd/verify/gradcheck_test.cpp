#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Inputs = std::span<const Variable>;

/// sin(x) with whatever derivative `vjp(x, gradient)` claims it has.
template <class Vjp>
DifferentiableFunction sine_with(Vjp vjp) {
  return [vjp](Inputs inputs) {
    const Variable& x = inputs[0];
    const Variable y = sin(detach(x));
    if (!recording("sine", x)) return y;
    return record("sine", y.value(),
                  [x, vjp](const Variable& g, BackwardPass& pass) { pass.add(x, vjp(x, g)); });
  };
}

/// a + b for `b` that broadcasts, with whatever gradient `vjp(gradient)` claims b has.
template <class Vjp>
DifferentiableFunction sum_with(Vjp vjp) {
  return [vjp](Inputs inputs) {
    const Variable a = inputs[0];
    const Variable b = inputs[1];
    const Variable y = detach(a) + detach(b);
    if (!recording("sum", a, b)) return y;
    return record("sum", y.value(), [a, b, vjp](const Variable& g, BackwardPass& pass) {
      pass.add(a, g);
      pass.add(b, vjp(g));
    });
  };
}

}  // namespace

TEST_CASE("a right derivative passes, element by element") {
  const auto right = sine_with([](const Variable& x, const Variable& g) { return g * cos(x); });
  const GradcheckReport report = gradcheck(right, {random({3, 4}, 1)});
  CHECK(report.passed);
  CHECK(static_cast<bool>(report));
  CHECK(report.checked == 12);
  CHECK(report.failures.empty());
  CHECK(report.worst < 1e-9);
  CHECK(report.to_string() == "gradcheck: 12 elements, 0 wrong");
}

TEST_CASE("a wrong sign is found in every element") {
  const auto wrong = sine_with([](const Variable& x, const Variable& g) { return -g * cos(x); });
  const GradcheckReport report = gradcheck(wrong, {random({3, 4}, 1)});
  CHECK_FALSE(report.passed);
  CHECK(report.failures.size() == 12);
  for (const GradcheckFailure& failure : report.failures)
    CHECK(failure.analytic == doctest::Approx(-failure.numeric));
}

TEST_CASE("a factor that is off by a millionth is found") {
  const auto wrong =
      sine_with([](const Variable& x, const Variable& g) { return g * cos(x) * (1.0 + 1e-6); });
  CHECK_FALSE(gradcheck(wrong, {random({3}, 1)}).passed);
}

TEST_CASE("a term that is missing is found") {
  const DifferentiableFunction wrong = [](Inputs v) { return v[0] * detach(v[0]); };
  const GradcheckReport report = gradcheck(wrong, {random({3}, 1, 0.5, 1.0)});
  CHECK(report.failures.size() == 3);
  CHECK(report.failures[0].numeric == doctest::Approx(2.0 * report.failures[0].analytic));
}

TEST_CASE("errors that cancel in a plain sum are found, as every element has its own weight") {
  // The gradient of a reversed copy: right in its sum, wrong in its order.
  const auto reversed = [](const Variable& x) {
    return stack({select(x, 0, 2), select(x, 0, 1), select(x, 0, 0)});
  };
  const auto wrong =
      sine_with([&](const Variable& x, const Variable& g) { return reversed(g) * cos(x); });
  CHECK_FALSE(gradcheck(wrong, {random({3}, 1)}).passed);
}

TEST_CASE("a broadcast that is not summed back is found") {
  const std::vector<Tensor> inputs{random({4, 3}, 1), random({3}, 2)};
  CHECK(gradcheck(sum_with([](const Variable& g) { return g; }), inputs).passed);
  const auto one_row = sum_with([](const Variable& g) { return select(g, 0, 0); });
  const auto average = sum_with([](const Variable& g) { return mean(g, {0}); });
  for (const DifferentiableFunction& wrong :
       {DifferentiableFunction(one_row), DifferentiableFunction(average)}) {
    const GradcheckReport report = gradcheck(wrong, inputs);
    CHECK(report.failures.size() == 3);
    for (const GradcheckFailure& failure : report.failures) CHECK(failure.input == "input 1");
  }
}

TEST_CASE("the report names the input and the position of the element that is wrong") {
  Tensor error = ones({2, 3}, Dtype::float64);
  error.mutable_data<double>()[5] = 1.5;
  error.mutable_data<double>()[1] = 3.0;
  const auto wrong =
      sine_with([=](const Variable& x, const Variable& g) { return g * cos(x) * Variable(error); });
  const GradcheckReport report = gradcheck(wrong, {random({2, 3}, 1, -0.2, 0.2)});
  REQUIRE(report.failures.size() == 2);
  CHECK(report.failures[0].position == Shape{0, 1});  // the worst first
  CHECK(report.failures[1].position == Shape{1, 2});
  CHECK(report.failures[0].input == "input 0");
  const std::string text = report.to_string();
  CHECK(text.find("6 elements, 2 wrong") != std::string::npos);
  CHECK(text.find("input 0 [0,1]: analytic") != std::string::npos);
}

TEST_CASE("a long list of failures is cut") {
  const auto wrong = sine_with([](const Variable&, const Variable& g) { return g * 5.0; });
  const GradcheckReport report = gradcheck(wrong, {random({30}, 1)});
  CHECK(report.failures.size() == 30);
  CHECK(report.to_string().find("and 20 more") != std::string::npos);
}

TEST_CASE("a derivative that is not a number fails") {
  const auto wrong = sine_with([](const Variable&, const Variable& g) { return g * std::nan(""); });
  CHECK(gradcheck(wrong, {random({3}, 1)}).failures.size() == 3);
}

TEST_CASE("parameters are checked beside the inputs, by name, and keep their values") {
  const Parameter right("right", random({2}, 1));
  const Parameter wrong("wrong", random({2}, 2));
  const Tensor before = wrong.value().clone();
  GradcheckOptions options;
  options.parameters = {right, wrong};
  const DifferentiableFunction f = [&](Inputs v) {
    return v[0] * right + Variable(wrong) * detach(Variable(wrong));
  };
  const GradcheckReport report = gradcheck(f, {random({2}, 3)}, options);
  CHECK(report.checked == 6);
  REQUIRE(report.failures.size() == 2);
  CHECK(report.failures[0].input == "wrong");
  CHECK(report.failures[1].input == "wrong");
  expect_close(wrong.value(), before, 0.0);
}

TEST_CASE("parameters get their values back when the function throws") {
  const Parameter w("w", random({2}, 1));
  const Tensor before = w.value().clone();
  GradcheckOptions options;
  options.parameters = {w};
  int calls = 0;
  const DifferentiableFunction f = [&](Inputs) {
    if (++calls == 3) throw std::runtime_error("out of patience");
    return square(Variable(w));
  };
  CHECK_THROWS_WITH(gradcheck(f, {}, options), "out of patience");
  CHECK(calls == 3);
  expect_close(w.value(), before, 0.0);
}

TEST_CASE("views are checked at the values they show") {
  const Tensor x = random({4, 6}, 1);
  const DifferentiableFunction f = [](Inputs v) { return matmul(v[0], exp(v[1])); };
  CHECK(gradcheck(f, {x.transpose(0, 1), x.slice(1, 0, 6, 2)}).passed);
}

TEST_CASE("float32 has too few digits, unless it is allowed with tolerances to match") {
  const DifferentiableFunction f = [](Inputs v) { return sin(v[0]); };
  const Tensor x = random({3}, 1).to(Dtype::float32);
  expect_error<DtypeError>([&] { gradcheck(f, {x}); }, {"gradcheck", "input 0", "float32", "to("});
  expect_error<DtypeError>([&] { gradcheck(f, {arange(3)}); }, {"gradcheck", "int64"});
  GradcheckOptions options;
  options.parameters = {Parameter("narrow", x)};
  expect_error<DtypeError>([&] { gradcheck(f, {random({3}, 1)}, options); }, {"narrow", "float32"});
  options.parameters.clear();
  options.allow_float32 = true;
  options.step = 1e-2;
  options.tolerances = {.relative = 1e-3, .absolute = 1e-3};
  CHECK(gradcheck(f, {x}, options).passed);
}

TEST_CASE("tighter tolerances and other steps can be asked for") {
  const auto slightly_off =
      sine_with([](const Variable& x, const Variable& g) { return g * cos(x) * (1.0 + 1e-8); });
  CHECK(gradcheck(slightly_off, {random({3}, 1)}).passed);
  GradcheckOptions options;
  options.tolerances = {.relative = 1e-10, .absolute = 1e-12};
  CHECK_FALSE(gradcheck(slightly_off, {random({3}, 1)}, options).passed);
}

TEST_CASE("a check in one line shows the report when it fails") {
  CHECK(gradcheck([](const Variable& x) { return tanh(x) * x; }, random({3}, 1)));
  const auto wrong = sine_with([](const Variable& x, const Variable& g) { return -g * cos(x); });
  const GradcheckReport report = gradcheck(wrong, {random({3}, 1)});
  CHECK_FALSE(report);
  CHECK(doctest::toString(report) == doctest::String(report.to_string().c_str()));
  CHECK(report.to_string().find("wrong sign: the vjp of sine (operation 0)") != std::string::npos);
}

TEST_CASE("random directions cost the same for any size, and find the element that is wrong") {
  GradcheckOptions options;
  options.directions = 3;
  int calls = 0;
  const DifferentiableFunction f = [&](Inputs v) {
    ++calls;
    return exp(v[0]) * v[1];
  };
  const GradcheckReport report = gradcheck(f, {random({40, 30}, 1), random({30}, 2)}, options);
  CHECK(report);
  CHECK(report.checked == 6);
  CHECK(report.to_string() == "gradcheck: 6 directions, 0 wrong");
  // what lambdas have captured, a nearby point, the sizes of the results and of what cancels in
  // them, two gradients
  CHECK(calls == 6 * 4 + 6);

  Tensor error = ones({7, 5}, Dtype::float64);
  error.mutable_data<double>()[23] = 1.5;
  const auto wrong =
      sine_with([=](const Variable& x, const Variable& g) { return g * cos(x) * Variable(error); });
  const GradcheckReport failed = gradcheck(wrong, {random({7, 5}, 1)}, options);
  REQUIRE(failed.failures.size() == 1);
  CHECK(failed.failures[0].position == Shape{4, 3});
  CHECK(failed.findings[0].operation == "sine");
}

TEST_CASE("jvp against vjp passes for vjps written with operations") {
  GradcheckOptions options;
  options.jvp = true;
  options.parameters = {Parameter("w", random({3, 2}, 1))};
  const DifferentiableFunction f = [&](Inputs v) {
    return tanh(matmul(v[0], options.parameters[0]));
  };
  CHECK(gradcheck(f, {random({4, 3}, 2)}, options));
  CHECK(gradgradcheck(f, {random({4, 3}, 2)}, options));
}

TEST_CASE("gradgradcheck finds a second derivative that is wrong where the first is right") {
  // The captured output is a constant in the vjp.
  const auto captured = [](const Variable& x) -> Variable {
    const Tensor y = exp(detach(x)).value();
    if (!recording("captured", x)) return y;
    return record("captured", y,
                  [x, y](const Variable& g, BackwardPass& pass) { pass.add(x, g * Variable(y)); });
  };
  CHECK(gradcheck(captured, random({3}, 1)));
  const GradcheckReport report = gradgradcheck(captured, random({3}, 1));
  CHECK_FALSE(report);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::missing_term);
  CHECK(report.findings[0].text.find("captured a result") != std::string::npos);
}

TEST_CASE("causes are found in float32 too") {
  GradcheckOptions options;
  options.allow_float32 = true;
  options.step = 1e-2;
  options.tolerances = {.relative = 1e-3, .absolute = 1e-3};
  const auto wrong = [](Inputs v) {
    const auto sine = sine_with([](const Variable& x, const Variable& g) { return -g * cos(x); });
    const Variable y = exp(v[0]);
    return square(sine(std::span(&y, 1)));
  };
  const Tensor x = random({3}, 1, 0.1, 0.5).to(Dtype::float32);
  const GradcheckReport report = gradcheck(wrong, {x}, options);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::wrong_sign);
  CHECK(report.findings[0].operation == "sine");
}

TEST_CASE("an operation that refuses the values it is tried with ends the search, not the check") {
  const DifferentiableFunction picky = [](Inputs v) {
    const Variable h = tanh(v[0]);
    const bool moved = Tape::active() && h.value().at({0}) != std::tanh(0.5);
    if (moved) throw ArgumentError("picky: only tanh(0.5) will do");
    const Variable y = sin(detach(h));
    if (!recording("picky", h)) return y;
    return record("picky", y.value(),
                  [h](const Variable& g, BackwardPass& pass) { pass.add(h, g * 3.0); });
  };
  const GradcheckReport report = gradcheck(picky, {Tensor::of<double>({1}, {0.5})});
  CHECK(report.failures.size() == 1);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].text.find("picky: only") != std::string::npos);
}

}  // namespace unroll::testing
