#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/lstm.hpp>
#include <nn/recurrent/recurrent.hpp>
#include <nn/verify/gradcheck.hpp>

#include <cmath>
#include <functional>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Inputs = std::span<const Variable>;

/// From [3] to [2], with unequal second derivatives.
Variable bend(const Variable& x) {
  const Variable a = select(x, 0, 0);
  const Variable b = select(x, 0, 1);
  const Variable c = select(x, 0, 2);
  return stack({a * a * b + sin(c), exp(a) * c * c});
}

/// Its Jacobian, by hand.
std::vector<double> slopes_of_bend(double a, double b, double c) {
  return {2 * a * b, a * a, std::cos(c), std::exp(a) * c * c, 0.0, 2 * std::exp(a) * c};
}

const std::vector<double> kPoint{0.3, -1.2, 0.8};
const Tensor point = Tensor::of<double>({3}, kPoint);
const std::vector<double> kSlopes = slopes_of_bend(0.3, -1.2, 0.8);

double first_of_bend(const std::vector<double>& x) { return x[0] * x[0] * x[1] + std::sin(x[2]); }

}  // namespace

TEST_CASE("the gradient of a function of one variable") {
  const Variable slope = grad([](const Variable& x) { return sum(x * x * x); }, point);
  expect_values(slope.value(), {3 * 0.09, 3 * 1.44, 3 * 0.64}, 1e-14);
  CHECK_FALSE(slope.recorded());
  CHECK(Tape::active() == nullptr);
}

TEST_CASE("the gradients of a function of several variables are partial") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({}, {3.0}));
  const Variable y = x * x;  // depends on x, and counts as independent
  const DifferentiableFunction f = [](Inputs in) { return in[0] * in[1]; };
  const std::vector<Variable> slopes = grad(f, {x, y});
  CHECK(slopes[0].item() == 9.0);
  CHECK(slopes[1].item() == 3.0);
  // What comes after is differentiated through everything: x² + x.
  CHECK(tape.gradients(slopes[0] + slopes[1])[x].item() == 7.0);
}

TEST_CASE("a vector-Jacobian product and a Jacobian-vector product are what the Jacobian says") {
  const Tensor seed = Tensor::of<double>({2}, {2.0, -3.0});
  const Tensor tangent = Tensor::of<double>({3}, {0.5, 1.5, -2.0});
  std::vector<double> u_j(3, 0.0);
  std::vector<double> j_t(2, 0.0);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t k = 0; k < 3; ++k) {
      u_j[k] += seed.to_vector<double>()[i] * kSlopes[i * 3 + k];
      j_t[i] += kSlopes[i * 3 + k] * tangent.to_vector<double>()[k];
    }
  expect_values(vjp(bend, point, seed).value(), u_j, 1e-14);
  expect_values(jvp(bend, point, tangent).value(), j_t, 1e-14);
}

TEST_CASE("vjp and jvp return the value of the function too") {
  const DifferentiableFunction f = [](Inputs in) { return bend(in[0]); };
  CHECK(vjp(f, {point}, ones({2}, Dtype::float64)).value.value().at({0}) ==
        doctest::Approx(first_of_bend(kPoint)));
  const Jvp forward = jvp(f, {point}, {ones({3}, Dtype::float64)});
  CHECK(forward.value.value().at({0}) == doctest::Approx(first_of_bend(kPoint)));
  CHECK_FALSE(forward.tangent.recorded());
}

TEST_CASE("a Jacobian is the same forward and in reverse, and what it is by hand") {
  for (JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    const Variable j = jacobian(bend, point, mode);
    CHECK(j.shape() == Shape{2, 3});
    expect_values(j.value(), kSlopes, 1e-14);
  }
  const DifferentiableFunction f = [](Inputs in) { return matmul(in[0], in[1]); };
  const std::vector<Variable> inputs{random({2, 3}, 1), random({3, 4}, 2)};
  const auto reverse = jacobian(f, inputs);
  const auto forward = jacobian(f, inputs, JacobianMode::forward);
  CHECK(reverse[0].shape() == Shape{2, 4, 2, 3});
  CHECK(reverse[1].shape() == Shape{2, 4, 3, 4});
  expect_close(forward[0].value(), reverse[0].value(), 1e-14);
  expect_close(forward[1].value(), reverse[1].value(), 1e-14);
  CHECK(reverse[0].value().at({1, 2, 1, 0}) == inputs[1].value().at({0, 2}));
  CHECK(reverse[0].value().at({1, 2, 0, 0}) == 0.0);
}

TEST_CASE("a Hessian, by hand, and times a vector without it") {
  const auto f = [](const Variable& x) { return sum(bend(x)); };
  const double a = 0.3, b = -1.2, c = 0.8;
  const Variable h = hessian(f, point);
  CHECK(h.shape() == Shape{3, 3});
  const double ac = 2 * std::exp(a) * c;
  expect_values(h.value(),
                {2 * b + std::exp(a) * c * c, 2 * a, ac, 2 * a, 0.0, 0.0, ac, 0.0,
                 -std::sin(c) + 2 * std::exp(a)},
                1e-13);
  const Variable v = Tensor::of<double>({3}, {0.5, 1.5, -2.0});
  expect_close(hvp(f, point, v).value(), reshape(matmul(h, reshape(v, {3, 1})), {3}).value(),
               1e-13);
}

TEST_CASE("mixed second derivatives of two inputs") {
  const DifferentiableFunction f = [](Inputs in) { return sum(in[0] * in[0] * in[1]); };
  const Tensor x = Tensor::of<double>({2}, {2.0, 3.0});
  const Tensor y = Tensor::of<double>({2}, {5.0, 7.0});
  const auto h = hessian(f, {x, y});
  expect_values(h[0][0].value(), {10.0, 0.0, 0.0, 14.0});
  expect_values(h[0][1].value(), {4.0, 0.0, 0.0, 6.0});
  expect_values(h[1][0].value(), {4.0, 0.0, 0.0, 6.0});
  expect_values(h[1][1].value(), {0.0, 0.0, 0.0, 0.0});
  const auto products = hvp(f, {x, y}, {ones({2}, Dtype::float64), zeros({2}, Dtype::float64)});
  expect_values(products[0].value(), {10.0, 14.0});
  expect_values(products[1].value(), {4.0, 6.0});
}

TEST_CASE("derivatives nest") {
  const auto f = [](const Variable& x) { return x * x * x * x * x; };
  const auto d1 = [&](const Variable& x) { return grad(f, x); };
  const auto d2 = [&](const Variable& x) { return grad(d1, x); };
  const auto d3 = [&](const Variable& x) { return grad(d2, x); };
  const Variable x = full({}, 2.0, Dtype::float64);
  CHECK(d1(x).item() == doctest::Approx(80.0));
  CHECK(d2(x).item() == doctest::Approx(160.0));
  CHECK(d3(x).item() == doctest::Approx(240.0));
  CHECK(jvp(d1, x, full({}, 0.5, Dtype::float64)).item() == doctest::Approx(80.0));
}

TEST_CASE("derivatives of a function of parameters train them: a gradient penalty") {
  const Parameter w("w", Tensor::of<double>({2}, {0.7, -0.4}));
  const Tensor x = Tensor::of<double>({2}, {1.1, 0.6});
  const auto penalty = [&](Inputs) {
    const auto f = [&](const Variable& v) { return sum(tanh(v * w)); };
    return sum(square(grad(f, x)));
  };
  GradcheckOptions options;
  options.parameters = {w};
  CHECK(gradcheck(DifferentiableFunction(penalty), {}, options));
}

TEST_CASE("the tangent and the product can be differentiated like any other result") {
  const Tensor t = random({3}, 1);
  CHECK(gradcheck([&](const Variable& x) { return jvp(bend, x, t); }, point));
  CHECK(
      gradcheck([&](const Variable& x) { return vjp(bend, x, ones({2}, Dtype::float64)); }, point));
  CHECK(gradcheck([](const Variable& x) { return jacobian(bend, x); }, point));
  const auto f = [](const Variable& x) { return sum(bend(x)); };
  CHECK(gradcheck([&](const Variable& x) { return hvp(f, x, t); }, point));
}

TEST_CASE("a function that ignores an input has derivatives of zero") {
  const DifferentiableFunction f = [](Inputs in) { return sum(in[0] * 2.0); };
  const auto slopes = grad(f, {point, random({4}, 1)});
  expect_values(slopes[1].value(), {0.0, 0.0, 0.0, 0.0});
  const auto constant = [](const Variable&) { return Variable(ones({2}, Dtype::float64)); };
  expect_values(jvp(constant, point, point).value(), {0.0, 0.0});
  expect_values(jacobian(constant, point).value(), std::vector<double>(6, 0.0));
}

TEST_CASE("the curvature of a loss along directions of its parameters") {
  const Parameter w("w", random({3}, 1));
  const Parameter unused("unused", random({2}, 2));
  const auto loss = [&] { return sum(exp(Variable(w)) * w); };  // second derivative (2 + w) e^w
  const auto products = hvp(loss, {w, unused}, {random({3}, 3), random({2}, 4)});
  std::vector<double> expected;
  for (Index i = 0; i < 3; ++i) {
    const double v = w.value().at({i});
    expected.push_back((2.0 + v) * std::exp(v) * random({3}, 3).at({i}));
  }
  expect_values(products[0], expected, 1e-13);
  expect_values(products[1], {0.0, 0.0});
}

TEST_CASE("second derivatives of a whole LSTM over several steps") {
  nn::Recurrent rnn(nn::LSTM(2, 2));
  CHECK(nn::gradgradcheck(rnn, random({3, 2, 2}, 5)));
}

TEST_CASE("a gradient hook sees the complete gradient once, and may replace it") {
  Tape tape;
  const Variable x = tape.watch(point);
  int calls = 0;
  const Variable seen = on_gradient(x, [&](const Variable& g) {
    ++calls;
    expect_values(g.value(), {5.0, 5.0, 5.0});
  });
  CHECK(sum(on_gradient(seen * 2.0, [](const Variable& g) { return -g; })).recorded());
  const Variable y = on_gradient(seen * 2.0, [](const Variable& g) { return g * 2.0; });
  expect_values(tape.gradients(sum(y + seen))[x].value(), {5.0, 5.0, 5.0});
  CHECK(calls == 1);
}

TEST_CASE(
    "a hook acts in every backward pass that passes it; one that looks leaves all orders as they "
    "are") {
  const auto with = [](double factor) {
    return [factor](const Variable& x) {
      return sum(exp(on_gradient(x, [factor](const Variable& g) { return g * factor; })));
    };
  };
  const Tensor x = zeros({2}, Dtype::float64);
  expect_values(grad(with(3.0), x).value(), {3.0, 3.0});
  const auto slope = [&](const Variable& v) { return sum(grad(with(3.0), v)); };
  expect_values(grad(slope, x).value(), {9.0, 9.0});
  CHECK(gradgradcheck([](const Variable& v) { return exp(on_gradient(v, [](const Variable&) {})); },
                      point));
}

TEST_CASE("gradcheck tells of a hook that changes the gradient") {
  const auto reversed = [](const Variable& x) {
    return exp(on_gradient(x, [](const Variable& g) { return -g; }));
  };
  const GradcheckReport report = gradcheck(reversed, point);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].operation == "on_gradient");
  CHECK(report.findings[0].cause == Cause::wrong_sign);
}

TEST_CASE("gradcheck tells of a vjp that is not linear in its gradient") {
  const auto squared = [](const Variable& x) {
    return exp(on_gradient(x, [](const Variable& g) { return g * g; }));
  };
  const GradcheckReport report = gradcheck(squared, point);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].operation == "on_gradient");
  CHECK(report.findings[0].text.find("not linear") != std::string::npos);
}

TEST_CASE("where nothing is recorded a hook is nothing") {
  const auto never = [](const Variable&) -> Variable { throw ArgumentError("called"); };
  expect_close(on_gradient(point, never).value(), point, 0.0);
}

TEST_CASE("misuse of derivatives is told apart") {
  const auto f = [](const Variable& x) { return exp(x); };
  expect_error<ShapeError>([&] { grad(f, point); }, {"grad", "one element", "[3]"});
  expect_error<ShapeError>([&] { hvp(f, point, point); }, {"hvp", "one element"});
  expect_error<ShapeError>([&] { vjp(f, point, ones({2}, Dtype::float64)); },
                           {"vjp", "seed", "[2]", "[3]"});
  expect_error<ShapeError>([&] { jvp(f, point, ones({2}, Dtype::float64)); },
                           {"jvp", "tangents", "[2]", "[3]"});
  expect_error<DtypeError>([&] { grad(f, arange(3)); }, {"grad", "int64"});
  expect_error<ShapeError>([&] { jacobian(f, ones({1, 1, 1, 1})); }, {"jacobian", "6 axes"});
  expect_error<ArgumentError>([&] { grad([](const Variable&) { return Variable(); }, point); },
                              {"grad", "returned nothing"});
  expect_error<ShapeError>([] { hvp([] { return Variable(); }, {}, {point}); },
                           {"hvp", "0 parameters", "1 directions"});
  Tape tape;
  const Variable x = tape.watch(point);
  const Variable y = on_gradient(x, [](const Variable&) { return Variable(ones({2})); });
  expect_error<ShapeError>([&] { tape.gradients(sum(y)); }, {"on_gradient", "[2]", "[3]"});
  expect_error<TapeError>(
      [&] {
        Tape inner;
        grad([](const Variable& v) { return sum(v); }, x);
      },
      {"grad", "another tape"});
}

TEST_CASE("the library's elementwise functions have four derivatives") {
  using Function = std::function<Variable(const Variable&)>;
  const auto derivative = [](int order, Function f, double at) {
    for (; order > 0; --order) f = [f](const Variable& x) { return grad(f, x); };
    return f(full({}, at, Dtype::float64)).item();
  };
  const auto fourth = [&](const Function& f, double at) { return derivative(4, f, at); };
  const double t = std::tanh(0.4);
  const double c = 1.0 - t * t;
  const Function sine = [](auto& x) { return sin(x); };
  CHECK(derivative(3, sine, 0.4) == doctest::Approx(-std::cos(0.4)));
  CHECK(fourth(sine, 0.4) == doctest::Approx(std::sin(0.4)));
  CHECK(fourth([](auto& x) { return exp(x); }, 0.4) == doctest::Approx(std::exp(0.4)));
  CHECK(fourth([](auto& x) { return log(x); }, 0.4) == doctest::Approx(-6.0 / std::pow(0.4, 4)));
  CHECK(fourth([](auto& x) { return sqrt(x); }, 0.4) ==
        doctest::Approx(-15.0 / 16.0 * std::pow(0.4, -3.5)));
  CHECK(fourth([](auto& x) { return pow(x, 5.0); }, 0.4) == doctest::Approx(48.0));
  CHECK(fourth([](auto& x) { return pow(x, x); }, 1.0) == doctest::Approx(8.0));
  CHECK(fourth([](auto& x) { return x / (1.0 + x); }, 0.4) ==
        doctest::Approx(-24.0 / std::pow(1.4, 5)));
  CHECK(fourth([](auto& x) { return tanh(x); }, 0.4) ==
        doctest::Approx(8.0 * t * c * (2.0 * c - t * t)));
  CHECK(fourth([](auto& x) { return sigmoid(x); }, 0.0) == doctest::Approx(0.0));
  CHECK(fourth([](auto& x) { return norm(x, 3.0); }, 0.4) == doctest::Approx(0.0));
  expect_error<TapeError>([&] { derivative(5, sine, 0.4); }, {"sin", "order 4"});
}

}  // namespace unroll::testing
