#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Tensor counted(const Shape& shape, Dtype dtype = Dtype::float64) {
  return arange(size_of(shape), dtype).reshape(shape);
}

}  // namespace

// The views themselves are checked in tensor_views_test; here, that the operations are those views.
TEST_CASE("an operation that can be a view shares the buffer of its input") {
  const Tensor x = counted({2, 1, 4});
  CHECK(reshape(x, {8}).value().shares_buffer(x));
  CHECK(transpose(x).value().shares_buffer(x));
  CHECK(permute(x, {2, 0, 1}).value().shares_buffer(x));
  CHECK(unsqueeze(x, 0).value().shares_buffer(x));
  CHECK(squeeze(x, 1).value().shares_buffer(x));
  CHECK(broadcast_to(x, {2, 3, 4}).value().shares_buffer(x));
  CHECK(slice(x, 2, 1, 3).value().shares_buffer(x));
  CHECK(select(x, 0, 1).value().shares_buffer(x));
  CHECK(split<2>(Variable(x))[1].value().shares_buffer(x));
}

TEST_CASE("rearranging works for whole numbers as for others") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Variable x = counted({2, 3}, dtype);
    expect_values(transpose(x).value(), {0, 3, 1, 4, 2, 5});
    expect_values(slice(x, 1, 0, 3, 2).value(), {0, 2, 3, 5});
    expect_values(select(x, -1, 1).value(), {1, 4});
    expect_values(concat({x, x}).value(), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    expect_values(stack({x, x}, 1).value(), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    CHECK(concat({x, x}).dtype() == dtype);
  }
}

TEST_CASE("transpose swaps the last two axes unless told otherwise") {
  const Variable x = counted({2, 3, 4});
  CHECK(transpose(x).shape() == Shape{2, 4, 3});
  CHECK(transpose(x, 0, 1).shape() == Shape{3, 2, 4});
  CHECK(transpose(x).value().at({1, 3, 2}) == x.value().at({1, 2, 3}));
}

TEST_CASE("splitting cuts an axis into parts, equal or of given sizes") {
  const Variable x = counted({2, 6});
  const auto [a, b, c] = split<3>(x);
  expect_values(a.value(), {0, 1, 6, 7});
  expect_values(b.value(), {2, 3, 8, 9});
  expect_values(c.value(), {4, 5, 10, 11});
  const std::array<Index, 3> sizes{1, 0, 5};
  const auto parts = split(x, sizes);
  REQUIRE(parts.size() == 3);
  expect_values(parts[0].value(), {0, 6});
  CHECK(parts[1].shape() == Shape{2, 0});
  CHECK(parts[2].shape() == Shape{2, 5});
  const auto rows = split<2>(x, 0);
  expect_values(rows[1].value(), {6, 7, 8, 9, 10, 11});
}

TEST_CASE("tensors are concatenated along any axis") {
  const Variable a = counted({2, 1, 3});
  const Variable b = a * 10.0;
  expect_values(concat({a, b}).value(), {0, 1, 2, 0, 10, 20, 3, 4, 5, 30, 40, 50});
  expect_values(concat({a, b}, 0).value(), {0, 1, 2, 3, 4, 5, 0, 10, 20, 30, 40, 50});
  CHECK(concat({a, b}, 1).shape() == Shape{2, 2, 3});
  CHECK(concat({a, slice(b, 2, 0, 2)}).shape() == Shape{2, 1, 5});
  CHECK(concat({a}).shape() == a.shape());
  expect_values(concat({slice(a, 0, 0, 0), a}, 0).value(), {0, 1, 2, 3, 4, 5});
}

TEST_CASE("concatenating views takes their elements, neighbours in memory or not") {
  const Variable x = counted({3, 6});
  const auto [a, b, c] = split<3>(x);
  expect_close(concat({a, b, c}).value(), x.value());
  expect_close(concat({a, c}).value(), concat({a * 1.0, c * 1.0}).value());
  expect_close(concat({b, a}).value(), concat({b * 1.0, a * 1.0}).value());
  expect_close(concat({a, b}).value(), slice(x, 1, 0, 4).value());
  expect_close(concat({a, a}).value(), concat({a * 1.0, a * 1.0}).value());
  expect_close(concat({a, b, c}, 0).value(), concat({a * 1.0, b * 1.0, c * 1.0}, 0).value());
  const auto [top, bottom] = split<2>(counted({4, 3}), 0);
  expect_close(concat({top, bottom}, 0).value(), counted({4, 3}));
  const Variable y = transpose(x);
  expect_close(concat({slice(y, 0, 0, 2), slice(y, 0, 2, 6)}, 0).value(), y.value());
}

TEST_CASE("stacking makes a new axis") {
  const Variable a = counted({2, 3});
  const Variable b = a * 10.0;
  const Variable y = stack({a, b});
  CHECK(y.shape() == Shape{2, 2, 3});
  expect_values(select(y, 0, 1).value(), b.value().to_vector<double>());
  CHECK(stack({a, b, a}, 1).shape() == Shape{2, 3, 3});
  CHECK(stack({a, b, a}, -1).shape() == Shape{2, 3, 3});
  expect_values(select(stack({a, b, a}, -1), 2, 1).value(), b.value().to_vector<double>());
  expect_values(stack({transpose(a), transpose(b)}, 0).value(),
                {0, 3, 1, 4, 2, 5, 0, 30, 10, 40, 20, 50});
}

TEST_CASE(
    "cutting a sequence into steps and stacking them again changes nothing, gradients included") {
  Tape tape;
  const Variable x = tape.watch(random({5, 2, 3}, 1));
  std::vector<Variable> steps;
  for (Index t = 0; t < 5; ++t) steps.push_back(select(x, 0, t));
  const Variable again = stack(steps);
  expect_close(again.value(), x.value());
  const Tensor weights = random({5, 2, 3}, 2);
  expect_close(tape.gradients(sum(again * Variable(weights)))[x].value(), weights);
}

TEST_CASE("an embedding picks rows, in any order and as often as asked") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Variable table = counted({4, 3}, dtype);
    const Tensor indices = Tensor::of<std::int64_t>({2, 2}, {3, 0, 1, 3});
    const Variable y = embedding(table, indices);
    CHECK(y.shape() == Shape{2, 2, 3});
    CHECK(y.dtype() == dtype);
    expect_values(y.value(), {9, 10, 11, 0, 1, 2, 3, 4, 5, 9, 10, 11});
    expect_values(embedding(table, indices.transpose(0, 1)).value(),
                  {9, 10, 11, 3, 4, 5, 0, 1, 2, 9, 10, 11});
    expect_values(embedding(table, indices.select(1, 1).select(0, 0)).value(), {0, 1, 2});
    CHECK(embedding(table, zeros({0}, Dtype::int64)).shape() == Shape{0, 3});
    expect_values(embedding(transpose(table), Tensor::of<std::int64_t>({1}, {1})).value(),
                  {1, 4, 7, 10});
  }
}

}  // namespace unroll::testing
