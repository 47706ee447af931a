#pragma once

#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace unroll::nn {

/// A function of one tensor that keeps its shape: `tanh`, `relu`, `sigmoid`, or a lambda, as
/// `[slope](const Variable& x) { return leaky_relu(x, slope); }`.
class Activation {
 public:
  /// Throws ArgumentError for a null pointer or an empty function.
  Activation(Variable (*function)(const Variable&)) : function_(checked(function)) {}
  template <class F>
  requires(!std::same_as<F, Activation> && std::is_class_v<F> &&
           std::is_invocable_r_v<Variable, const F&, const Variable&>) Activation(F function)
      : function_(checked(std::move(function))) {}

  Variable operator()(const Variable& x) const { return function_(x); }

 private:
  using Function = std::function<Variable(const Variable&)>;
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
