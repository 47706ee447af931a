#pragma once

/// Opt-in: xtensor takes about ten seconds to compile, so nothing else of the library includes it.
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/tensor.hpp>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xexpression.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xoperation.hpp>
#include <xtensor/xstrided_view.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace unroll {

/// Evaluates any xtensor expression into a tensor. Its value type must be float, double, or an
/// integer, which becomes int64. Throws ShapeError above the highest supported rank.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  using Value = std::remove_cv_t<typename E::value_type>;
  static_assert(
      std::is_same_v<Value, float> || std::is_same_v<Value, double> || std::is_integral_v<Value>,
      "from_xtensor takes expressions of float, double or integers");
  using Element = std::conditional_t<std::is_integral_v<Value>, std::int64_t, Value>;
  const E& source = expression.derived_cast();
  std::vector<Index> sizes(source.shape().begin(), source.shape().end());
  Tensor tensor = Tensor::empty(Shape(std::span<const Index>(sizes)), dtype_of<Element>());
  auto target = xt::adapt(tensor.in_place<Element>(), static_cast<std::size_t>(tensor.size()),
                          xt::no_ownership(), std::vector<std::size_t>(sizes.begin(), sizes.end()));
  xt::noalias(target) = xt::cast<Element>(source);
  return tensor;
}

/// A read-only xtensor view of a tensor, any strides, without a copy. It refers to the tensor's
/// buffer: keep the tensor alive while it is used. Throws DtypeError unless T is the element type.
template <class T>
auto to_xtensor(const Tensor& tensor) {
  const std::vector<std::size_t> shape(tensor.shape().begin(), tensor.shape().end());
  std::vector<std::ptrdiff_t> strides(tensor.strides().begin(), tensor.strides().end());
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == 1) strides[axis] = 0;  // as xtensor wants it
  // The size must be that of the shape, although a view with gaps reaches further.
  const auto size = static_cast<std::size_t>(tensor.size());
  return xt::adapt(tensor.data<T>(), size, xt::no_ownership(), shape, strides);
}
template <class T>
auto to_xtensor(Tensor&&) = delete;  // the buffer would be gone at once

}  // namespace unroll
