#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Variable numbers(const Shape& shape) { return zeros(shape, Dtype::float64); }
Tensor indices(std::initializer_list<std::int64_t> values) {
  return Tensor::of<std::int64_t>({static_cast<Index>(values.size())}, values);
}

}  // namespace

TEST_CASE("elementwise operations name themselves and both shapes") {
  const Variable a = numbers({2, 3});
  const Variable b = numbers({4, 3});
  const std::initializer_list<std::string_view> shapes{"[2,3]", "[4,3]", "axis -2"};
  expect_error<ShapeError>([&] { a + b; }, shapes);
  expect_error<ShapeError>([&] { a + b; }, {"add"});
  expect_error<ShapeError>([&] { a - b; }, {"sub", "[2,3]", "[4,3]"});
  expect_error<ShapeError>([&] { a* b; }, {"mul", "[2,3]", "[4,3]"});
  expect_error<ShapeError>([&] { a / b; }, {"div", "[2,3]", "[4,3]"});
  expect_error<ShapeError>([&] { maximum(a, b); }, {"maximum", "[2,3]", "[4,3]"});
  expect_error<ShapeError>([&] { minimum(a, b); }, {"minimum", "[2,3]", "[4,3]"});
}

TEST_CASE("elementwise operations refuse mixed dtypes and whole numbers") {
  const Variable wide = numbers({2});
  const Variable narrow = zeros({2});
  const Variable whole = arange(2);
  expect_error<DtypeError>([&] { wide + narrow; }, {"add", "float64 [2]", "float32 [2]"});
  expect_error<DtypeError>([&] { narrow* wide; }, {"mul", "float32 [2]", "float64 [2]"});
  expect_error<DtypeError>([&] { maximum(wide, whole); }, {"maximum", "int64 [2]"});
  expect_error<DtypeError>([&] { whole + whole; }, {"add", "int64 [2]"});
  expect_error<DtypeError>([&] { tanh(whole); }, {"tanh", "int64 [2]"});
  expect_error<DtypeError>([&] { pow(whole, 2.0); }, {"pow", "int64 [2]"});
  expect_error<DtypeError>([&] { whole * 2.0; }, {"mul", "int64 [2]"});
}

TEST_CASE("a product names both operands and the sizes that differ") {
  expect_error<ShapeError>(
      [] {
        matmul(numbers({32, 512}), numbers({256, 128}));
      },
      {"matmul: a [32,512] x b [256,128]: inner sizes differ (512 and 256)"});
  expect_error<ShapeError>(
      [] {
        matmul(numbers({3}), numbers({3, 2}));
      },
      {"matmul", "[3]", "[3,2]", "two axes", "unsqueeze"});
  expect_error<ShapeError>([] { matmul(numbers({2, 3}), numbers({3})); }, {"two axes"});
  expect_error<ShapeError>(
      [] {
        matmul(numbers({2, 3, 4}), numbers({5, 4, 2}));
      },
      {"matmul", "leading", "[2]", "[5]"});
  expect_error<ShapeError>(
      [] {
        matmul(numbers({5, 2, 3}), numbers({4, 2}));
      },
      {"[5,2,3]", "inner sizes differ (3 and 4)"});
  expect_error<DtypeError>(
      [] {
        matmul(numbers({2, 2}), zeros({2, 2}));
      },
      {"matmul", "float64 [2,2]", "float32 [2,2]"});
  expect_error<DtypeError>(
      [] {
        matmul(Variable(zeros({2, 2}, Dtype::int64)), Variable(zeros({2, 2}, Dtype::int64)));
      },
      {"matmul", "int64 [2,2]"});
}

TEST_CASE("linear names input, weight and bias") {
  const Variable weight = numbers({5, 4});
  expect_error<ShapeError>(
      [&] {
        linear(numbers({3, 5}), weight);
      },
      {"linear", "[3,5]", "[5,4]", "[O,I]"});
  expect_error<ShapeError>([&] { linear(numbers({}), weight); }, {"linear", "[]"});
  expect_error<ShapeError>([&] { linear(numbers({3, 4}), numbers({4})); }, {"linear", "[4]"});
  expect_error<ShapeError>(
      [&] {
        linear(numbers({3, 4}), weight, numbers({4}));
      },
      {"linear", "[3,5]", "[4]"});
  expect_error<ShapeError>(
      [&] {
        linear(numbers({3, 4}), weight, numbers({2, 3, 5}));
      },
      {"linear", "bias [2,3,5]", "[3,5]", "[3,4]", "[5,4]"});
  expect_error<DtypeError>(
      [&] {
        linear(zeros({3, 4}), weight);
      },
      {"linear", "float32 [3,4]", "float64 [5,4]"});
  expect_error<DtypeError>(
      [&] {
        linear(numbers({3, 4}), weight, zeros({5}));
      },
      {"linear", "bias", "float32 [5]"});
}

TEST_CASE("reductions name themselves, the axis and the dtype") {
  expect_error<ArgumentError>([] { sum(numbers({2, 3}), {2}); }, {"sum", "axis 2", "rank 2"});
  expect_error<ArgumentError>([] { mean(numbers({2, 3}), {0, -3}); }, {"axis -3", "rank 2"});
  expect_error<DtypeError>([] { sum(arange(3)); }, {"sum", "int64 [3]"});
  expect_error<DtypeError>([] { mean(arange(3), {0}); }, {"int64 [3]"});
  expect_error<DtypeError>([] { sum_to(arange(3), {}); }, {"sum_to", "int64 [3]"});
  expect_error<ShapeError>([] { sum_to(numbers({2, 3}), {2}); }, {"sum_to", "[2]", "[2,3]"});
  expect_error<ShapeError>([] { sum_to(numbers({3}), {2, 3}); }, {"sum_to", "[2,3]", "[3]"});
}

TEST_CASE("softmax names itself, the axis and the dtype") {
  expect_error<ArgumentError>([] { softmax(numbers({2, 3}), 2); }, {"softmax", "axis 2"});
  expect_error<ArgumentError>([] { log_softmax(numbers({2, 3}), -3); }, {"log_softmax", "axis -3"});
  expect_error<DtypeError>([] { softmax(arange(3)); }, {"softmax", "int64 [3]"});
  expect_error<DtypeError>([] { log_softmax(arange(3)); }, {"log_softmax", "int64 [3]"});
  expect_error<ShapeError>([] { softmax(numbers({})); }, {"softmax", "[]"});
  expect_error<ShapeError>([] { log_softmax(numbers({})); }, {"log_softmax", "[]"});
}

TEST_CASE("cross entropy names logits and targets, and the target that is outside") {
  const Variable logits = numbers({3, 4});
  expect_error<ShapeError>(
      [&] {
        cross_entropy(logits, indices({1, 2}));
      },
      {"cross_entropy", "[3,4]", "[2]", "[3]"});
  expect_error<ShapeError>(
      [&] {
        cross_entropy(logits, indices({1, 2, 3}).reshape({3, 1}));
      },
      {"[3,4]", "[3,1]"});
  expect_error<ArgumentError>(
      [&] {
        cross_entropy(logits, indices({1, 4, 3}));
      },
      {"cross_entropy", "targets", "4", "position 1", "0..3"});
  expect_error<ArgumentError>(
      [&] {
        cross_entropy(logits, indices({1, 2, -1}));
      },
      {"-1", "position 2"});
  expect_error<DtypeError>([&] { cross_entropy(logits, zeros({3})); },
                           {"cross_entropy", "int64", "float32 [3]"});
  expect_error<DtypeError>([&] { cross_entropy(logits, Tensor()); }, {"targets", "undefined"});
  expect_error<ShapeError>(
      [] {
        cross_entropy(numbers({0, 4}), indices({}));
      },
      {"cross_entropy", "no rows"});
  expect_error<ShapeError>([] { cross_entropy(numbers({}), indices({0})); }, {"cross_entropy"});
  expect_error<ArgumentError>(
      [] {
        cross_entropy(numbers({1, 0}), indices({0}));
      },
      {"cross_entropy"});
}

TEST_CASE("an embedding names the index that is outside, and where it stands") {
  const Variable table = numbers({4, 3});
  expect_error<ArgumentError>(
      [&] {
        embedding(table, indices({0, 4}));
      },
      {"embedding", "[2]", "holds 4", "position 1", "0..3"});
  expect_error<ArgumentError>([&] { embedding(table, indices({-1})); }, {"holds -1", "position 0"});
  expect_error<DtypeError>([&] { embedding(table, zeros({2})); },
                           {"embedding", "int64", "float32 [2]"});
  expect_error<ShapeError>([] { embedding(numbers({4}), indices({0})); },
                           {"embedding", "[V,D]", "float64 [4]"});
  expect_error<DtypeError>(
      [] {
        embedding(Variable(zeros({4, 3}, Dtype::int64)), indices({0}));
      },
      {"embedding", "int64 [4,3]"});
}

TEST_CASE("rearranging names the operation, the axis and the shape") {
  const Variable x = numbers({2, 3, 4});
  expect_error<ShapeError>([&] { reshape(x, {5, 5}); }, {"reshape", "[2,3,4]", "24", "[5,5]"});
  expect_error<ArgumentError>([&] { transpose(x, 0, 3); }, {"transpose", "axis 3", "rank 3"});
  expect_error<ArgumentError>([] { transpose(numbers({3})); }, {"transpose", "rank 1"});
  expect_error<ArgumentError>([&] { permute(x, {0, 1}); }, {"permute", "[2,3,4]"});
  expect_error<ArgumentError>([&] { permute(x, {0, 1, 1}); }, {"permute", "exactly once"});
  expect_error<ArgumentError>([&] { unsqueeze(x, 4); }, {"unsqueeze", "axis 4"});
  expect_error<ShapeError>([&] { squeeze(x, 1); }, {"squeeze", "axis 1", "[2,3,4]"});
  expect_error<ShapeError>(
      [&] {
        broadcast_to(x, {2, 3, 5});
      },
      {"broadcast_to", "[2,3,4]", "[2,3,5]"});
  expect_error<ArgumentError>([&] { slice(x, 1, 2, 4); }, {"slice", "[2, 4)", "[2,3,4]"});
  expect_error<ArgumentError>([&] { slice(x, 3, 0, 1); }, {"slice", "axis 3"});
  expect_error<ArgumentError>([&] { select(x, 1, 3); }, {"select", "position 3", "[2,3,4]"});
  expect_error<ShapeError>([] { unsqueeze(numbers({1, 1, 1, 1, 1, 1}), 0); }, {"rank 7"});
  expect_error<ShapeError>([] { stack({numbers({1, 1, 1, 1, 1, 1})}); }, {"rank 7"});
}

TEST_CASE("splitting names the sizes that do not add up") {
  const Variable x = numbers({2, 6});
  const std::vector<std::array<Index, 2>> bad{{1, 4}, {3, 4}, {7, -1}, {-1, 7}, {6, 6}};
  for (const auto& sizes : bad)
    expect_error<ShapeError>([&] { split(x, sizes); }, {"split", "add up to 6", "[2,6]"});
  expect_error<ShapeError>([&] { split(x, std::span<const Index>()); }, {"split", "6"});
  expect_error<ShapeError>([&] { split<4>(x); }, {"split", "[2,6]", "4 equal parts"});
  expect_error<ArgumentError>([&] { split<2>(x, 2); }, {"split", "axis 2"});
}

TEST_CASE("joining names the shapes that do not agree") {
  const Variable a = numbers({2, 3});
  expect_error<ShapeError>(
      [&] {
        concat({a, numbers({3, 3})});
      },
      {"concat", "axis 1", "[2,3]", "[3,3]"});
  expect_error<ShapeError>([&] { concat({a, numbers({3})}, 0); }, {"concat", "[2,3]", "[3]"});
  expect_error<DtypeError>(
      [&] {
        concat({a, zeros({2, 3})});
      },
      {"concat", "float64 [2,3]", "float32 [2,3]"});
  expect_error<ArgumentError>([] { concat(std::span<const Variable>()); }, {"concat", "at least"});
  expect_error<ArgumentError>([&] { concat({a}, 2); }, {"concat", "axis 2"});
  expect_error<ArgumentError>([] { concat({numbers({})}); }, {"concat", "rank 0"});
  expect_error<ShapeError>(
      [&] {
        stack({a, numbers({3, 2})});
      },
      {"stack", "float64 [2,3]", "float64 [3,2]"});
  expect_error<DtypeError>(
      [&] {
        stack({a, zeros({2, 3})});
      },
      {"stack", "float64 [2,3]", "float32 [2,3]"});
  expect_error<ArgumentError>([] { stack(std::span<const Variable>()); }, {"stack", "at least"});
  expect_error<ArgumentError>([&] { stack({a}, 3); }, {"stack", "axis 3"});
}

}  // namespace unroll::testing
