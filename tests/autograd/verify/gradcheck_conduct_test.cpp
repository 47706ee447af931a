// How a check is conducted: which inputs, which lambdas it refuses, what it says meanwhile, and in
// which dtype.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <chrono>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"
#include "support/op_cases.hpp"

namespace unroll::testing {
namespace {

/// x^T x, with a vjp that is right only for square x: it forgets a transpose.
Variable gram(const Variable& x) {
  Variable y = matmul(transpose(Variable(x.value())), Variable(x.value()));
  if (!recording("gram", x)) return y;
  return record("gram", y.value(), [x](const Variable& g, BackwardPass& pass) {
    const bool square = x.size(0) == x.size(1);
    const Variable both = g + transpose(g);
    pass.add(x, square ? matmul(x, both) : matmul(x, both) * 0.5);
  });
}

/// Doubles, but for one element of float32 arrays.
Variable doubled(const Variable& x) {
  Tensor y = (Variable(x.value()) * 2.0).value();
  if (y.dtype() == Dtype::float32) y.mutable_data<float>()[1] *= 1.001F;
  if (!recording("doubled", x)) return y;
  return record("doubled", y, [x](const Variable& g, BackwardPass& pass) { pass.add(x, g * 2.0); });
}

}  // namespace

TEST_CASE("a vjp that is right only for square matrices is found where shapes vary") {
  const DifferentiableFunction f = [](Inputs v) { return gram(v[0]); };
  CHECK(gradcheck(f, {random({3, 3}, 1)}).passed);
  const GradcheckReport report = gradcheck(f, [](Generator& generator) {
    const auto size = [&] { return static_cast<Index>(1 + generator.below(4)); };
    const Shape shape{size(), size()};
    return std::vector{uniform(shape, -1.0, 1.0, Dtype::float64, generator)};
  });
  CHECK(!report.passed);
  REQUIRE(!report.findings.empty());
  CHECK(report.findings[0].text.find("of the inputs: float64 [") != std::string::npos);
}

TEST_CASE("right vjps pass for every shape that a generator draws, and all elements count") {
  Index elements = 0;
  const GradcheckReport report = gradcheck(
      [](Inputs v) { return matmul(tanh(v[0]), v[1]); },
      [&](Generator& generator) {
        const auto size = [&] { return static_cast<Index>(1 + generator.below(4)); };
        const Index inner = size();
        const std::vector inputs{uniform({size(), inner}, -1.0, 1.0, Dtype::float64, generator),
                                 uniform({inner, size()}, -1.0, 1.0, Dtype::float64, generator)};
        elements += inputs[0].size() + inputs[1].size();
        return inputs;
      },
      {}, 10);
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked == elements);
}

TEST_CASE("a lambda that refers to a local variable which is gone in the backward pass is found") {
  const GradcheckReport report = gradcheck(
      [](const Variable& x) {
        const double k = 3.0 + 0.0 * x.item();
        return pointwise(
            "scaled", [&k](auto a) { return k * a * a; }, x);
      },
      random({}, 1));
  CHECK(!report.passed);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::dangling_capture);
  CHECK(report.findings[0].operation == "scaled");
  CHECK(report.findings[0].text.find("capture it by value") != std::string::npos);
}

TEST_CASE("it is found on other threads, and beside other captures") {
  bool found = false;
  std::thread([&found] {
    const GradcheckReport report = gradcheck(
        [](const Variable& x) {
          const double k = 3.0 + 0.0 * x.item();
          const int n = 2;
          return pointwise([n, &k](auto a) { return k * a * n; }, x);
        },
        random({}, 1));
    found = !report.findings.empty() && report.findings[0].cause == Cause::dangling_capture;
  }).join();
  CHECK(found);
}

TEST_CASE("a lambda may refer to what outlives the check, and capture anything by value") {
  const double outside = 3.0;
  const auto on_the_heap = std::make_unique<double>(2.0);
  const GradcheckReport report = gradcheck(
      [&](const Variable& x) {
        const double inside = 0.5;
        return pointwise([&outside, &heap = *on_the_heap,
                          inside](auto a) { return outside * a * a * heap + inside; },
                         x);
      },
      random({}, 1));
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("a long check says how long it will take, what would be shorter, and how far it is") {
  const auto slowly = [](Inputs v) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return sum(square(v[0]));
  };
  std::vector<std::string> lines;
  GradcheckOptions options;
  options.progress = [&](const std::string& line) { lines.push_back(line); };
  CHECK(gradcheck(slowly, {random({1000}, 1)}, options).passed);
  REQUIRE(!lines.empty());
  CHECK(lines[0].find("1000 derivatives will take about ") != std::string::npos);
  CHECK(lines[0].find("directions = 8") != std::string::npos);

  lines.clear();
  options.directions = 4;
  CHECK(gradcheck(slowly, {random({1000}, 1)}, options).passed);
  CHECK(lines.empty());
}

TEST_CASE("the float32 kernels of every op give what the float64 ones do, up to rounding") {
  for (const OpCase& op : op_cases()) {
    const GradcheckReport report = check_float32(op.f, op.inputs);
    CHECK_MESSAGE(report.passed, op.op << ", " << op.what << ": " << report.to_string());
    CHECK(report.checked > 0);
  }
}

TEST_CASE("a float32 kernel that is wrong in one element by a thousandth is found") {
  const DifferentiableFunction f = [](Inputs v) { return doubled(v[0]); };
  CHECK(gradcheck(f, {random({4}, 1)}).passed);
  const GradcheckReport report = check_float32(f, {random({4}, 1)});
  CHECK(!report.passed);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].input == "result");
  CHECK(report.failures[0].position == Shape{1});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::float32_differs);
}

TEST_CASE("what float32 loses by rounding alone is no fault of a kernel") {
  const auto rounds = [](Inputs v) { return (v[0] + 1e6) - 1e6; };
  const GradcheckReport report = check_float32(rounds, {random({20}, 1)});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("what overflows in float32 alone does not pass") {
  const auto huge = [](Inputs v) { return exp(v[0] * 100.0); };
  const Tensor x = Tensor::of<double>({2}, {0.5, 0.95});
  CHECK(gradcheck(huge, {x}, {.tolerances = {.relative = 1e-6}}).passed);
  const GradcheckReport report = check_float32(huge, {x});
  CHECK(!report.passed);
  REQUIRE(!report.failures.empty());
  CHECK(report.failures[0].position == Shape{1});
  CHECK(std::isinf(report.failures[0].analytic));
}

TEST_CASE("the float32 check of a module leaves its parameters as they were") {
  const nn::Linear layer(3, 2);
  const std::vector<Parameter> parameters = layer.parameters();
  const std::vector<float> before = parameters[0].value().to_vector<float>();
  const GradcheckReport report =
      nn::check_float32(layer, [&](Inputs v) { return tanh(layer(v[0])); }, {random({4, 3}, 1)});
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked == 8 + 12 + 6 + 2);
  CHECK(parameters[0].dtype() == Dtype::float32);
  CHECK(parameters[0].value().to_vector<float>() == before);
}

TEST_CASE("the check in float32 refuses whole numbers") {
  CHECK_THROWS_WITH_AS(check_float32([](const Variable& x) { return x; }, arange(3)),
                       "check_float32: an input is int64; inputs are float64 or float32",
                       DtypeError);
}

}  // namespace unroll::testing
