#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/shape.hpp>

#include <array>
#include <string>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {

TEST_CASE("a shape prints as its sizes in brackets") {
  CHECK(to_string(Shape{35, 20, 200}) == "[35,20,200]");
  CHECK(to_string(Shape{}) == "[]");
}

TEST_CASE("the size of a shape is the product of its sizes, 1 for a scalar") {
  CHECK(size_of(Shape{3, 4, 5}) == 60);
  CHECK(size_of(Shape{}) == 1);
  CHECK(size_of(Shape{3, 0, 5}) == 0);
}

TEST_CASE("row-major strides count the elements behind an axis") {
  CHECK(row_major({3, 4, 5}) == Strides{20, 5, 1});
  CHECK(row_major({}) == Strides{});
  CHECK(row_major({7}) == Strides{1});
}

TEST_CASE("axes can be inserted and erased in the middle") {
  Shape shape{2, 3};
  shape.insert(1, 7);
  CHECK(shape == Shape{2, 7, 3});
  shape.insert(0, 5);
  CHECK(shape == Shape{5, 2, 7, 3});
  shape.erase(2);
  CHECK(shape == Shape{5, 2, 3});
  shape.push_back(9);
  CHECK(shape == Shape{5, 2, 3, 9});
  CHECK(shape.back() == 9);
}

TEST_CASE("shapes of unequal rank or sizes are unequal") {
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{} == Shape{1});
}

TEST_CASE("a rank above the highest is refused") {
  expect_error<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1, 1}; }, {"rank 7", "6"});
  expect_error<ShapeError>([] { Shape(7, 1); }, {"rank 7"});
  expect_error<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1}.push_back(1); }, {"rank 7"});
  const std::vector<Index> long_list(100, 1);
  expect_error<ShapeError>([&] { Shape{std::span<const Index>(long_list)}; }, {"rank 100"});
}

TEST_CASE("broadcasting aligns axes at the right and broadcasts sizes of 1") {
  struct Case {
    Shape a, b, result;
  };
  const std::array cases{
      Case{{3, 4}, {3, 4}, {3, 4}}, Case{{3, 1}, {1, 4}, {3, 4}},       Case{{4}, {3, 4}, {3, 4}},
      Case{{}, {2, 3}, {2, 3}},     Case{{2, 1, 5}, {4, 1}, {2, 4, 5}}, Case{{1}, {0}, {0}},
      Case{{3, 0}, {3, 1}, {3, 0}}, Case{{1, 1, 1}, {2}, {1, 1, 2}},
  };
  for (const Case& c : cases) {
    CHECK(to_string(broadcast("op", c.a, c.b)) == to_string(c.result));
    CHECK(to_string(broadcast("op", c.b, c.a)) == to_string(c.result));
  }
}

TEST_CASE("shapes that do not broadcast are named in their order, with the axis and its sizes") {
  expect_error<ShapeError>(
      [] {
        broadcast("add", {2, 3}, {2, 4});
      },
      {"add", "[2,3] and [2,4]", "axis -1 has sizes 3 and 4"});
  expect_error<ShapeError>(
      [] {
        broadcast("add", {5}, {2, 5, 3});
      },
      {"[5] and [2,5,3]", "axis -1 has sizes 5 and 3"});
  expect_error<ShapeError>(
      [] {
        broadcast("add", {2, 5, 3}, {4, 1});
      },
      {"[2,5,3] and [4,1]", "axis -2 has sizes 5 and 4"});
  expect_error<ShapeError>([] { broadcast("add", {0}, {3}); }, {"sizes 0 and 3"});
}

TEST_CASE("axes may be counted from the end, and lie within the rank") {
  CHECK(normalize_axis("sum", 0, 3) == 0);
  CHECK(normalize_axis("sum", -1, 3) == 2);
  CHECK(normalize_axis("sum", -3, 3) == 0);
  for (int axis : {3, -4})
    expect_error<ArgumentError>([&] { normalize_axis("sum", axis, 3); },
                                {"sum", "axis " + std::to_string(axis), "rank 3"});
  expect_error<ArgumentError>([] { normalize_axis("sum", 0, 0); }, {"rank 0"});
}

TEST_CASE("an axis that a shape does not have is refused") {
  Shape shape{2, 3};
  const Shape& fixed = shape;
  for (int axis : {-1, 2, 5, 1000})
    expect_error<ShapeError>([&] { static_cast<void>(fixed[axis]); },
                             {"no axis " + std::to_string(axis), "[2,3]", "rank 2"});
  expect_error<ShapeError>([&] { shape[5] = 1; }, {"no axis 5"});
  expect_error<ShapeError>([&] { shape.insert(3, 1); }, {"no axis 3"});
  expect_error<ShapeError>([&] { shape.insert(-1, 1); }, {"no axis -1"});
  expect_error<ShapeError>([&] { shape.erase(2); }, {"no axis 2"});
  expect_error<ShapeError>([] { static_cast<void>(Shape{}.back()); }, {"[]", "rank 0"});
}

}  // namespace unroll::testing
