#pragma once

#include <autograd/tape/parameter.hpp>
#include <autograd/tape/variable.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Derivatives of functions, as functions. Each runs f once and differentiates the run. If no tape
/// is alive, it uses a tape of its own and returns constants. Otherwise it records its work on that
/// tape: results can be differentiated again, with respect to anything that f used, and derivatives
/// nest. Derivatives are partial: an input that was computed from another input counts as
/// independent. Inputs: float32 or float64; capture integers in f. Exceptions of f pass through.
/// Throws DtypeError for other inputs, and ShapeError where sizes do not match.
namespace unroll {

/// A function of some tensors, written with operations on variables.
using DifferentiableFunction = std::function<Variable(std::span<const Variable>)>;

template <class F>
concept FunctionOfOne = std::is_invocable_r_v<Variable, const F&, const Variable&>;

struct Vjp {
  Variable value;                   ///< f(inputs)
  std::vector<Variable> gradients;  ///< seed^T J, one of the shape of each input
};
/// Vector-Jacobian product, by one backward pass. `seed`: of the shape and dtype of the result.
Vjp vjp(const DifferentiableFunction& f, const std::vector<Variable>& inputs, const Variable& seed);

/// The gradient of a function whose result has one element, for each input.
std::vector<Variable> grad(const DifferentiableFunction& f, const std::vector<Variable>& inputs);

struct Jvp {
  Variable value;    ///< f(inputs)
  Variable tangent;  ///< J t, of the shape of the value
};
/// Jacobian-vector product: how f changes when the inputs move along the tangents, one of the shape
/// of each input. It needs no derivatives of its own: the vjp is linear in its seed, and J is
/// the derivative of u -> u^T J by u. Costs two backward passes.
Jvp jvp(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
        const std::vector<Variable>& tangents);

enum class JacobianMode {
  reverse,  ///< a backward pass for each element of the result
  forward,  ///< a backward pass for each element of the inputs, as in jvp
};
/// d f / d input for each input: `[result shape..., input shape...]`. Throws ShapeError when that
/// has more than kMaxRank axes.
std::vector<Variable> jacobian(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
                               JacobianMode mode = JacobianMode::reverse);

/// Second derivatives of a function whose result has one element: at [i][j] those by input i, then
/// by input j, `[shape of i..., shape of j...]`.
std::vector<std::vector<Variable>> hessian(const DifferentiableFunction& f,
                                           const std::vector<Variable>& inputs);

/// Hessian-vector product for a function whose result has one element, without the Hessian: the
/// gradient of <gradient, directions>. Costs two backward passes.
std::vector<Variable> hvp(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
                          const std::vector<Variable>& directions);

/// The same for a loss as a function of parameters, on a tape of its own: `hvp([&] { return
/// cross_entropy(model(x), y); }, model.parameters(), directions)`. Zeros for a parameter that the
/// loss does not use.
std::vector<Tensor> hvp(const std::function<Variable()>& loss,
                        const std::vector<Parameter>& parameters,
                        const std::vector<Tensor>& directions);

/// The value as a constant, no gradient flows through it: another name for detach. gradcheck
/// recognises a derivative that differs only because of it.
inline Variable stop_gradient(const Variable& x) { return detach(x); }

/// x, with a function that the backward pass calls once with the complete gradient of what
/// on_gradient returned; what it returns goes on to x in its place. To clip, scale, reverse or look
/// at gradients inside a network. `hook`: must return a variable of the gradient's shape and dtype,
/// which throws ShapeError or DtypeError otherwise, or one that is undefined, which leaves the
/// gradient alone. Written with operations on variables it is differentiable.
///
///     h = on_gradient(h, [](const Variable& g) { return clamp(g, -1.0, 1.0); });
Variable on_gradient(const Variable& x, std::function<Variable(const Variable&)> hook);
/// The same for a function that only looks.
template <std::invocable<const Variable&> F>
requires std::is_void_v<std::invoke_result_t<F&, const Variable&>> Variable
on_gradient(const Variable& x, F look) {
  return on_gradient(x, [look = std::move(look)](const Variable& g) mutable {
    look(g);
    return Variable();
  });
}

// Functions of one variable.

namespace detail {
template <FunctionOfOne F>
DifferentiableFunction of_one(const F& f) {
  return [f](std::span<const Variable> inputs) -> Variable { return f(inputs[0]); };
}
}  // namespace detail

template <FunctionOfOne F>
Variable grad(const F& f, const Variable& x) {
  return grad(detail::of_one(f), std::vector{x})[0];
}
template <FunctionOfOne F>
Variable vjp(const F& f, const Variable& x, const Variable& seed) {
  return vjp(detail::of_one(f), std::vector{x}, seed).gradients[0];
}
template <FunctionOfOne F>
Variable jvp(const F& f, const Variable& x, const Variable& tangent) {
  return jvp(detail::of_one(f), std::vector{x}, std::vector{tangent}).tangent;
}
template <FunctionOfOne F>
Variable jacobian(const F& f, const Variable& x, JacobianMode mode = JacobianMode::reverse) {
  return jacobian(detail::of_one(f), std::vector{x}, mode)[0];
}
template <FunctionOfOne F>
Variable hessian(const F& f, const Variable& x) {
  return hessian(detail::of_one(f), std::vector{x})[0][0];
}
template <FunctionOfOne F>
Variable hvp(const F& f, const Variable& x, const Variable& direction) {
  return hvp(detail::of_one(f), std::vector{x}, std::vector{direction})[0];
}

}  // namespace unroll
