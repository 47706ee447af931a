// What gradcheck can tell, and what it says when it cannot.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Inputs = std::span<const Variable>;

/// x, with whatever gradient `vjp(x, gradient)` claims.
template <class Vjp>
Variable identity_with(const char* name, const Variable& x, Vjp vjp) {
  if (!recording(name, x)) return x;
  return record(name, x.value().clone(),
                [x, vjp](const Variable& g, BackwardPass& pass) { pass.add(x, vjp(x, g)); });
}

Variable bad_sign(const Variable& x) {
  return identity_with("bad_sign", x, [](const Variable&, const Variable& g) { return -g; });
}

Tensor vector(const std::vector<double>& x) {
  return Tensor::of<double>({static_cast<Index>(x.size())}, x);
}

Tensor hilbert(Index n) {
  Tensor h = zeros({n, n}, Dtype::float64);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j)
      h.mutable_data<double>()[i * n + j] = 1.0 / static_cast<double>(i + j + 1);
  return h;
}

/// A symmetric matrix from what need not be one.
Variable symmetric(const Variable& a) { return 0.5 * (a + transpose(a)); }

/// A matrix with these singular values, or eigenvalues when it is symmetric.
Tensor matrix_of(const std::vector<double>& values, bool is_symmetric) {
  const auto n = static_cast<Index>(values.size());
  const auto rotation = [&](std::uint64_t seed) {
    return eigh(symmetric(Variable(random({n, n}, seed)))).vectors.value();
  };
  const Tensor left = rotation(3);
  const Tensor right = is_symmetric ? left : rotation(4);
  return matmul(Variable(left) * Variable(vector(values)), transpose(Variable(right))).value();
}

struct Nasty {
  std::string name;
  std::function<GradcheckReport()> check;
};

/// Functions that are hard to differentiate numerically, with vjps that are right.
std::vector<Nasty> nasty_functions() {
  std::vector<Nasty> all;
  const auto add = [&](const std::string& name, const Tensor& x, auto f) {
    all.push_back({name, [x, f] {
                     return gradcheck([f](const Variable& v) -> Variable { return f(v); }, x);
                   }});
  };
  for (const double size : {1e2, 1e4, 1e5, 1e6, 1e8}) {
    const std::string at = " at " + std::to_string(size);
    add("sin" + at, vector({size, -size - 0.5}), [](const Variable& v) { return sin(v); });
    add("cos" + at, vector({size}), [](const Variable& v) { return cos(v); });
    add("tanh(sin)" + at, vector({size}), [](const Variable& v) { return tanh(3.0 * sin(v)); });
    add("sin of x times" + at, vector({0.7, -1.3}),
        [size](const Variable& v) { return sin(v * size); });
    add("exp of sin of x times" + at, vector({0.2}),
        [size](const Variable& v) { return exp(sin(v * size)); });
  }
  for (const double size : {1e-3, 1e-6, 1e-8, 1e-10}) {
    const std::string at = " at " + std::to_string(-std::log10(size)) + " digits below 1";
    add("norm" + at, vector({3 * size, -4 * size}), [](const Variable& v) { return norm(v); });
    add("sqrt" + at, vector({size}), [](const Variable& v) { return sqrt(v); });
    add("log" + at, vector({size}), [](const Variable& v) { return log(v); });
    add("1/x" + at, vector({size, -2 * size}), [](const Variable& v) { return 1.0 / v; });
    add("pow" + at, vector({size}), [](const Variable& v) { return pow(v, 0.3); });
    add("atan of x over" + at, vector({0.3 * size}),
        [size](const Variable& v) { return atan(v * (1.0 / size)); });
    if (size >= 1e-6)
      add("relu beside the kink" + at, vector({size, -size}),
          [](const Variable& v) { return square(relu(v) + 1.0); });
  }
  for (const int steps : {10, 40, 200})
    add("logistic map, " + std::to_string(steps) + " steps", vector({0.3, 0.61}),
        [steps](const Variable& v) {
          Variable x = v;
          for (int t = 0; t < steps; ++t) x = 3.9 * x * (1.0 - x);
          return x;
        });
  for (const Index n : {3, 6})
    add("inverse of a Hilbert matrix of order " + std::to_string(n), hilbert(n),
        [](const Variable& v) { return inverse(v); });
  for (const double gap : {1e-2, 1e-4, 1e-6}) {
    const Tensor close = matrix_of({1.0, 1.0 + gap, 3.0}, true);
    add("eigh with a small gap", close,
        [](const Variable& v) { return eigh(symmetric(v)).values; });
    add("vectors of eigh with a small gap", close,
        [](const Variable& v) { return square(eigh(symmetric(v)).vectors); });
    add("svd with close singular values", matrix_of({2.0, 2.0 + gap, 0.5}, false),
        [](const Variable& v) { return svd(v).s; });
  }
  add("results of twenty orders", vector({3.0, 2.5, -3.0}),
      [](const Variable& v) { return exp(10.0 * v); });
  add("a small difference of large numbers", vector({0.5, 1.5}),
      [](const Variable& v) { return (v + 1e9) - 1e9; });
  add("a large constant", vector({0.5}), [](const Variable& v) { return sin(v) + 1e10; });
  add("softmax far out", vector({500.0, -300.0, 499.0}),
      [](const Variable& v) { return softmax(v, 0); });
  add("logsumexp far out", vector({1e4, 1e4 - 1.0}),
      [](const Variable& v) { return logsumexp(v, {0}); });
  add("erf in its tail", vector({5.5, -6.0}), [](const Variable& v) { return erf(v); });
  add("a steep sigmoid", vector({1e-4, 0.5}), [](const Variable& v) { return sigmoid(1e4 * v); });
  add("lgamma near a pole", vector({1e-4, 1.0, 170.0}),
      [](const Variable& v) { return lgamma(v); });
  return all;
}

}  // namespace

TEST_CASE("a right function is never called wrong, however hard it is to differentiate") {
  const std::vector<Nasty> functions = nasty_functions();
  CHECK(functions.size() >= 60);
  int passed = 0;
  for (const Nasty& one : functions) {
    const GradcheckReport report = one.check();
    CAPTURE(one.name);
    CAPTURE(report);
    CHECK(report.failures.empty());
    CHECK(report.passed == report.not_judged.empty());
    passed += report.passed ? 1 : 0;
  }
  CHECK(passed >= 60);  // not by judging nothing
}

TEST_CASE(
    "a kink that lies nearer than differences can tell is a kink, not a jump or a wrong vjp") {
  const auto f = [](const Variable& v) { return square(relu(v) + 1.0); };
  for (const double x : {1e-8, -1e-8, 1e-10, -1e-10}) {
    const GradcheckReport report = gradcheck(f, vector({x}));
    CAPTURE(report);
    for (const GradcheckFailure& failure : report.failures) CHECK(failure.cause == Cause::kink);
  }
}

TEST_CASE("a chaotic function is not judged, for its steps are too long, and may be passed on") {
  const auto logistic = [](const Variable& v) {
    Variable x = v;
    for (int t = 0; t < 200; ++t) x = 3.9 * x * (1.0 - x);
    return x;
  };
  const Tensor x = vector({0.3});
  const GradcheckReport report = gradcheck(logistic, x);
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  CHECK(report.failures.empty());
  REQUIRE(report.not_judged.size() == 1);
  CHECK(report.not_judged[0].cause == Cause::step_too_long);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::step_too_long);
  CHECK(report.to_string().find("1 not judged") != std::string::npos);
  GradcheckOptions options;
  options.allow_not_judged = true;
  CHECK(gradcheck(logistic, x, options).passed);
}

TEST_CASE("a wrong sign beside results of another size is found") {
  const DifferentiableFunction f = [](Inputs in) {
    return concat({exp(10.0 * in[0]), bad_sign(in[1])}, 0);
  };
  const GradcheckReport report = gradcheck(f, {vector({3.0, 2.5, -3.0}), vector({3.0, 2.5, -3.0})});
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  CHECK(report.failures.size() == 3);
  for (const GradcheckFailure& failure : report.failures) {
    CHECK(failure.input == "input 1");
    CHECK(failure.cause == Cause::wrong_sign);
  }
  CHECK(report.findings[0].operation == "bad_sign");

  // Small results have their own measure too, not the absolute tolerance.
  const DifferentiableFunction small = [](Inputs in) {
    return concat({in[0], 1e-12 * bad_sign(in[1])}, 0);
  };
  const GradcheckReport found = gradcheck(small, {vector({1.0}), vector({2.0})});
  CAPTURE(found);
  REQUIRE(found.failures.size() == 1);
  CHECK(found.failures[0].input == "input 1");
}

TEST_CASE("a wrong vjp among operations that are hard to differentiate is named alone") {
  const auto f = [](const Variable& v) { return bad_sign(tanh(sin(1e5 * v))) * exp(v); };
  const GradcheckReport report = gradcheck(f, vector({0.7, -1.3}));
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].operation == "bad_sign");
  CHECK(report.findings[0].cause == Cause::wrong_sign);
}

TEST_CASE("what rounding hides does not pass") {
  const auto f = [](const Variable& v) { return bad_sign(v) + 1e12; };
  const Tensor x = vector({0.5, -1.5});
  CHECK_FALSE(gradcheck(f, x).passed);
  const auto right = [](const Variable& v) { return v + 1e14; };
  const GradcheckReport report = gradcheck(right, x);
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  CHECK(report.failures.empty());
  CHECK(report.not_judged.size() == 2);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::rounding);
}

TEST_CASE("a vjp of another shape or dtype is named, with what it gave and what was expected") {
  const Tensor x = random({3, 4}, 1);
  const auto finding = [&](const auto& op) {
    const GradcheckReport report =
        gradcheck([&](const Variable& v) { return tanh(op(sin(v))); }, x);
    CAPTURE(report);
    CHECK_FALSE(report.passed);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].cause == Cause::vjp_failed);
    CHECK(report.findings[0].index == 1);
    return report.findings[0];
  };
  const auto names = [](const GradcheckFinding& found, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      CAPTURE(found.text);
      CAPTURE(word);
      CHECK(found.text.find(word) != std::string::npos);
    }
  };
  auto found = finding([](const Variable& v) {
    return identity_with("turned", v,
                         [](const Variable&, const Variable& g) { return transpose(g); });
  });
  CHECK(found.operation == "turned");
  names(found, {"backward pass of turned", "argument of shape [3,4]", "has shape [4,3]"});
  found = finding([](const Variable& v) {
    return identity_with("narrow", v, [](const Variable&, const Variable& g) {
      return Variable(g.value().to(Dtype::float32));
    });
  });
  names(found, {"backward pass of narrow", "argument float64 [3,4]", "is float32 [3,4]"});
  found = finding([](const Variable& v) {
    return identity_with("empty", v, [](const Variable&, const Variable&) { return Variable(); });
  });
  names(found, {"backward pass of empty", "undefined"});
  found = finding([](const Variable& v) {
    return identity_with("throwing", v, [](const Variable&, const Variable& g) -> Variable {
      if (g.rank() == 2) throw std::runtime_error("out of luck");
      return g;
    });
  });
  names(found, {"throwing (operation 1)", "out of luck"});
}

TEST_CASE("parts that a vjp hands over must lie within the argument") {
  const auto refused = [](auto add, std::initializer_list<std::string_view> words) {
    Tape tape;
    const Variable x = tape.watch(zeros({3, 4}, Dtype::float64));
    const Variable y = record("partial", zeros({}, Dtype::float64),
                              [x, add](const Variable&, BackwardPass& pass) { add(x, pass); });
    expect_error<ShapeError>([&] { static_cast<void>(tape.gradients(y)); }, words);
  };
  const auto region = [](BackwardPass::Region where, const Shape& shape) {
    return [where, shape](const Variable& x, BackwardPass& pass) {
      pass.add_region(x, where, ones(shape, Dtype::float64));
    };
  };
  refused(region({.axis = 0, .begin = 2, .end = 4}, {2, 4}),
          {"partial", "add_region", "2..4", "axis 0", "[3,4]", "[2,4]"});
  refused(region({.axis = 1, .begin = 0, .end = 2}, {2, 2}), {"add_region", "[2,2]"});
  refused(region({.axis = 2, .begin = 0, .end = 2}, {3, 2}), {"axis 2"});
  refused(region({.axis = 1, .begin = -5, .end = 2}, {3, 2}), {"-5..2"});
  refused(
      [](const Variable& x, BackwardPass& pass) {
        pass.add_product(x, ones({2, 4}, Dtype::float64), ones({2, 4}, Dtype::float64));
      },
      {"partial", "add_product", "[2,4]", "[3,4]", "[K,M]"});
}

TEST_CASE("a vjp that is right at its first run only is found") {
  const auto counting = [](const Variable& v) {
    auto runs = std::make_shared<int>(0);
    return identity_with("counting", v, [runs](const Variable&, const Variable& g) {
      return (*runs)++ == 0 ? g : 2.0 * g;
    });
  };
  const GradcheckReport report = gradcheck(counting, vector({1.0, 2.0}));
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  CHECK(report.failures.empty());
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::impure_vjp);
}

TEST_CASE("terms that cancel leave rounding, which is not taken for a function") {
  const auto one_product_twice = [](std::span<const Variable> in) -> Variable {
    return linear(in[0], in[1]) - matmul(in[0], transpose(in[1]));
  };
  const auto tenfold = [](std::span<const Variable> in) -> Variable {
    return sum(in[0] * in[1], {1}) - sum(in[1] * in[0] * 0.1, {1}) * 10.0;
  };
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    Generator generator(seed);
    const Index rows = generator.below(5) + 1, width = generator.below(7) + 2;
    const Tensor x = uniform({rows, width}, -1, 1, Dtype::float64, generator);
    const Tensor w = uniform({3, width}, -1, 1, Dtype::float64, generator);
    const Tensor y = uniform({rows, width}, -1, 1, Dtype::float64, generator);
    CHECK(gradcheck(one_product_twice, {x, w}).passed);
    CHECK(gradgradcheck(one_product_twice, {x, w}).passed);
    CHECK(gradcheck(tenfold, {x, y}).passed);
    CHECK(gradgradcheck(tenfold, {x, y}).passed);
  }
}

TEST_CASE("a wrong gradient of small numbers is found beside terms that cancel") {
  const auto f = [](const Variable& x) -> Variable {
    const Variable wrong =
        identity_with("wrong", x, [](const Variable&, const Variable& g) { return -g; });
    return concat({x * 0.1 * 10.0 - x, wrong * 1e-12}, 0);
  };
  const GradcheckReport report = gradcheck(f, vector({0.3, -0.7, 0.9}));
  CAPTURE(report);
  CHECK_FALSE(report.passed);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].operation == "wrong");
}

}  // namespace unroll::testing
