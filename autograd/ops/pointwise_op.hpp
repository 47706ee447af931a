#pragma once

#include <autograd/pointwise/pointwise.hpp>

namespace unroll::detail {

/// Like pointwise, but differentiable four times: compiled once in the library, the higher orders
/// cost users no compile time.
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
