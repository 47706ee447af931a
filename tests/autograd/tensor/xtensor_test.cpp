#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/xtensor.hpp>

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Every element that xtensor sees is the tensor's at the same position.
template <class View>
bool shows(const View& view, const Tensor& x) {
  bool equal = view.dimension() == static_cast<std::size_t>(x.rank());
  const std::vector<double> values = x.to_vector<double>();
  for (Index flat = 0; equal && flat < x.size(); ++flat) {
    const Shape at = position_of(flat, x.shape());
    const std::vector<std::size_t> position(at.begin(), at.end());
    equal = static_cast<double>(view.element(position.begin(), position.end())) ==
            values[static_cast<std::size_t>(flat)];
  }
  return equal;
}

template <class T>
concept TakesATemporary = requires {
  to_xtensor<T>(std::declval<Tensor>());
};

}  // namespace

TEST_CASE("an expression of xtensor is evaluated into a tensor") {
  const xt::xarray<double> a{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const xt::xtensor<double, 1> row{10.0, 20.0, 30.0};
  const Tensor lazy = from_xtensor(2.0 * a + row);
  CHECK(lazy.dtype() == Dtype::float64);
  CHECK(lazy.shape() == Shape{2, 3});
  CHECK(lazy.is_contiguous());
  expect_values(lazy, {12, 24, 36, 18, 30, 42});
  expect_values(from_xtensor(xt::sum(a, {0})), {5, 7, 9});
  expect_values(from_xtensor(xt::arange<double>(3.0)), {0, 1, 2});
}

TEST_CASE("views and other layouts of xtensor come in row-major order") {
  const xt::xarray<float> a{{1.0F, 2.0F, 3.0F}, {4.0F, 5.0F, 6.0F}};
  const Tensor column = from_xtensor(xt::view(a, xt::all(), 1));
  CHECK(column.dtype() == Dtype::float32);
  expect_values(column, {2, 5});
  expect_values(from_xtensor(xt::transpose(a)), {1, 4, 2, 5, 3, 6});
  const xt::xarray<float, xt::layout_type::column_major> by_columns = a;
  expect_values(from_xtensor(by_columns), {1, 2, 3, 4, 5, 6});
}

TEST_CASE("whole numbers of any width become int64") {
  const xt::xarray<std::int32_t> narrow{{1, -2}};
  const xt::xarray<std::uint8_t> bytes{200, 255};
  const xt::xarray<std::int64_t> wide{std::int64_t{1} << 60};
  const xt::xarray<bool> truths{true, false};
  CHECK(from_xtensor(narrow).dtype() == Dtype::int64);
  expect_values(from_xtensor(narrow), {1, -2});
  expect_values(from_xtensor(bytes), {200, 255});
  CHECK(from_xtensor(wide).data<std::int64_t>()[0] == std::int64_t{1} << 60);
  expect_values(from_xtensor(truths), {1, 0});
}

TEST_CASE("scalars and empty arrays keep their shape") {
  const xt::xarray<double> scalar = 3.5;
  CHECK(from_xtensor(scalar).shape() == Shape{});
  CHECK(from_xtensor(scalar).item() == 3.5);
  const xt::xarray<double> empty = xt::zeros<double>({2, 0, 3});
  CHECK(from_xtensor(empty).shape() == Shape{2, 0, 3});
}

TEST_CASE("a rank above the highest is refused") {
  const xt::xarray<double> deep = xt::zeros<double>({1, 1, 1, 1, 1, 1, 1});
  expect_error<ShapeError>([&] { from_xtensor(deep); }, {"rank 7", "6"});
}

TEST_CASE("xtensor sees a tensor without a copy") {
  const Tensor x = random({3, 4}, 1);
  const auto view = to_xtensor<double>(x);
  CHECK(&view(0, 0) == x.data<double>());
  CHECK(&view(2, 3) == x.data<double>() + 11);
  CHECK(shows(view, x));
}

TEST_CASE("xtensor sees views with their strides, and still without a copy") {
  const Tensor x = random({4, 6, 2}, 1);
  const std::array views{x.transpose(0, 1), x.permute(std::array{2, 0, 1}),
                         x.slice(1, 1, 5),  x.slice(1, 0, 6, 2),
                         x.select(2, 1),    x.select(0, 3).transpose(0, 1),
                         x.slice(0, 2, 3),  x.slice(1, 5, 6).slice(2, 1, 2),
                         x.unsqueeze(1)};
  for (const Tensor& view : views) {
    CAPTURE(to_string(view.shape()));
    const auto seen = to_xtensor<double>(view);
    CHECK(shows(seen, view));
    CHECK(seen.data() + seen.data_offset() == view.data<double>());
  }
}

TEST_CASE("xtensor computes with a tensor as with its own arrays") {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor turned = x.transpose(0, 1);
  expect_values(from_xtensor(to_xtensor<float>(turned) * 2.0F), {2, 8, 4, 10, 6, 12});
  CHECK(xt::sum(to_xtensor<float>(x))() == 21.0F);
  const Tensor expanded = Tensor::of<float>({1, 3}, {1, 2, 3}).broadcast_to({2, 3});
  expect_values(from_xtensor(to_xtensor<float>(x) - to_xtensor<float>(expanded)),
                {0, 0, 0, 3, 3, 3});
}

TEST_CASE("scalars, empty tensors and whole numbers can be seen too") {
  const Tensor scalar = Tensor::of<double>({}, {2.5});
  CHECK(to_xtensor<double>(scalar)() == 2.5);
  const Tensor empty = zeros({0, 3});
  CHECK(to_xtensor<float>(empty).size() == 0);
  const Tensor whole = arange(4);
  CHECK(to_xtensor<std::int64_t>(whole)(3) == 3);
}

TEST_CASE("a tensor is seen only in the type it has") {
  const Tensor x = zeros({2}, Dtype::float32);
  expect_error<DtypeError>([&] { to_xtensor<double>(x); }, {"float32", "float64"});
}

TEST_CASE("a tensor that is about to vanish cannot be seen") {
  CHECK_FALSE(TakesATemporary<float>);
  CHECK(
      std::is_invocable_v<decltype([](const Tensor& x) { return to_xtensor<float>(x); }), Tensor&>);
}

}  // namespace unroll::testing
