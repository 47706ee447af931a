#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/tensor.hpp>

#include <array>
#include <limits>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

/// 0, 1, 2, ... in this shape, so that an element tells where it stood.
Tensor counted(const Shape& shape) { return arange(size_of(shape)).reshape(shape); }

void expect_view(const Tensor& view, const Tensor& base, const Shape& shape,
                 const std::vector<double>& values) {
  CHECK(view.shares_buffer(base));
  CHECK(view.shape() == shape);
  expect_values(view, values);
}

}  // namespace

TEST_CASE("a slice is a view of some positions along an axis") {
  const Tensor x = counted({3, 4});
  expect_view(x.slice(0, 1, 3), x, {2, 4}, {4, 5, 6, 7, 8, 9, 10, 11});
  expect_view(x.slice(1, 1, 3), x, {3, 2}, {1, 2, 5, 6, 9, 10});
  expect_view(x.slice(-1, 0, 4, 2), x, {3, 2}, {0, 2, 4, 6, 8, 10});
  expect_view(x.slice(1, 0, 4, 3), x, {3, 2}, {0, 3, 4, 7, 8, 11});
  expect_view(x.slice(0, -2, -1), x, {1, 4}, {4, 5, 6, 7});
  expect_view(x.slice(0, 2, 2), x, {0, 4}, {});
  CHECK(x.slice(1, 1, 3).address() == x.data<std::int64_t>() + 1);
}

TEST_CASE("slices of slices and of transposes find the right elements") {
  const Tensor x = counted({4, 6});
  expect_view(x.slice(1, 1, 6, 2).slice(1, 1, 3).slice(0, 3, 4), x, {1, 2}, {21, 23});
  expect_view(x.transpose(0, 1).slice(0, 2, 3), x, {1, 4}, {2, 8, 14, 20});
  expect_view(x.transpose(0, 1).select(1, -1), x, {6}, {18, 19, 20, 21, 22, 23});
}

TEST_CASE("a slice outside the axis is refused, whichever end it leaves by") {
  const Tensor x = counted({3, 4});
  expect_error<ArgumentError>([&] { x.slice(1, 2, 5); }, {"slice", "[2, 5)", "axis 1", "[3,4]"});
  expect_error<ArgumentError>([&] { x.slice(1, -5, 2); }, {"[-5, 2)"});
  expect_error<ArgumentError>([&] { x.slice(1, 3, 2); }, {"[3, 2)"});
  expect_error<ArgumentError>([&] { x.slice(1, 0, 2, 0); }, {"step 0"});
  expect_error<ArgumentError>([&] { x.slice(1, 0, 2, -1); }, {"step -1"});
  expect_error<ArgumentError>([&] { x.slice(2, 0, 1); }, {"slice", "axis 2", "rank 2"});
}

TEST_CASE("a selection drops its axis") {
  const Tensor x = counted({2, 3, 2});
  expect_view(x.select(0, 1), x, {3, 2}, {6, 7, 8, 9, 10, 11});
  expect_view(x.select(1, -1), x, {2, 2}, {4, 5, 10, 11});
  expect_view(x.select(2, 0).select(0, 1).select(0, 2), x, {}, {10});
  expect_error<ArgumentError>([&] { x.select(1, 3); }, {"select", "position 3", "[2,3,2]"});
  expect_error<ArgumentError>([&] { x.select(1, -4); }, {"position -4"});
  expect_error<ArgumentError>([&] { x.select(3, 0); }, {"select", "axis 3"});
}

TEST_CASE("a transpose swaps two axes") {
  const Tensor x = counted({2, 3, 2});
  expect_view(x.transpose(0, 1), x, {3, 2, 2}, {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11});
  expect_view(x.transpose(-1, 0), x, {2, 3, 2}, {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
  CHECK_FALSE(x.transpose(0, 1).is_contiguous());
  CHECK(x.transpose(0, 1).transpose(0, 1).is_contiguous());
  expect_error<ArgumentError>([&] { x.transpose(0, 3); }, {"transpose", "axis 3"});
}

TEST_CASE("a permutation names every axis exactly once") {
  const Tensor x = counted({2, 3, 2});
  expect_view(x.permute(std::array{2, 0, 1}), x, {2, 2, 3}, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  expect_view(x.permute(std::array{-1, 0, 1}), x, {2, 2, 3},
              {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  expect_error<ArgumentError>([&] { x.permute(std::array{0, 1}); }, {"permute", "[2,3,2]"});
  expect_error<ArgumentError>([&] { x.permute(std::array{0, 1, 1}); }, {"exactly once"});
  expect_error<ArgumentError>([&] { x.permute(std::array{0, 1, 3}); }, {"permute", "axis 3"});
  expect_error<Error>([&] { x.permute(std::array{0, 1, 2, 0}); }, {"permute"});
}

TEST_CASE("axes of size 1 come and go without a copy") {
  const Tensor x = counted({2, 3});
  expect_view(x.unsqueeze(0), x, {1, 2, 3}, {0, 1, 2, 3, 4, 5});
  expect_view(x.unsqueeze(-1), x, {2, 3, 1}, {0, 1, 2, 3, 4, 5});
  expect_view(x.transpose(0, 1).unsqueeze(1), x, {3, 1, 2}, {0, 3, 1, 4, 2, 5});
  expect_view(x.unsqueeze(1).squeeze(-2), x, {2, 3}, {0, 1, 2, 3, 4, 5});
  CHECK(x.unsqueeze(1).is_contiguous());
  expect_error<ShapeError>([&] { x.squeeze(1); }, {"squeeze", "axis 1", "[2,3]"});
  expect_error<ArgumentError>([&] { x.unsqueeze(3); }, {"unsqueeze", "axis 3"});
}

TEST_CASE("broadcasting repeats elements without a copy") {
  const Tensor x = counted({2, 1});
  expect_view(x.broadcast_to({3, 2, 2}), x, {3, 2, 2}, {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1});
  CHECK(x.broadcast_to({2, 5}).strides() == Strides{1, 0});
  CHECK_FALSE(x.broadcast_to({2, 5}).is_contiguous());
  expect_error<ShapeError>([&] { x.broadcast_to({3, 2}); }, {"broadcast_to", "[2,1]", "[3,2]"});
  expect_error<ShapeError>([&] { x.broadcast_to({2}); }, {"broadcast_to", "[2,1]", "[2]"});
  // More elements than can be counted.
  const Index huge = Index{1} << 62;
  expect_error<ShapeError>([&] { x.broadcast_to({huge, 4, 2, 1}); }, {"no memory", "[4611"});
  expect_error<ShapeError>([&] { x.reshape({huge, 4}); }, {"reshape", "[2,1]", "[4611"});
  expect_error<ShapeError>([&] { x.reshape({huge, -1, 4}); }, {"reshape", "[2,1]", "[4611"});
}

TEST_CASE("a reshape shares the buffer where strides allow it, and copies where not") {
  const Tensor x = counted({4, 6});
  expect_view(x.reshape({2, 12}), x, {2, 12}, x.to_vector<double>());
  expect_view(x.reshape({-1}), x, {24}, x.to_vector<double>());
  // Rows with a gap behind them still split along the row, and along the rows.
  const Tensor block = x.slice(1, 0, 4);
  expect_view(block.reshape({4, 2, 2}), x, {4, 2, 2}, block.to_vector<double>());
  expect_view(block.reshape({2, 2, 4}), x, {2, 2, 4}, block.to_vector<double>());
  expect_view(block.reshape({4, 1, 4}), x, {4, 1, 4}, block.to_vector<double>());
  const Tensor transposed = x.transpose(0, 1);
  expect_view(transposed.reshape({2, 3, 4}), x, {2, 3, 4}, transposed.to_vector<double>());
  CHECK_FALSE(block.reshape({16}).shares_buffer(x));
  CHECK_FALSE(transposed.reshape({24}).shares_buffer(x));
}

TEST_CASE("a reshape keeps the row-major order of any view") {
  const Tensor x = counted({2, 3, 4});
  const std::array views{x,
                         x.transpose(0, 1),
                         x.transpose(1, 2),
                         x.permute(std::array{2, 1, 0}),
                         x.slice(2, 1, 3),
                         x.slice(1, 0, 3, 2),
                         x.slice(0, 1, 2),
                         x.slice(2, 2, 3),
                         x.unsqueeze(1).broadcast_to({2, 2, 3, 4}),
                         x.slice(1, 1, 1)};
  for (const Tensor& view : views) {
    const std::vector<double> expected = view.to_vector<double>();
    const Index n = view.size();
    for (const Shape& shape : {Shape{n}, Shape{1, n}, Shape{n, 1}, Shape{2, n / 2}, Shape{n / 2, 2},
                               Shape{n / 4, 2, 2}, Shape{2, 1, n / 4, 2}}) {
      if (size_of(shape) != n) continue;
      CAPTURE(to_string(view.shape()));
      CHECK(view.reshape(shape).shape() == shape);
      expect_values(view.reshape(shape), expected);
    }
  }
}

TEST_CASE("one size of a reshape may be left open") {
  const Tensor x = counted({4, 6});
  CHECK(x.reshape({-1, 8}).shape() == Shape{3, 8});
  CHECK(x.reshape({2, -1, 3}).shape() == Shape{2, 4, 3});
  CHECK(zeros({0, 3}).reshape({-1, 3}).shape() == Shape{0, 3});
  expect_error<ShapeError>([&] { x.reshape({5, 5}); }, {"reshape", "[4,6]", "24", "[5,5]"});
  expect_error<ShapeError>([&] { x.reshape({-1, 7}); }, {"reshape", "[4,6]", "7"});
  expect_error<ShapeError>([&] { x.reshape({-1, -1}); }, {"reshape"});
  expect_error<ShapeError>([&] { x.reshape({-24}); }, {"reshape"});
  expect_error<ShapeError>([] { zeros({0}).reshape({-1, 0}); }, {"reshape"});
}

TEST_CASE("a view keeps the numbers alive after the tensor is gone") {
  Tensor view;
  {
    const Tensor x = counted({2, 3});
    view = x.select(0, 1);
  }
  expect_values(view, {3, 4, 5});
  CHECK(view.unique());
}

TEST_CASE("contiguous copies only what has gaps") {
  const Tensor x = counted({3, 4});
  CHECK(x.slice(0, 1, 3).contiguous().shares_buffer(x));
  CHECK(x.slice(0, 1, 2).slice(1, 1, 3).contiguous().shares_buffer(x));
  const Tensor packed = x.slice(1, 1, 3).contiguous();
  CHECK_FALSE(packed.shares_buffer(x));
  CHECK(packed.strides() == Strides{2, 1});
  expect_values(packed, {1, 2, 5, 6, 9, 10});
}

TEST_CASE("a slice may have any step, and has its first element whatever the step") {
  const Tensor x = arange(5);
  const Tensor first = x.slice(0, 1, 5, std::numeric_limits<Index>::max());
  CHECK(first.shape() == Shape{1});
  CHECK(first.at({0}) == 1.0);
  CHECK(x.slice(0, 0, 5, 2).to_vector<double>() == std::vector<double>{0, 2, 4});
  CHECK(x.slice(0, 5, 5, 3).shape() == Shape{0});
}

}  // namespace unroll::testing
