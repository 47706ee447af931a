#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/tensor.hpp>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {

TEST_CASE("a default tensor is no tensor") {
  const Tensor none;
  CHECK_FALSE(none.defined());
  CHECK(describe(none) == "undefined");
  CHECK(describe(zeros({35, 20})) == "float32 [35,20]");
}

TEST_CASE("a tensor of values holds them in row-major order, in the dtype of the values") {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(x.dtype() == Dtype::float32);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.strides() == Strides{3, 1});
  CHECK(x.is_contiguous());
  CHECK(x.at({1, 0}) == 4.0);
  CHECK(x.data<float>()[5] == 6.0F);
  CHECK(Tensor::of<double>({1}, {0.1}).dtype() == Dtype::float64);
  CHECK(Tensor::of<std::int64_t>({1}, {7}).dtype() == Dtype::int64);
}

TEST_CASE("a tensor needs exactly as many values as its shape has elements") {
  expect_error<ShapeError>([] { Tensor::of<float>({2, 3}, {1, 2, 3}); }, {"[2,3]", "6", "3"});
  expect_error<ShapeError>([] { Tensor::of<float>({}, std::vector<float>{}); }, {"[]", "1", "0"});
  expect_error<ShapeError>([] { Tensor::empty({2, -3}, Dtype::float32); }, {"negative", "[2,-3]"});
  expect_error<ShapeError>([] { arange(-1); }, {"negative", "[-1]"});
}

TEST_CASE("zeros, ones, full and arange hold what they say in every dtype") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    CHECK(zeros({2, 2}, dtype).dtype() == dtype);
    expect_values(zeros({2, 2}, dtype), {0, 0, 0, 0});
    expect_values(ones({3}, dtype), {1, 1, 1});
    expect_values(full({2}, 7.0, dtype), {7, 7});
    expect_values(arange(4, dtype), {0, 1, 2, 3});
  }
  CHECK(arange(3).dtype() == Dtype::int64);
  CHECK(arange(0).size() == 0);
}

TEST_CASE("an axis may have no elements") {
  const Tensor none = zeros({3, 0, 2}, Dtype::float64);
  CHECK(none.defined());
  CHECK(none.size() == 0);
  CHECK(none.to_vector<double>().empty());
  CHECK(none.clone().shape() == Shape{3, 0, 2});
  CHECK(none.transpose(0, 2).contiguous().shape() == Shape{2, 0, 3});
  CHECK(none.to(Dtype::float32).size() == 0);
}

TEST_CASE("sizes may be asked for by axis, from either end") {
  const Tensor x = zeros({2, 3, 4});
  CHECK(x.rank() == 3);
  CHECK(x.size() == 24);
  CHECK(x.size(0) == 2);
  CHECK(x.size(-1) == 4);
  expect_error<ArgumentError>([&] { x.size(3); }, {"size", "axis 3", "rank 3"});
}

TEST_CASE("an item is the only element, of whatever shape and dtype") {
  CHECK(Tensor::of<std::int64_t>({1, 1}, {42}).item() == 42.0);
  CHECK(Tensor::of<double>({}, {0.1}).item() == 0.1);
  expect_error<ShapeError>([] { zeros({2, 1}).item(); }, {"item", "[2,1]"});
  expect_error<ShapeError>([] { zeros({0}).item(); }, {"item", "[0]"});
  expect_error<ShapeError>([] { Tensor().item(); }, {"item"});
}

TEST_CASE("a position must name every axis and lie within it") {
  const Tensor x = arange(6).reshape({2, 3});
  CHECK(x.at({1, 2}) == 5.0);
  expect_error<ArgumentError>([&] { x.at({2, 0}); }, {"at", "[2,0]", "[2,3]"});
  expect_error<ArgumentError>([&] { x.at({0, -1}); }, {"[0,-1]"});
  expect_error<ArgumentError>([&] { x.at({1}); }, {"[1]", "[2,3]"});
  expect_error<ArgumentError>([] { Tensor().at({}); }, {"at"});
}

TEST_CASE("data is handed out only in the type it has") {
  const Tensor x = zeros({2}, Dtype::float32);
  CHECK(x.data<float>() == x.address());
  expect_error<DtypeError>([&] { x.data<double>(); }, {"float32", "float64"});
  expect_error<DtypeError>([&] { x.data<std::int64_t>(); }, {"float32", "int64"});
}

TEST_CASE("a copy shares the numbers, a clone has its own") {
  const Tensor x = Tensor::of<double>({2}, {1, 2});
  CHECK(x.unique());
  const Tensor copy = x;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK_FALSE(x.unique());
  CHECK(copy.shares_buffer(x));
  Tensor clone = x.clone();
  CHECK_FALSE(clone.shares_buffer(x));
  clone.mutable_data<double>()[0] = 5.0;
  expect_values(x, {1, 2});
}

TEST_CASE("a tensor owns its numbers again when the last copy is gone") {
  Tensor x = zeros({2});
  {
    const Tensor view = x.slice(0, 0, 1);
    CHECK_FALSE(x.unique());
  }
  CHECK(x.unique());
  const Tensor moved = std::move(x);
  CHECK(moved.unique());
}

TEST_CASE("converting keeps values, truncates to whole numbers, and is free without a change") {
  const Tensor x = Tensor::of<double>({3}, {1.75, -2.5, 1e10});
  expect_values(x.to(Dtype::int64), {1, -2, 1e10});
  expect_values(x.to(Dtype::float32), {1.75, -2.5, 1e10});
  CHECK(x.to(Dtype::float64).shares_buffer(x));
  const Tensor wide = Tensor::of<std::int64_t>({1}, {std::int64_t{1} << 53});
  CHECK(wide.to(Dtype::float64).item() == std::ldexp(1.0, 53));
}

TEST_CASE("all elements come out in row-major order, converted") {
  const Tensor x = Tensor::of<float>({2, 2}, {1, 2, 3, 4}).transpose(0, 1);
  CHECK(x.to_vector<double>() == std::vector<double>{1, 3, 2, 4});
  CHECK(x.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 3, 2, 4});
  CHECK(x.to_vector<float>() == std::vector<float>{1, 3, 2, 4});
}

TEST_CASE("a layout without the numbers keeps shape and dtype") {
  const Tensor x = zeros({2, 3}, Dtype::float64);
  const Tensor layout = x.without_buffer();
  CHECK_FALSE(layout.defined());
  CHECK(layout.shape() == x.shape());
  CHECK(layout.dtype() == x.dtype());
  CHECK(x.unique());
}

TEST_CASE("reading the numbers of no tensor is an error, not a crash") {
  const Tensor none;
  CHECK_THROWS_AS(static_cast<void>(none.clone()), Error);
  CHECK_THROWS_AS(static_cast<void>(none.to(Dtype::float64)), Error);
  CHECK_THROWS_AS(static_cast<void>(none.to_vector<float>()), Error);
  CHECK_THROWS_AS(static_cast<void>(none.to_vector<double>()), Error);
}

TEST_CASE("numbers without a value in int64 are not converted to it") {
  CHECK(full({2}, -7.9, Dtype::float64).to(Dtype::int64).at({1}) == -7.0);
  for (const double x : {std::nan(""), HUGE_VAL, 0x1p63, -0x1.1p63})
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
      expect_error<ArgumentError>([&] { static_cast<void>(full({2}, x, dtype).to(Dtype::int64)); },
                                  {"to", "[2]", "int64"});
}

TEST_CASE("a size that no memory can hold is refused") {
  const Index huge = std::numeric_limits<Index>::max() / 2;
  CHECK_THROWS(static_cast<void>(Tensor::empty({Index{1} << 50}, Dtype::float64)));
  CHECK_THROWS(static_cast<void>(Tensor::empty({huge}, Dtype::float64)));
  CHECK_THROWS(static_cast<void>(Tensor::empty({huge, 4, huge}, Dtype::float32)));
  CHECK_THROWS(static_cast<void>(Tensor::empty({Index{1} << 32, Index{1} << 32}, Dtype::float32)));
}

TEST_CASE("numbers that something else refers to are copied before they are written to") {
  Tensor x = Tensor::of<double>({2, 2}, {1, 2, 3, 4});
  const double* before = x.data<double>();
  CHECK(x.mutable_data<double>() == before);
  const Tensor copy = x;
  x.mutable_data<double>()[0] = 9;
  expect_values(x, {9, 2, 3, 4});
  expect_values(copy, {1, 2, 3, 4});

  Tensor column = x.transpose(0, 1).select(0, 1);
  column.mutable_data<double>()[1] = 8;
  expect_values(column, {2, 8});
  CHECK(column.is_contiguous());
  expect_values(x, {9, 2, 3, 4});
  expect_error<ArgumentError>([] { static_cast<void>(Tensor().mutable_data<float>()); }, {});
}

}  // namespace unroll::testing
