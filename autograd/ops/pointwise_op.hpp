#pragma once

#include <autograd/pointwise/pointwise.hpp>

namespace unroll::detail {

/// Like pointwise, but differentiable four times, not twice like a user's lambda: compiled once in
/// the library, it costs users no compile time. Each order is a third more for the compiler.
template <class F, class... X>
auto elementwise(const char* name, const F& f, const X&... x) {
  return pointwise<4>(name, f, x...);
}

}  // namespace unroll::detail

// Defines the operation on a variable that a function of dual.hpp or functions.hpp makes, under the
// function's name. (Written this way round, it does not read like the declaration of one called
// `name`.)
#define UNROLL_ELEMENTWISE(name)                             \
  auto name(const Variable& x)->Variable {                   \
    return detail::elementwise(                              \
        #name, [](auto number) { return name(number); }, x); \
  }
