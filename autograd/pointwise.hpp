#pragma once

#include <autograd/dual.hpp>
#include <autograd/error.hpp>
#include <autograd/tape.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

/// Turns a C++ lambda over numbers into one fused, vectorised, differentiable operation on tensors.
namespace unroll {

namespace detail {

/// Runs a lambda over one row of every operand: `step` is 1, or 0 for an input that is the same all
/// along. An output that is null is computed but not stored.
using RowKernel = void (*)(const void* f, const void* const* in, const Index* step,
                           void* const* out, Index n);

struct PointwiseKernels {
  RowKernel float32;  ///< null: float32 inputs are converted, and the result is converted back
  RowKernel float64;
};

/// Checks dtypes, broadcasts, makes the outputs and runs the kernel over all rows. `wanted` has a
/// bit for each output that is to be made; one that is defined already is filled.
using Operands = std::span<const Tensor* const>;
void run_pointwise(const char* name, Operands inputs, std::span<Tensor> outputs,
                   std::uint32_t wanted, PointwiseKernels kernels, const void* f);

/// The same for the vjp of a lambda of `inputs`, and adds the terms. `arguments`: the inputs, then
/// the gradients of the outputs. `terms`: one undefined tensor an input.
void run_pointwise_vjp(const char* name, std::span<const Variable* const> arguments,
                       std::span<const Variable> inputs, std::span<Tensor> terms,
                       std::uint32_t wanted, PointwiseKernels kernels, const void* vjp,
                       BackwardPass& pass);

[[noreturn]] void throw_order(const char* name, int order);

// A lambda returns one number or a tuple-like of them; below it is always a tuple.
template <class Y>
auto as_tuple(const Y& y) {
  if constexpr (requires { std::tuple_size<Y>::value; })
    return std::apply([](const auto&... e) { return std::tuple(e...); }, y);
  else
    return std::tuple(y);
}

template <class Y>
struct OutputCount : std::integral_constant<int, 1> {};
template <class Y>
requires requires { std::tuple_size<Y>::value; }
struct OutputCount<Y> : std::integral_constant<int, static_cast<int>(std::tuple_size_v<Y>)> {};

template <int I, class X>
using Repeat = X;

template <class F, int N, class X>
struct ResultOf {
  template <int... I>
  static auto call(const F& f, std::integer_sequence<int, I...>)
      -> decltype(f(std::declval<Repeat<I, X>>()...));
  using type = decltype(call(std::declval<const F&>(), std::make_integer_sequence<int, N>{}));
};

template <class F, int N>
inline constexpr int output_count_v =
    OutputCount<typename ResultOf<F, N, Lanes<Vector<float>>>::type>::value;

/// One row: element type T, computed in lanes L. The last, partial vector is staged through a
/// buffer, so that the lambda is instantiated once.
template <class T, class L, class F, int N, int M>
void pointwise_row(const void* functor, const void* const* in, const Index* step, void* const* out,
                   Index n) {
  const F& f = *static_cast<const F*>(functor);
  constexpr Index kWidth = L::width();
  constexpr auto kLanes = static_cast<std::size_t>(kWidth);
  constexpr auto kInputs = static_cast<std::size_t>(N);
  constexpr auto kOutputs = static_cast<std::size_t>(M);
  std::array<const T*, kInputs> from;
  std::array<T*, kOutputs> to;
  std::array<Index, kInputs> mask;  // offset & mask: 0 for an input that does not advance
  alignas(memory::kAlignment) std::array<std::array<T, kLanes>, kInputs> in_buffer;
  alignas(memory::kAlignment) std::array<std::array<T, kLanes>, kOutputs> out_buffer;
  for (std::size_t i = 0; i < kInputs; ++i) {
    from[i] = static_cast<const T*>(in[i]);
    mask[i] = -step[i];
    if (step[i] == 0) {
      in_buffer[i].fill(*from[i]);
      from[i] = in_buffer[i].data();
    }
  }
  for (std::size_t k = 0; k < kOutputs; ++k) to[k] = static_cast<T*>(out[k]);

  for (Index at = 0; at < n; at += kWidth) {
    const bool partial = at + kWidth > n;
    Index offset = at;
    if (partial) [[unlikely]] {
      for (std::size_t i = 0; i < kInputs; ++i) {
        if (mask[i] == 0) continue;
        for (Index j = 0; j < kWidth; ++j)
          in_buffer[i][static_cast<std::size_t>(j)] = from[i][at + j < n ? at + j : n - 1];
        from[i] = in_buffer[i].data();
      }
      for (std::size_t k = 0; k < kOutputs; ++k)
        if (to[k]) to[k] = out_buffer[k].data();
      offset = 0;
    }
    [&]<std::size_t... I, std::size_t... K>(std::index_sequence<I...>, std::index_sequence<K...>) {
      const auto result = as_tuple(f(L::load(from[I] + (offset & mask[I]))...));
      ((to[K] ? L(std::get<K>(result)).store(to[K] + offset) : void()), ...);
    }
    (std::make_index_sequence<kInputs>{}, std::make_index_sequence<kOutputs>{});
    if (partial) [[unlikely]]
      for (std::size_t k = 0; k < kOutputs; ++k)
        for (Index j = 0; to[k] && j < n - at; ++j)
          static_cast<T*>(out[k])[at + j] = out_buffer[k][static_cast<std::size_t>(j)];
  }
}

/// The vector-Jacobian product of a lambda, itself a lambda: takes its N inputs and the gradients
/// of its M outputs, returns the gradients of the inputs.
template <class F, int N, int M>
struct PointwiseVjp {
  F f;

  // Nested duals of one expression must agree in type: below the first order they carry all
  // partials.
  template <class A, class... More>
  struct Common {
    using type = A;
  };
  template <class S, int K, std::uint32_t P, class... More>
  requires(!(std::is_same_v<Dual<S, K, P>, More> && ...)) struct Common<Dual<S, K, P>, More...> {
    using type = Dual<S, K, static_cast<std::uint32_t>((std::uint64_t{1} << K) - 1)>;
  };

  template <class... A>
  auto operator()(const A&... arguments) const {
    using S = typename Common<A...>::type;
    const std::array<S, sizeof...(A)> x{S(arguments)...};
    return [&]<int... I>(std::integer_sequence<int, I...>) {
      const auto outputs =
          as_tuple(f(Dual<S, N, (1U << I)>(x[static_cast<std::size_t>(I)], S(1.0))...));
      return std::array<S, static_cast<std::size_t>(N)>{
          partial<I>(outputs, x, std::make_integer_sequence<int, M>{})...};
    }
    (std::make_integer_sequence<int, N>{});
  }

 private:
  /// sum over the outputs of gradient * d output / d input
  template <int Input, class Outputs, class X, int... K>
  static auto partial(const Outputs& outputs, const X& x, std::integer_sequence<int, K...>) {
    using S = typename X::value_type;
    S sum(0.0);
    bool first = true;
    (
        [&] {
          using Y = std::tuple_element_t<static_cast<std::size_t>(K), Outputs>;
          if constexpr (is_dual_v<Y>) {
            if constexpr (Y::depends(Input)) {
              const S term = x[static_cast<std::size_t>(N + K)] *
                             std::get<static_cast<std::size_t>(K)>(outputs).d[Y::place(Input)];
              sum = first ? term : sum + term;
              first = false;
            }
          }
        }(),
        ...);
    return sum;
  }
};

template <class F, int N, int M, int Order>
constexpr PointwiseKernels pointwise_kernels() {
  // Second derivatives and higher are rare: one plain double version keeps a user's compile time
  // down.
  if constexpr (Order >= 2)
    return {nullptr, pointwise_row<double, Lanes<double>, F, N, M>};
  else
    return {pointwise_row<float, Lanes<Vector<float>>, F, N, M>,
            pointwise_row<double, Lanes<Vector<double>>, F, N, M>};
}

/// The operation: Order counts how often f has been differentiated already.
template <int Order, int MaxOrder, class F, std::size_t N>
auto apply_pointwise(const char* name, const F& f, const std::array<const Variable*, N>& x,
                     std::uint32_t wanted) {
  constexpr int kInputs = static_cast<int>(N);
  constexpr int kOutputs = output_count_v<F, kInputs>;
  constexpr auto M = static_cast<std::size_t>(kOutputs);
  std::array<const Tensor*, N> inputs;
  for (std::size_t i = 0; i < N; ++i) inputs[i] = &x[i]->value();
  std::array<Tensor, M> values;
  run_pointwise(name, inputs, values, wanted, pointwise_kernels<F, kInputs, kOutputs, Order>(), &f);
  std::array<Variable, M> outputs;
  for (std::size_t k = 0; k < M; ++k) outputs[k] = std::move(values[k]);
  if (!recording(name, std::span<const Variable* const>(x))) return outputs;

  std::array<Variable, N> saved;
  for (std::size_t i = 0; i < N; ++i) saved[i] = *x[i];
  auto rule = [name, f, saved = std::move(saved)](std::span<const Variable> gradients,
                                                  BackwardPass& pass) {
    if constexpr (Order >= MaxOrder) {
      throw_order(name, MaxOrder);
    } else {
      using Vjp = PointwiseVjp<F, static_cast<int>(N), static_cast<int>(M)>;
      std::array<const Variable*, N + M> arguments;
      std::uint32_t needed = 0;
      for (std::size_t i = 0; i < N; ++i) {
        arguments[i] = &saved[i];
        if (pass.wants(saved[i])) needed |= 1U << i;
      }
      Variable zero;
      for (std::size_t k = 0; k < M; ++k) {
        arguments[N + k] = &gradients[k];
        if (gradients[k].defined()) continue;
        if (!zero.defined()) zero = zeros({}, saved[0].dtype());
        arguments[N + k] = &zero;
      }
      if (pass.differentiable()) {
        auto terms = apply_pointwise<Order + 1, MaxOrder>(name, Vjp{f}, arguments, needed);
        for (std::size_t i = 0; i < N; ++i)
          if (pass.wants(saved[i])) pass.add(saved[i], std::move(terms[i]));
      } else {
        const Vjp vjp{f};
        std::array<Tensor, N> terms;
        run_pointwise_vjp(
            name, arguments, saved, terms, needed,
            pointwise_kernels<Vjp, static_cast<int>(N + M), static_cast<int>(N), Order + 1>(), &vjp,
            pass);
      }
    }
  };
  record(name, std::span<Variable>(outputs), std::move(rule));
  return outputs;
}

inline const Variable& as_variable(const Variable& x) { return x; }
template <class X>
Variable as_variable(const X& x) {
  return x;
}

}  // namespace detail

/// y = f(x...), element by element, as one pass over memory. `f` is a generic lambda over numbers
/// that uses + - * /, comparisons with where(), and the functions of dual.hpp, and returns one
/// number or a std::tuple, std::pair or std::array of them. It may capture constants, by value: it
/// runs again in the backward pass, when the caller's locals are gone.
///
///     auto [h, c] = pointwise([](auto i, auto f, auto g, auto o, auto c) {
///       auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
///       return std::pair{sigmoid(o) * tanh(next), next};
///     }, i, f, g, o, cell);
///
/// x: any shapes that broadcast, one floating dtype. Returns a Variable, or a std::array of
/// Variables when f returns several numbers. The derivative is found by the compiler and is itself
/// such an operation, up to MaxOrder; only the inputs are saved. An operation, and each derivative
/// of it that is used, may have 32 inputs and outputs together; the first derivative of M results
/// has 2N + M. Throws ShapeError, DtypeError, ArgumentError.
template <int MaxOrder = 2, class F, class... X>
auto pointwise(const char* name, const F& f, const X&... x) {
  static_assert(sizeof...(X) >= 1, "pointwise needs at least one tensor");
  static_assert(sizeof...(X) <= 15,
                "pointwise takes at most 15 tensors: its derivative has 2N + M operands of 32");
  const auto apply = [&](const auto&... inputs) {
    return detail::apply_pointwise<0, MaxOrder>(
        name, f, std::array<const Variable*, sizeof...(X)>{&inputs...}, ~0U);
  };
  auto outputs = apply(detail::as_variable(x)...);
  if constexpr (std::tuple_size_v<decltype(outputs)> == 1)
    return std::move(outputs[0]);
  else
    return outputs;
}
template <int MaxOrder = 2, class F, class... X>
requires(!std::is_convertible_v<F, const char*>) auto pointwise(const F& f, const X&... x) {
  return pointwise<MaxOrder>("pointwise", f, x...);
}

}  // namespace unroll
