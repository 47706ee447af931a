#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const auto gate = [](auto a, auto b, auto c) { return a * b + tanh(c) * 0.5; };

double gate_of(double a, double b, double c) { return a * b + std::tanh(c) * 0.5; }

/// gate over a, b and c, by loops, in the shape they broadcast to.
void expect_gate(const Tensor& a, const Tensor& b, const Tensor& c) {
  const Shape shape = broadcast("test", broadcast("test", a.shape(), b.shape()), c.shape());
  const auto x = a.to_vector<double>();
  const auto y = b.to_vector<double>();
  const auto z = c.to_vector<double>();
  std::vector<double> expected;
  for (Index flat = 0; flat < size_of(shape); ++flat) {
    const Shape at = position_of(flat, shape);
    expected.push_back(gate_of(broadcast_element(x, a.shape(), at),
                               broadcast_element(y, b.shape(), at),
                               broadcast_element(z, c.shape(), at)));
  }
  CAPTURE(to_string(a.shape()));
  CAPTURE(to_string(b.shape()));
  const Variable wide = pointwise(gate, Variable(a), Variable(b), Variable(c));
  CHECK(wide.shape() == shape);
  CHECK(wide.dtype() == Dtype::float64);
  expect_values(wide.value(), expected, 1e-13);
  const Variable narrow = pointwise(gate, Variable(a.to(Dtype::float32)),
                                    Variable(b.to(Dtype::float32)), Variable(c.to(Dtype::float32)));
  CHECK(narrow.dtype() == Dtype::float32);
  expect_values(narrow.value(), expected, 1e-6);
}

template <class F>
void expect_right_gradient(const F& f, const std::vector<Tensor>& inputs) {
  const GradcheckReport report = gradcheck(f, inputs);
  CHECK_MESSAGE(report.passed, report.to_string());
}

}  // namespace

TEST_CASE("a lambda runs over every element, whatever the size beside the vector width") {
  for (Index n = 1; n <= 70; ++n) expect_gate(random({n}, 1), random({n}, 2), random({n}, 3));
}

TEST_CASE("a partial vector at the end of a row does not touch the next one") {
  for (Index n : {1, 3, 5, 7, 9, 15, 17})
    expect_gate(random({4, n}, 1), random({4, 1}, 2), random({n}, 3));
}

TEST_CASE("inputs broadcast against each other") {
  const Tensor matrix = random({5, 7}, 1);
  const Tensor column = random({5, 1}, 2);
  const Tensor row = random({1, 7}, 3);
  const Tensor vector = random({7}, 4);
  const Tensor scalar = random({}, 5);
  const Tensor cube = random({3, 1, 7}, 6);
  expect_gate(column, row, matrix);
  expect_gate(row, column, scalar);
  expect_gate(scalar, vector, cube);
  expect_gate(matrix, cube, column);
  expect_gate(scalar, scalar, scalar);
  expect_gate(random({2, 1, 1, 1}, 7), random({3, 1, 1}, 8), random({5, 1}, 9));
}

TEST_CASE("inputs may be transposed, sliced or expanded views") {
  const Tensor base = random({6, 8}, 1);
  const Tensor other = random({8, 6}, 2);
  expect_gate(base, other.transpose(0, 1), base.slice(0, 0, 1));
  expect_gate(base.transpose(0, 1), other, other.slice(1, 3, 4));
  expect_gate(base.slice(1, 0, 8, 2), base.slice(1, 1, 8, 2),
              other.slice(0, 2, 6).slice(0, 0, 1).slice(1, 0, 4));
  expect_gate(base.slice(0, 1, 5), other.slice(0, 0, 4).slice(1, 0, 1), base.slice(0, 2, 6));
  expect_gate(base.select(1, 3), other.select(0, 2), base.select(1, 0));
  expect_gate(base.slice(1, 2, 3), base.slice(1, 5, 6), random({6, 1}, 4));
  expect_gate(random({8}, 5).broadcast_to({6, 8}), base, random({6, 1}, 6).broadcast_to({6, 8}));
  const Tensor cube = random({2, 3, 4}, 7);
  expect_gate(cube, cube.permute(std::array{0, 1, 2}), cube.slice(1, 1, 2));
  expect_gate(cube.permute(std::array{2, 0, 1}), random({4, 2, 3}, 8), random({3}, 9));
}

TEST_CASE("short rows that are computed together have the bits of rows computed one by one") {
  Generator generator(11);
  const auto draw = [&](const Shape& shape, Dtype dtype) {
    return uniform(shape, -1, 1, dtype, generator);
  };
  for (int round = 0; round < 200; ++round) {
    const Dtype dtype = round % 2 == 0 ? Dtype::float32 : Dtype::float64;
    const Index rows = generator.below(90) + 1, n = generator.below(70) + 1;
    const auto operand = [&]() -> Tensor {
      switch (generator.below(7)) {
        case 0:
          return draw({rows, 3 * n}, dtype).slice(1, n, 2 * n);
        case 1:
          return draw({n, rows}, dtype).transpose(0, 1);
        case 2:
          return draw({rows, 1}, dtype);
        case 3:
          return draw({n}, dtype);
        case 4:
          return draw({}, dtype);
        case 5:
          return draw({2 * rows, n}, dtype).slice(0, 0, 2 * rows, 2);
        default:
          return draw({rows, n}, dtype);
      }
    };
    const Tensor a = operand(), b = operand(), c = operand();
    const Shape shape = broadcast("test", broadcast("test", a.shape(), b.shape()), c.shape());
    CAPTURE(to_string(a.shape()));
    CAPTURE(to_string(b.shape()));
    CAPTURE(to_string(c.shape()));
    const Tensor together = pointwise(gate, a, b, c).value();
    if (shape.rank() < 2) continue;
    const auto row_of = [](const Tensor& x, Index r) {
      return x.rank() < 2 ? x : x.select(0, x.shape()[0] == 1 ? 0 : r).contiguous();
    };
    for (Index r = 0; r < shape[0]; ++r) {
      const Tensor alone = pointwise(gate, row_of(a, r), row_of(b, r), row_of(c, r)).value();
      CHECK(together.select(0, r).contiguous().to_vector<double>() == alone.to_vector<double>());
    }
    // The same rows with two axes in front of the last.
    if (shape[0] % 2 == 0 && a.is_contiguous() && a.rank() == 2) {
      const Tensor cube = a.reshape({2, shape[0] / 2, a.shape()[1]});
      const Tensor bias = draw({shape[1]}, dtype);
      const Tensor expected = pointwise(gate, a, bias, bias).value();
      const Tensor actual = pointwise(gate, cube, bias, bias).value();
      CHECK(actual.to_vector<double>() == expected.to_vector<double>());
    }
  }
}

TEST_CASE("gradients of short rows that are computed together are right") {
  for (const Index n : {1, 3, 12, 20})
    expect_right_gradient(
        [](std::span<const Variable> v) { return pointwise(gate, v[0], v[1], v[2]); },
        {random({10, n}, 1), random({n}, 2), random({10, 1}, 3)});
}

TEST_CASE("tensors without elements give one without elements") {
  expect_gate(random({0}, 1), random({0}, 2), random({}, 3));
  expect_gate(random({3, 0}, 1), random({3, 1}, 2), random({1, 0}, 3));
  expect_gate(random({0, 4}, 1), random({4}, 2), random({0, 1}, 3));
}

TEST_CASE("a lambda may return several numbers, as a pair, a tuple or an array") {
  const Variable a = random({3, 5}, 1);
  const Variable b = random({5}, 2);
  const auto [sum_of, product_of] = pointwise(
      [](auto x, auto y) {
        return std::pair{x + y, x * y};
      },
      a, b);
  expect_close(sum_of.value(), (a + b).value());
  expect_close(product_of.value(), (a * b).value());
  const auto three = pointwise([](auto x, auto y) { return std::tuple{x, y, x - y}; }, a, b);
  CHECK(three.size() == 3);
  expect_close(three[0].value(), a.value());
  expect_close(three[1].value(), broadcast_to(b, {3, 5}).value());
  expect_close(three[2].value(), (a - b).value());
  const auto two = pointwise([](auto x) { return std::array{x * 2.0, x * 3.0}; }, a);
  expect_close(two[1].value(), (a * 3.0).value());
}

TEST_CASE("a lambda may capture constants, and return one") {
  const Variable x = random({9}, 1);
  for (double scale : {2.0, -3.0}) {
    const int power = 2;
    const Variable y = pointwise([scale, power](auto v) { return scale * v + power; }, x);
    expect_close(y.value(), (x * scale + 2.0).value());
  }
  const auto [one, same] = pointwise([](auto v) { return std::pair{1.0, v}; }, x);
  expect_values(one.value(), std::vector<double>(9, 1.0));
  expect_close(same.value(), x.value());
}

TEST_CASE("where chooses lane by lane, and comparisons combine") {
  const Tensor x = Tensor::of<double>({7}, {-3, -2, -1, 0, 1, 2, 3});
  const auto clip = [](auto v) { return where(v > 1.5, 1.5, where(v < -1.5, -1.5, v)); };
  expect_values(pointwise(clip, Variable(x)).value(), {-1.5, -1.5, -1, 0, 1, 1.5, 1.5});
  const auto band = [](auto v) {
    return where((v >= -1.0 && !(v == 0.0) && v <= 2.0) || v < -2.5, v * 10.0, v);
  };
  expect_values(pointwise(band, Variable(x)).value(), {-30, -2, -10, 0, 10, 20, 3});
}

TEST_CASE(
    "a power of two inputs agrees with the standard library, at zero and of negative numbers too") {
  const std::vector<double> bases{0.0, 0.0, 0.0, 2.0, -2.0, -2.0, -1.5, 1.0, 0.3};
  const std::vector<double> exponents{0.0, 2.0, 0.5, 0.0, 3.0, -2.0, 0.0, 1e9, -0.7};
  std::vector<double> expected;
  for (std::size_t i = 0; i < bases.size(); ++i)
    expected.push_back(std::pow(bases[i], exponents[i]));
  const Variable y =
      pointwise([](auto a, auto b) { return pow(a, b); }, Variable(Tensor::of({9}, bases)),
                Variable(Tensor::of({9}, exponents)));
  expect_values(y.value(), expected, 1e-13);
}

TEST_CASE("not-a-number and infinity are passed on, not hidden") {
  const auto value_at = [](double v, auto f) {
    double worst = 0.0;
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const Tensor y = pointwise(f, Variable(full({5}, v, dtype))).value();
      for (Index i = 0; i < 5; ++i) worst = y.at({i});
    }
    return worst;
  };
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return tanh(x); })));
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return sigmoid(x); })));
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return exp(x); })));
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return relu(x); })));
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return softplus(x); })));
  CHECK(std::isnan(value_at(kNaN, [](auto x) { return maximum(x, x * 0.0); })));
  CHECK(std::isnan(value_at(kInfinity, [](auto x) { return x - x; })));
  CHECK(std::isnan(value_at(-1.0, [](auto x) { return log(x); })));
  CHECK(std::isnan(value_at(-1.0, [](auto x) { return sqrt(x); })));
  CHECK(value_at(0.0, [](auto x) { return log(x); }) == -kInfinity);
  CHECK(value_at(0.0, [](auto x) { return 1.0 / x; }) == kInfinity);
  CHECK(value_at(1e4, [](auto x) { return exp(x); }) == kInfinity);
  CHECK(value_at(-kInfinity, [](auto x) { return exp(x); }) == 0.0);
  CHECK(value_at(kInfinity, [](auto x) { return tanh(x); }) == 1.0);
  CHECK(value_at(-1e4, [](auto x) { return sigmoid(x); }) == 0.0);
}

TEST_CASE("a NaN of either input wins a maximum or minimum") {
  const Variable number = Tensor::of<double>({2}, {1, 1});
  const Variable nan = Tensor::of<double>({2}, {kNaN, 2});
  for (const Variable& y :
       {maximum(nan, number), maximum(number, nan), minimum(nan, number), minimum(number, nan)})
    CHECK(std::isnan(y.value().at({0})));
}

TEST_CASE("an error names the operation, and every input with its shape and dtype") {
  const Variable a = zeros({2, 3}, Dtype::float64);
  const Variable b = zeros({2, 4}, Dtype::float64);
  const Variable narrow = zeros({2, 3}, Dtype::float32);
  const auto add = [](auto x, auto y) { return x + y; };
  expect_error<ShapeError>([&] { pointwise("my_gate", add, a, b); },
                           {"my_gate", "[2,3]", "[2,4]", "sizes 3 and 4"});
  expect_error<DtypeError>([&] { pointwise("my_gate", add, a, narrow); },
                           {"my_gate", "float64 [2,3]", "float32 [2,3]", "to()"});
  expect_error<DtypeError>([&] { pointwise(add, Variable(arange(3)), Variable(arange(3))); },
                           {"pointwise", "int64 [3]"});
  expect_error<DtypeError>([&] { pointwise("my_gate", add, a, Variable()); },
                           {"my_gate", "undefined"});
  expect_error<DtypeError>([&] { pointwise("my_gate", add, Variable(), a); }, {"undefined"});
}

TEST_CASE("compound assignment is the operation followed by an assignment") {
  const auto written_out = [](auto a, auto b) { return ((a * b + b - 0.5) * 3.0 - b) / (a * b); };
  const auto compound = [](auto a, auto b) {
    auto s = a * b;
    s += b;
    s -= 0.5;
    s *= 3;
    s -= b;
    s /= a * b;
    return s;
  };
  for (const Dtype dtype : {Dtype::float64, Dtype::float32}) {
    Tape tape;
    const Variable a = tape.watch(random({19}, 1).to(dtype));
    const Variable b = tape.watch(random({19}, 2).to(dtype));
    const auto results = [&](const auto& f) {
      const Variable y = pointwise(f, a, b);
      const Gradients g = tape.gradients(sum(y), {.retain = true});
      return std::array{y.value(), g[a].value(), g[b].value()};
    };
    const auto expected = results(written_out);
    const auto got = results(compound);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(got[i].to_vector<double>() == expected[i].to_vector<double>());
  }
  expect_right_gradient(
      [&](std::span<const Variable> v) { return pointwise(compound, v[0], v[1]); },
      {random({5}, 3), random({5}, 4)});
}

TEST_CASE("functions of two numbers take a constant on either side, and its slope is not needed") {
  const Tensor x = Tensor::of<double>({4}, {-2.75, -0.5, 0.5, 3.25});
  const auto check = [&](const auto& f, auto value) {
    std::vector<double> expected;
    for (const double element : x.to_vector<double>()) expected.push_back(value(element));
    expect_values(pointwise(f, Variable(x)).value(), expected, 1e-14);
    expect_right_gradient([&](std::span<const Variable> v) { return pointwise(f, v[0]); }, {x});
  };
  check([](auto a) { return fmod(a, 2.0); }, [](double a) { return std::fmod(a, 2.0); });
  check([](auto a) { return fmod(7.3, a); }, [](double a) { return std::fmod(7.3, a); });
  check([](auto a) { return atan2(a, 2.0); }, [](double a) { return std::atan2(a, 2.0); });
  check([](auto a) { return atan2(2.0, a); }, [](double a) { return std::atan2(2.0, a); });
  check([](auto a) { return hypot(a, 2.0); }, [](double a) { return std::hypot(a, 2.0); });
  check([](auto a) { return hypot(2.0, a); }, [](double a) { return std::hypot(2.0, a); });
  check([](auto a) { return a * trunc(a); }, [](double a) { return a * std::trunc(a); });

  // At (0, 0) the slope by the constant is no number, and must not reach the others.
  Tape tape;
  const Variable a = tape.watch(Tensor::of<double>({1}, {0.0}));
  const Variable b = tape.watch(Tensor::of<double>({1}, {2.0}));
  const Variable y =
      pointwise([](auto u, auto v) { return fmod(u, 3.0) + hypot(u, 0.0) * v; }, a, b);
  CHECK(tape.gradients(sum(y))[a].value().item() == 1.0);
}

TEST_CASE("a lambda may ask whether its numbers are finite") {
  const Variable x = Tensor::of<double>({4}, {1.0, kNaN, -kInfinity, kInfinity});
  const auto ones_where = [&](const auto& condition) {
    return pointwise([&](auto a) { return where(condition(a), 1.0, where(!condition(a), 0.0, a)); },
                     x)
        .value()
        .template to_vector<double>();
  };
  CHECK(ones_where([](auto a) { return isnan(a); }) == std::vector{0.0, 1.0, 0.0, 0.0});
  CHECK(ones_where([](auto a) { return isinf(a); }) == std::vector{0.0, 0.0, 1.0, 1.0});
  CHECK(ones_where([](auto a) { return isfinite(a); }) == std::vector{1.0, 0.0, 0.0, 0.0});
}

}  // namespace unroll::testing
