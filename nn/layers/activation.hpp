#pragma once

#include <autograd/ops/activation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace unroll::nn {

/// A function of one tensor that keeps its shape: `tanh`, `relu`, `sigmoid`, `gelu`, `softmax`, or
/// a lambda where there are arguments to choose, as `[slope](const Variable& x) { return
/// leaky_relu(x, slope); }`.
class Activation {
 public:
  /// Throws ArgumentError for a null pointer or an empty function.
  Activation(Variable (*function)(const Variable&)) : function_(checked(function)) {}
  /// `gelu`, exact.
  Activation(Variable (*function)(const Variable&, Gelu))
      : function_(checked(with(function, Gelu::exact))) {}
  /// `softmax`, `log_softmax` and others along an axis: along the last.
  Activation(Variable (*function)(const Variable&, int axis))
      : function_(checked(with(function, -1))) {}
  Activation(std::nullptr_t) : function_(checked({})) {}
  template <class F>
  requires(!std::same_as<F, Activation> && std::is_class_v<F> &&
           std::is_invocable_r_v<Variable, const F&, const Variable&>) Activation(F function)
      : function_(checked(std::move(function))) {}

  Variable operator()(const Variable& x) const { return function_(x); }

 private:
  using Function = std::function<Variable(const Variable&)>;
  template <class Argument>
  static Function with(Variable (*function)(const Variable&, Argument), Argument argument) {
    if (!function) return {};
    return [function, argument](const Variable& x) { return function(x, argument); };
  }
  static Function checked(Function function) {
    if (!function)
      throw ArgumentError(
          "activation: there is no function; give one, as tanh, or linear_activation");
    return function;
  }

  Function function_;
};

/// The activation of a linear unit.
inline Variable linear_activation(const Variable& x) { return x; }

}  // namespace unroll::nn
