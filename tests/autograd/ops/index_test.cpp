// Reading and writing by position, and order along an axis: values, ties, edges, errors.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor counted(const Shape& shape, Dtype dtype = Dtype::float64) {
  return arange(size_of(shape), dtype).reshape(shape);
}

Tensor positions(const Shape& shape, std::initializer_list<std::int64_t> values) {
  return Tensor::of(shape, values);
}

}  // namespace

TEST_CASE("gather reads each place by its own index, along any axis and any strides") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Variable x = counted({2, 3}, dtype);
    const Variable y = gather(x, positions({2, 2}, {2, 0, 1, 1}), 1);
    CHECK(y.dtype() == dtype);
    expect_values(y.value(), {2, 0, 4, 4});
    expect_values(gather(x, positions({1, 3}, {1, 0, 1}), 0).value(), {3, 1, 5});
    expect_values(gather(transpose(x), positions({2, 2}, {2, 0, 1, 1}), 0).value(), {2, 3, 1, 4});
  }
  expect_values(gather(counted({2, 2, 2}), positions({2, 1, 2}, {1, 0, 0, 1}), 1).value(),
                {2, 1, 4, 7});
  const Tensor expanded = positions({3, 1}, {1, 0, 1}).transpose(0, 1).broadcast_to({2, 3});
  expect_values(gather(counted({2, 2}), expanded, 1).value(), {1, 0, 1, 3, 2, 3});
  CHECK(gather(counted({2, 3}), zeros({2, 0}, Dtype::int64), 1).shape() == Shape{2, 0});
}

TEST_CASE("scatter_add adds up where several meet, and leaves its input alone") {
  const Tensor x = counted({2, 3});
  const Tensor before = x.clone();
  const Tensor at = positions({2, 4}, {0, 0, 2, 0, 1, 1, 1, 2});
  const Tensor values = Tensor::of<double>({2, 4}, {1, 2, 4, 8, 16, 32, 64, 128});
  expect_values(scatter_add(x, at, values, 1).value(), {11, 1, 6, 3, 116, 133});
  expect_close(x, before);
  expect_values(
      scatter_add(x, positions({1, 3}, {1, 0, 1}), ones({1, 3}, Dtype::float64), 0).value(),
      {0, 2, 2, 4, 4, 6});
}

TEST_CASE("index_select and take pick slices and elements, as often as asked") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Variable x = counted({2, 3}, dtype);
    expect_values(index_select(x, positions({4}, {2, 0, 0, 1}), 1).value(),
                  {2, 0, 0, 1, 5, 3, 3, 4});
    expect_values(index_select(x, positions({1}, {1}), 0).value(), {3, 4, 5});
    expect_values(take(x, positions({2, 2}, {5, 0, 3, 3})).value(), {5, 0, 3, 3});
    CHECK(take(x, positions({2, 2}, {5, 0, 3, 3})).shape() == Shape{2, 2});
    expect_values(take(transpose(x), positions({}, {1})).value(), {3});
  }
  CHECK(index_select(counted({2, 3}), zeros({0}, Dtype::int64), 1).shape() == Shape{2, 0});
}

TEST_CASE("index_select of rows is an embedding") {
  const Tensor table = random({5, 3}, 1);
  const Tensor at = positions({4}, {4, 1, 1, 0});
  expect_close(index_select(table, at, 0).value(), embedding(table, at).value());
}

TEST_CASE("a mask fills, and holds the gradient back") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({2, 2}, {kNan, 1, 2, 3}));
  const Tensor mask = is_nan(x);
  const Variable y = masked_fill(x, mask, 9);
  expect_values(y.value(), {9, 1, 2, 3});
  expect_values(tape.gradients(sum(square(y)))[x].value(), {0, 2, 4, 6});
  expect_values(masked_fill(counted({2, 2}), positions({2}, {0, 1}), -1).value(), {0, -1, 2, -1});
}

TEST_CASE("one_hot rows are those of the unit matrix") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Tensor y = one_hot(positions({2, 2}, {2, 0, 1, 1}), 3, dtype);
    CHECK(y.dtype() == dtype);
    CHECK(y.shape() == Shape{2, 2, 3});
    expect_values(y, {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0});
  }
  expect_values(one_hot(positions({2, 1}, {1, 0}).transpose(0, 1), 2), {0, 1, 1, 0});
  CHECK(one_hot(zeros({0}, Dtype::int64), 0).shape() == Shape{0, 0});
}

TEST_CASE("sort agrees with the standard library along every axis") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64})
    for (int axis : {0, 1, -1})
      for (bool descending : {false, true}) {
        const Tensor x = (Variable(random({3, 7, 5}, 2)) * 10.0).value().to(dtype);
        const Sorted y = sort(x, axis, descending);
        CHECK(y.values.dtype() == dtype);
        expect_close(gather(x, y.indices, axis).value(), y.values.value());
        expect_close(argsort(x, axis, descending), y.indices);
        const Tensor from = x.transpose(axis, -1).contiguous();
        const Tensor rows = from.reshape({-1, from.size(-1)});
        const Tensor ordered = y.values.value().transpose(axis, -1).contiguous();
        const Tensor to = ordered.reshape({-1, from.size(-1)});
        for (Index r = 0; r < rows.size(0); ++r) {
          auto expected = rows.select(0, r).to_vector<double>();
          std::sort(expected.begin(), expected.end());
          if (descending) std::reverse(expected.begin(), expected.end());
          expect_values(to.select(0, r), expected);
        }
        const Sorted few = topk(x, 3, axis, descending);
        expect_close(few.values.value(), slice(y.values, axis, 0, 3).value());
        expect_close(few.indices, slice(y.indices, axis, 0, 3).value());
      }
}

TEST_CASE("equals keep their order and a NaN is the largest, both ways round") {
  const Tensor x = Tensor::of<double>({6}, {2, kNan, 1, 2, kNan, 1});
  expect_values(argsort(x), {2, 5, 0, 3, 1, 4});
  expect_values(argsort(x, 0, true), {1, 4, 0, 3, 2, 5});
  expect_values(topk(x, 3).indices, {1, 4, 0});
  expect_values(topk(x, 1, 0, false).indices, {2});
  CHECK(topk(x, 0).values.shape() == Shape{0});
  CHECK(sort(zeros({0, 3})).values.shape() == Shape{0, 3});
  CHECK(sort(zeros({3, 0})).indices.shape() == Shape{3, 0});
}

TEST_CASE("the gradient of a sorted value goes to where it stood") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({4}, {3, -1, 2, 7}));
  const Variable weights = Tensor::of<double>({4}, {1, 10, 100, 1000});
  expect_values(tape.gradients(sum(sort(x).values * weights), {.retain = true})[x].value(),
                {100, 1, 10, 1000});
  expect_values(tape.gradients(sum(topk(x, 2).values))[x].value(), {1, 0, 0, 1});
}

TEST_CASE("indexing and sorting refuse what does not fit, by name") {
  const Variable x = counted({2, 3});
  const auto at = [](const Shape& shape) { return zeros(shape, Dtype::int64); };
  expect_error<ArgumentError>(
      [&] {
        gather(x, positions({2, 1}, {0, 3}), 1);
      },
      {"gather", "holds 3", "0..2"});
  expect_error<ArgumentError>([&] { gather(x, positions({2, 1}, {0, -1}), 1); }, {"holds -1"});
  expect_error<ArgumentError>([&] { gather(x, at({2, 3}), 2); }, {"gather", "axis 2"});
  expect_error<ShapeError>([&] { gather(x, at({3}), 1); }, {"gather", "[3]", "[2,3]"});
  expect_error<ShapeError>([&] { gather(x, at({3, 3}), 1); }, {"gather", "[3,3]", "axis 1"});
  expect_error<DtypeError>([&] { gather(x, zeros({2, 3}), 1); }, {"gather", "int64"});
  expect_error<DtypeError>([&] { gather(x, Tensor(), 1); }, {"gather", "undefined"});
  expect_error<ShapeError>(
      [&] {
        scatter_add(x, at({2, 1}), x, 1);
      },
      {"scatter_add", "values [2,3]", "indices [2,1]"});
  expect_error<DtypeError>(
      [&] {
        scatter_add(x, at({2, 3}), zeros({2, 3}), 1);
      },
      {"scatter_add", "float64 [2,3]", "float32 [2,3]"});
  expect_error<DtypeError>([&] { scatter_add(at({2}), at({2}), at({2}), 0); }, {"int64 [2]"});
  expect_error<ShapeError>([&] { index_select(x, at({1, 1}), 0); }, {"index_select", "[1,1]"});
  expect_error<ArgumentError>([&] { index_select(x, positions({1}, {2}), 0); },
                              {"index_select", "0..1"});
  expect_error<ArgumentError>([&] { take(x, positions({1}, {6})); }, {"take", "holds 6", "0..5"});
  expect_error<ShapeError>(
      [&] {
        masked_fill(x, zeros({2, 2}), 0);
      },
      {"masked_fill", "[2,2]", "[2,3]"});
  expect_error<ShapeError>([&] { masked_fill(x, zeros({1, 2, 3}), 0); }, {"[1,2,3]", "[2,3]"});
  expect_error<ArgumentError>([&] { masked_fill(x, Tensor(), 0); }, {"masked_fill", "undefined"});
  expect_error<ArgumentError>([] { one_hot(positions({1}, {3}), 3); }, {"one_hot", "holds 3"});
  expect_error<ShapeError>([&] { one_hot(at({0}), -1); }, {"negative"});
  expect_error<ArgumentError>([&] { sort(x, 2); }, {"sort", "axis 2"});
  expect_error<ArgumentError>([] { argsort(Variable()); }, {"argsort", "undefined"});
  expect_error<ArgumentError>([&] { topk(x, 4); }, {"topk", "4", "axis 1", "[2,3]"});
  expect_error<ArgumentError>([&] { topk(x, -1); }, {"topk", "-1"});
}

}  // namespace unroll::testing
