#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Above this a product of whole numbers may not be exact in float64.
constexpr double kExact = 0x1p50;

Tensor whole_numbers(const Shape& shape, Generator& generator) {
  Tensor x = Tensor::empty(shape, Dtype::float64);
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data<double>()[i] = static_cast<double>(generator.below(5)) - 2.0;
  return x;
}

/// A program of random operations on whole numbers, so that no order of adding up may change a bit:
/// views of views, windows that overlap, parts side by side, products, rows of tables.
class Program {
 public:
  explicit Program(std::uint64_t seed) : generator_(seed) {}

  Variable run(Tape& tape, std::vector<Variable>& leaves) {
    for (int k = 0; k < 2; ++k) {
      leaves.push_back(tape.watch(whole_numbers(some_shape(), generator_)));
      values_.push_back(leaves.back());
    }
    for (Index step = 2 + pick(10); step > 0; --step) {
      const Variable y = operation();
      if (y.defined() && y.value().size() < 200 && is_small(y)) values_.push_back(y);
    }
    Variable loss = zeros({}, Dtype::float64);
    for (const Variable& value : values_)
      if (pick(2) == 0) loss = loss + sum(value * whole_numbers(value.shape(), generator_));
    return loss;
  }

 private:
  Index pick(Index count) {
    return static_cast<Index>(generator_.below(static_cast<std::uint64_t>(count)));
  }
  const Variable& any() {
    return values_[static_cast<std::size_t>(pick(static_cast<Index>(values_.size())))];
  }
  Shape some_shape() {
    Shape shape;
    for (Index rank = 1 + pick(3); rank > 0; --rank)
      shape.push_back(std::max<Index>(pick(5), pick(50) == 0 ? 0 : 1));  // often 1, seldom 0
    return shape;
  }
  static bool is_small(const Variable& y) {
    const std::vector<double> values = y.value().to_vector<double>();
    return std::all_of(values.begin(), values.end(), [](double v) { return std::abs(v) < 1e3; });
  }

  Variable operation_on_nothing(const Variable& x, int axis) {
    const Index n = x.size(axis);
    switch (pick(6)) {
      case 0:
        return slice(x, axis, n / 2, n);
      case 1:
        return transpose(x, 0, axis);
      case 2:
        return flip(x, {axis});
      case 3:
        return pad(x, axis, 1, 1);
      case 4:
        return concat({x, x}, axis);
      default:
        return square(x);
    }
  }

  Variable operation() {
    const Variable x = any();
    const int axis = static_cast<int>(pick(x.rank() == 0 ? 1 : x.rank()));
    if (x.rank() == 0) return x * 2.0;
    if (x.rank() >= kMaxRank - 1) return sum(x, {axis});
    const Index n = x.size(axis);
    if (x.value().size() == 0) return operation_on_nothing(x, axis);
    switch (pick(14)) {
      case 0: {
        const Index begin = pick(n);
        return slice(x, axis, begin, begin + 1 + pick(n - begin), 1 + pick(2));
      }
      case 1:
        return select(x, axis, pick(n));
      case 2: {  // windows that overlap, or lie side by side
        const Index size = 1 + pick(n);
        const Index begin = std::max<Index>(n - size - pick(3), 0);
        return slice(x, axis, begin, begin + size) * slice(x, axis, n - size, n);
      }
      case 3: {
        if (n % 2 != 0) return {};
        const auto [a, b] = split<2>(x, axis);
        return a * b + a;
      }
      case 4:
        return transpose(x, axis, 0);
      case 5:
        return reshape(x, {x.value().size() / n, n});
      case 6:
        return concat({x, x * 2.0, slice(x, axis, 0, 1)}, axis);
      case 7:
        return stack({x, square(x)}, static_cast<int>(pick(x.rank() + 1)));
      case 8: {
        const Variable a = reshape(x, {x.value().size() / n, n});
        return matmul(transpose(a), a);
      }
      case 9: {  // the weight of several products
        const Variable w = reshape(x, {n, x.value().size() / n});
        const Variable a = whole_numbers({1 + pick(3), n}, generator_);
        return matmul(a, w) + matmul(a * 2.0, w);
      }
      case 10: {
        const Variable table = reshape(x, {n, x.value().size() / n});
        return embedding(table, Tensor::of<std::int64_t>({3}, {pick(n), pick(n), pick(n)}));
      }
      case 11: {
        const std::vector<Variable> parts =
            split(x, std::vector<Index>(static_cast<std::size_t>(n), 1), axis);
        Variable total = parts[0];
        for (std::size_t k = 1; k < parts.size(); ++k)
          total = pointwise([](auto a, auto b) { return a * b + a; }, parts[k], total);
        return total;
      }
      case 12:
        return unsqueeze(x, axis);
      default:
        return x * slice(x, axis, 0, 1);  // broadcast
    }
  }

  Generator generator_;
  std::vector<Variable> values_;
};

struct Run {
  std::vector<std::vector<double>> gradients;
  double largest = 0.0;
};

Run run(std::uint64_t seed, bool differentiable) {
  Tape tape;
  std::vector<Variable> leaves;
  const Variable loss = Program(seed).run(tape, leaves);
  Run result;
  if (!loss.recorded()) return result;
  const Gradients gradients = tape.gradients(loss, {.differentiable = differentiable});
  for (const Variable& leaf : leaves) {
    result.gradients.push_back(gradients[leaf].value().to_vector<double>());
    for (const double g : result.gradients.back())
      result.largest = std::isnan(g) ? HUGE_VAL : std::max(result.largest, std::abs(g));
  }
  return result;
}

}  // namespace

TEST_CASE(
    "gradients in place, of parts, of rows and of joined products are those added up plainly") {
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    const Run fast = run(seed, false);
    const detail::PlainAccumulation plain;
    const Run reference = run(seed, false);
    if (reference.largest > kExact) continue;
    REQUIRE(fast.gradients == reference.gradients);
    ++compared;
  }
  CHECK(compared > 3500);
}

TEST_CASE("a backward pass that is recorded gives the gradients of a plain one") {
  for (std::uint64_t seed = 10000; seed < 12000; ++seed) {
    CAPTURE(seed);
    const Run plain = run(seed, false);
    if (plain.largest > kExact) continue;
    REQUIRE(run(seed, true).gradients == plain.gradients);
  }
}

TEST_CASE("parts side by side along an axis of size 1 get their gradients at their places") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  const auto [a, b] = split<2>(x);
  expect_values(tape.gradients(sum(a * b))[x].value(), {2, 1, 4, 3, 6, 5, 8, 7});
}

TEST_CASE("a part of nothing has no place in the gradient, wherever it begins") {
  Tape tape;
  const Variable x = tape.watch(zeros({0, 4}, Dtype::float64));
  const Variable part = slice(transpose(x), 0, 2, 4);
  const Gradients gradients = tape.gradients(sum(pad(flip(part, {1}), 1, 1, 1)) + sum(part));
  CHECK(gradients[x].shape() == Shape{0, 4});
}

TEST_CASE("windows of a column that overlap add up") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({4, 1, 1}, {1, 2, 3, 4}));
  expect_values(tape.gradients(sum(slice(x, 0, 0, 3) * slice(x, 0, 1, 4)))[x].value(),
                {2, 4, 6, 3});
}

TEST_CASE("the gradient of a part of a gradient is taken at the part, however its own lies") {
  const auto gradient_of = [](const auto& penalty) {
    Tape tape;
    const Variable x = tape.watch(Tensor::of<double>({2, 3}, {1, 2, 3, 4, 5, 6}));
    const Variable loss = sum(square(square(slice(x, 1, 0, 2))));
    const Variable dx = tape.gradients(loss, {.differentiable = true})[x];
    return tape.gradients(penalty(dx), {.differentiable = true})[x].value();
  };
  // 4 x^3 in the first two columns: the square's gradient is 2 (4 x^3) (12 x^2) = 96 x^5.
  const std::vector<double> expected{96, 3072, 0, 98304, 300000, 0};
  expect_values(gradient_of([](const Variable& dx) {
                  return sum(square(concat({dx, ones({2, 3}, Dtype::float64)}, 1)));
                }),
                expected);
  expect_values(gradient_of([](const Variable& dx) { return sum(square(pad(dx, 1, 1, 1))); }),
                expected);
  expect_values(gradient_of([](const Variable& dx) { return sum(square(transpose(dx))); }),
                expected);
}

TEST_CASE("a Hessian of a concatenated gradient is right without a tape") {
  const auto f = [](std::span<const Variable> v) {
    return sum(square(square(slice(v[0], 1, 0, 2)))) + sum(v[0]);
  };
  const auto penalty = [&](std::span<const Variable> v) {
    const Variable g = grad(f, {v[0]})[0];
    return sum(square(concat({g, g}, 1)));
  };
  const Tensor x = Tensor::of<double>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto at = hessian(penalty, {x})[0][0];
  // 2 (4 x^3 + 1)^2: the second derivative is 4 (12 x^2)^2 + 4 (4 x^3 + 1) 24 x.
  for (const Index k : {0, 1, 3, 4}) {
    const double v = static_cast<double>(k + 1);
    const double expected = 4 * std::pow(12 * v * v, 2) + 4 * (4 * v * v * v + 1) * 24 * v;
    CHECK(at.value().at({k / 3, k % 3, k / 3, k % 3}) == doctest::Approx(expected));
  }
}

}  // namespace unroll::testing
