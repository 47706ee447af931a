#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unroll {

/// Element type of a tensor, known at run time: the model that trains in float32 is checked in
/// float64.
enum class Dtype : std::uint8_t { float32, float64, int64 };

/// Bytes of an element.
constexpr std::size_t size_of(Dtype dtype) { return dtype == Dtype::float32 ? 4 : 8; }
/// True for float32 and float64, which have gradients.
constexpr bool is_floating(Dtype dtype) { return dtype != Dtype::int64; }

/// "float32", "float64" or "int64".
constexpr std::string_view to_string(Dtype dtype) {
  switch (dtype) {
    case Dtype::float32:
      return "float32";
    case Dtype::float64:
      return "float64";
    case Dtype::int64:
      return "int64";
  }
  return "unknown";
}

/// True for the element types of tensors: float, double and std::int64_t.
template <class T>
inline constexpr bool is_element_v = false;
template <>
inline constexpr bool is_element_v<float> = true;
template <>
inline constexpr bool is_element_v<double> = true;
template <>
inline constexpr bool is_element_v<std::int64_t> = true;

/// The dtype of an element type.
template <class T>
constexpr Dtype dtype_of() {
  static_assert(is_element_v<T>, "a tensor holds float, double or std::int64_t");
  if constexpr (sizeof(T) == 4)
    return Dtype::float32;
  else if constexpr (static_cast<T>(0.5) != T(0))
    return Dtype::float64;
  else
    return Dtype::int64;
}

/// Calls `f(T{})` with the element type of a floating dtype. The caller has refused int64 before.
template <class F>
decltype(auto) dispatch_floating(Dtype dtype, F&& f) {
  return dtype == Dtype::float32 ? f(float{}) : f(double{});
}

/// Calls `f(T{})` with the element type of any dtype.
template <class F>
decltype(auto) dispatch(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::float32:
      return f(float{});
    case Dtype::float64:
      return f(double{});
    case Dtype::int64:
      break;
  }
  return f(std::int64_t{});
}

}  // namespace unroll
