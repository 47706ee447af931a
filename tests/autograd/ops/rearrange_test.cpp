// Cutting, turning, repeating, windows, diagonals and triangles: values, views, edges, errors.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Tensor counted(const Shape& shape, Dtype dtype = Dtype::float64) {
  return arange(size_of(shape), dtype).reshape(shape);
}

std::vector<Index> sizes_of(const std::vector<Variable>& parts) {
  std::vector<Index> sizes;
  for (const Variable& part : parts) sizes.push_back(part.size(-1));
  return sizes;
}

constexpr Index kHuge = std::numeric_limits<Index>::max();

}  // namespace

TEST_CASE("what strides can express is a view") {
  const Tensor x = counted({3, 4});
  CHECK(chunk(x, 2)[1].value().shares_buffer(x));
  CHECK(flip(x, {0, 1}).value().shares_buffer(x));
  CHECK(unfold(x, 1, 2).value().shares_buffer(x));
  CHECK(diagonal(x).value().shares_buffer(x));
}

TEST_CASE("rearranging keeps every dtype") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Variable x = counted({2, 3}, dtype);
    expect_values(flip(x, {1}).value(), {2, 1, 0, 5, 4, 3});
    expect_values(flip(x, {0}).value(), {3, 4, 5, 0, 1, 2});
    expect_values(flip(x, {-1, 0}).value(), {5, 4, 3, 2, 1, 0});
    expect_values(flip(x, {}).value(), {0, 1, 2, 3, 4, 5});
    expect_values(roll(x, 1, 1).value(), {2, 0, 1, 5, 3, 4});
    expect_values(roll(x, -1, 1).value(), {1, 2, 0, 4, 5, 3});
    expect_values(roll(x, 7, -1).value(), {2, 0, 1, 5, 3, 4});
    expect_values(roll(x, 4, 0).value(), {0, 1, 2, 3, 4, 5});
    expect_values(pad(x, 1, 1, 0, 7).value(), {7, 0, 1, 2, 7, 3, 4, 5});
    expect_values(pad(x, 0, 0, 1).value(), {0, 1, 2, 3, 4, 5, 0, 0, 0});
    expect_values(tile(x, {2}).value(), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    expect_values(tile(x, {2, 1}).value(), {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
    expect_values(repeat(x, 2, 1).value(), {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
    expect_values(repeat(x, 2, 0).value(), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    expect_values(unfold(x, 1, 2).value(), {0, 1, 1, 2, 3, 4, 4, 5});
    expect_values(diagonal(x, 1).value(), {1, 5});
    expect_values(diag_embed(select(x, 0, 1), 1).value(),
                  {0, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 5, 0, 0, 0, 0});
    expect_values(tril(x).value(), {0, 0, 0, 3, 4, 0});
    expect_values(triu(x).value(), {0, 1, 2, 0, 4, 5});
    CHECK(tril(x).dtype() == dtype);
    CHECK(pad(x, 0, 1, 1).dtype() == dtype);
  }
}

TEST_CASE("chunks are equal but for the last") {
  const Variable x = counted({2, 7});
  CHECK(sizes_of(chunk(x, 3)) == std::vector<Index>{3, 3, 1});
  CHECK(sizes_of(chunk(x, 7)) == std::vector<Index>{1, 1, 1, 1, 1, 1, 1});
  CHECK(sizes_of(chunk(x, 1)) == std::vector<Index>{7});
  // As in PyTorch, parts that would be empty are left out.
  CHECK(sizes_of(chunk(x, 5)) == std::vector<Index>{2, 2, 2, 1});
  CHECK(chunk(x, kHuge).size() == 7);
  CHECK(chunk(x, 2, 0)[1].shape() == Shape{1, 7});
  CHECK(sizes_of(chunk(zeros({2, 0}), 3)) == std::vector<Index>{0});
}

TEST_CASE("a flipped view is read rightly by whatever reads strides") {
  const Tensor x = random({4, 5}, 1);
  const Tensor y = random({5, 4}, 2);
  const Variable view = flip(x, {0, 1});
  const Tensor copy = view.value().clone();
  expect_values(copy, {x.at({3, 4}), x.at({3, 3}), x.at({3, 2}), x.at({3, 1}), x.at({3, 0}),
                       x.at({2, 4}), x.at({2, 3}), x.at({2, 2}), x.at({2, 1}), x.at({2, 0}),
                       x.at({1, 4}), x.at({1, 3}), x.at({1, 2}), x.at({1, 1}), x.at({1, 0}),
                       x.at({0, 4}), x.at({0, 3}), x.at({0, 2}), x.at({0, 1}), x.at({0, 0})});
  expect_close(matmul(view, y).value(), matmul(copy, y).value());
  expect_close(matmul(flip(y, {0}), view).value(),
               matmul(flip(y, {0}).value().clone(), copy).value());
  expect_close(linear(y, slice(view, 1, 1, 5)).value(),
               linear(y, slice(Variable(copy), 1, 1, 5)).value());
  expect_close((view * transpose(y) + select(view, 0, 1)).value(),
               (Variable(copy) * transpose(y) + select(copy, 0, 1)).value());
  expect_close(sum(view, {1}).value(), sum(copy, {1}).value());
  expect_close(softmax(view, 0).value(), softmax(copy, 0).value());
  expect_close(reshape(view, {2, 10}).value(), copy.reshape({2, 10}));
  expect_close(concat({view, view}, 1).value(), concat({copy, copy}, 1).value());
  expect_close(slice(view, 1, 1, 5, 2).value(), copy.slice(1, 1, 5, 2));
  expect_close(flip(view, {0, 1}).value(), x);
}

TEST_CASE("a padded axis with its ends cut off is what it was, and its gradient too") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3, 4}, 3));
  const Variable y = pad(x, 1, 2, 3, -1.0);
  CHECK(y.shape() == Shape{2, 8, 4});
  CHECK(y.value().at({1, 1, 2}) == -1.0);
  CHECK(y.value().at({1, 5, 2}) == -1.0);
  expect_close(slice(y, 1, 2, 5).value(), x.value());
  expect_close(tape.gradients(sum(y))[x].value(), ones({2, 3, 4}, Dtype::float64));
}

TEST_CASE("tiles make new axes, and none where a count is 0") {
  const Variable x = counted({2, 3});
  CHECK(tile(x, {2, 1, 3}).shape() == Shape{2, 2, 9});
  CHECK(tile(x, {0, 2}).shape() == Shape{0, 6});
  CHECK(tile(zeros({}), {3}).shape() == Shape{3});
  CHECK(repeat(x, 0, 1).shape() == Shape{2, 0});
  // Rank 6, where an axis more could not be had.
  expect_values(tile(reshape(x, {1, 1, 2, 1, 3, 1}), {2}).value(),
                {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
}

TEST_CASE("windows lie where stride and dilation put them") {
  for (Index size : {1, 2, 3})
    for (Index stride : {1, 2, 5})
      for (Index dilation : {1, 3}) {
        const Tensor x = counted({2, 11});
        const Tensor y = unfold(x, 1, size, {stride, dilation}).value();
        const Index count = (11 - dilation * (size - 1) - 1) / stride + 1;
        REQUIRE(y.shape() == Shape{2, count, size});
        for (Index i = 0; i < count; ++i)
          for (Index k = 0; k < size; ++k)
            CHECK(y.at({1, i, k}) == x.at({1, i * stride + k * dilation}));
      }
  CHECK(unfold(zeros({4, 3}), 0, 4).shape() == Shape{1, 3, 4});
}

TEST_CASE("the gradient of windows counts how many hold an element") {
  Tape tape;
  const Variable x = tape.watch(counted({6}));
  expect_values(tape.gradients(sum(unfold(x, 0, 3)))[x].value(), {1, 2, 3, 3, 2, 1});
}

TEST_CASE("diagonals and triangles agree with their definition at every offset") {
  const Tensor x = random({2, 3, 4}, 4);
  for (int offset = -5; offset <= 5; ++offset) {
    CAPTURE(offset);
    std::vector<double> on, below, above;
    for (Index m = 0; m < 2; ++m)
      for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 4; ++j) {
          if (j - i == offset) on.push_back(x.at({m, i, j}));
          below.push_back(j - i <= offset ? x.at({m, i, j}) : 0.0);
          above.push_back(j - i >= offset ? x.at({m, i, j}) : 0.0);
        }
    expect_values(diagonal(x, offset).value(), on);
    expect_values(tril(x, offset).value(), below);
    expect_values(triu(x, offset).value(), above);
    const Variable square = diag_embed(select(x, 1, 2), offset);
    expect_close(diagonal(square, offset).value(), x.select(1, 2));
    CHECK(sum(square).item() == doctest::Approx(sum(select(x, 1, 2)).item()));
  }
  expect_values(diag(counted({2}), -1).value(), {0, 0, 0, 0, 0, 0, 0, 1, 0}, 0);
  expect_values(diag(counted({2, 2})).value(), {0, 3});
  CHECK(tril(zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("a triangle hides what it cuts off, a NaN too") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_values(tril(Tensor::of<double>({2, 2}, {1, nan, 3, 4})).value(), {1, 0, 3, 4});
}

TEST_CASE("rearranging refuses what does not fit, by name") {
  const Variable x = counted({2, 3});
  expect_error<ArgumentError>([&] { chunk(x, 0); }, {"chunk", "0"});
  expect_error<ArgumentError>([&] { chunk(x, 2, 2); }, {"chunk", "axis 2"});
  expect_error<ArgumentError>([&] { flip(x, {2}); }, {"flip", "axis 2"});
  expect_error<ArgumentError>([&] { flip(x, {1, -1}); }, {"flip", "-1", "twice"});
  expect_error<ArgumentError>([&] { roll(x, 1, -3); }, {"roll", "axis -3"});
  expect_error<ArgumentError>([&] { pad(x, 0, -1, 2); }, {"pad", "-1"});
  expect_error<ShapeError>([&] { pad(x, 0, kHuge, kHuge); }, {"pad", "[2,3]", "axis 0"});
  expect_error<ArgumentError>([&] { tile(x, {2, -1}); }, {"tile", "-1"});
  expect_error<ShapeError>([&] { tile(x, {kHuge}); }, {"no memory"});
  expect_error<ArgumentError>([&] { repeat(x, -1, 0); }, {"repeat", "-1"});
  expect_error<ShapeError>([&] { repeat(x, kHuge / 2, 0); }, {"no memory"});
  expect_error<ArgumentError>([&] { unfold(x, 1, 4); }, {"unfold", "4", "axis 1", "[2,3]"});
  expect_error<ArgumentError>([&] { unfold(x, 1, 2, {.dilation = 3}); }, {"unfold", "3 apart"});
  expect_error<ArgumentError>([&] { unfold(x, 1, 2, {.dilation = kHuge}); }, {"unfold"});
  expect_error<ArgumentError>([&] { unfold(x, 1, 0); }, {"unfold", "at least 1"});
  expect_error<ArgumentError>([&] { unfold(x, 1, 1, {.stride = 0}); }, {"unfold", "at least 1"});
  expect_error<ShapeError>([] { unfold(zeros({1, 1, 1, 1, 1, 1}), 0, 1); }, {"rank 7"});
  expect_error<ShapeError>([] { diagonal(zeros({3})); }, {"diagonal", "[3]", "2 axes"});
  expect_error<ShapeError>([] { diag_embed(zeros({})); }, {"diag_embed", "1 axis"});
  expect_error<ShapeError>([] { diag(zeros({1, 2, 3})); }, {"diag", "[1,2,3]", "diag_embed"});
  expect_error<ShapeError>([] { tril(zeros({3})); }, {"tril", "[3]"});
  expect_error<ShapeError>([] { triu(zeros({})); }, {"triu", "[]"});
}

}  // namespace unroll::testing
