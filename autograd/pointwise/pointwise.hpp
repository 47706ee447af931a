#pragma once

#include <autograd/pointwise/functions.hpp>
#include <autograd/tape/variable.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

/// Turns a C++ lambda over numbers into one fused, vectorised, differentiable operation on tensors.
namespace unroll {

namespace detail {

using lambda::Dual;
using lambda::Lanes;
using lambda::Vector;

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

/// A lambda with its derivatives, for code that is not compiled for each lambda.
struct PointwiseFunction {
  struct Order {
    PointwiseKernels kernels;
    std::size_t inputs;
    std::size_t outputs;
  };
  std::span<const Order> orders;  ///< f, its vjp, the vjp of that, and so on
  std::size_t bytes, alignment;   ///< of f
  void (*copy)(const void* f, void* to);
  void (*destroy)(void* f) noexcept;
};

/// Puts the operation on the tape, unless all inputs are constants. All derivatives hold f alone,
/// so one address serves them all.
void record_pointwise(const char* name, const PointwiseFunction& function, const void* f,
                      std::span<const Variable* const> inputs, std::span<Variable> outputs);

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
constexpr bool takes_any_number() {
  return []<int... I>(std::integer_sequence<int, I...>) {
    return std::is_invocable_v<const F&, Repeat<I, Lanes<Vector<float>>>...>;
  }
  (std::make_integer_sequence<int, N>{});
}

template <class Y>
inline constexpr bool are_numbers_v = lambda::detail::PointwiseOperand<Y>;
template <class... Y>
inline constexpr bool are_numbers_v<std::tuple<Y...>> = (lambda::detail::PointwiseOperand<Y> &&
                                                         ...);
template <class A, class B>
inline constexpr bool are_numbers_v<std::pair<A, B>> =
    lambda::detail::PointwiseOperand<A>&& lambda::detail::PointwiseOperand<B>;
template <class Y, std::size_t M>
inline constexpr bool are_numbers_v<std::array<Y, M>> = lambda::detail::PointwiseOperand<Y>;

template <class F, int N>
constexpr bool returns_numbers() {
  return are_numbers_v<typename ResultOf<F, N, Lanes<double>>::type>;
}

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
        in_buffer[i].fill(from[i][n - 1]);
        std::copy(from[i] + at, from[i] + n, in_buffer[i].begin());
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
          if constexpr (lambda::detail::is_dual_v<Y>) {
            if constexpr (Y::depends(Input)) {
              // An output of gradient 0 does not count, even where its slope is infinite or none:
              // where(x > 0, log(x), 0) has the slope 0 at 0 whichever way it is written.
              const S term =
                  weighted(x[static_cast<std::size_t>(N + K)],
                           std::get<static_cast<std::size_t>(K)>(outputs).d[Y::place(Input)]);
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

template <class F, int N, int M, int Order, std::size_t Orders>
constexpr void add_orders(std::array<PointwiseFunction::Order, Orders>& orders) {
  orders[Order] = {pointwise_kernels<F, N, M, Order>(), N, M};
  if constexpr (Order + 1 < static_cast<int>(Orders)) {
    using Vjp = PointwiseVjp<F, N, M>;
    static_assert(sizeof(Vjp) == sizeof(F));
    add_orders<Vjp, N + M, N, Order + 1>(orders);
  }
}

template <class F, int N, int M, int MaxOrder>
struct PointwiseFunctionOf {
  static constexpr auto orders = [] {
    std::array<PointwiseFunction::Order, static_cast<std::size_t>(MaxOrder) + 1> all{};
    add_orders<F, N, M, 0>(all);
    return all;
  }();
  static constexpr PointwiseFunction function{
      orders, sizeof(F), alignof(F),
      [](const void* f, void* to) { new (to) F(*static_cast<const F*>(f)); },
      [](void* f) noexcept { static_cast<F*>(f)->~F(); }};
};

template <int MaxOrder, class F, std::size_t N>
auto apply_pointwise(const char* name, const F& f, const std::array<const Variable*, N>& x) {
  constexpr int kInputs = static_cast<int>(N);
  constexpr int kOutputs = output_count_v<F, kInputs>;
  constexpr auto M = static_cast<std::size_t>(kOutputs);
  std::array<const Tensor*, N> inputs;
  for (std::size_t i = 0; i < N; ++i) inputs[i] = &x[i]->value();
  std::array<Tensor, M> values;
  run_pointwise(name, inputs, values, ~0U, pointwise_kernels<F, kInputs, kOutputs, 0>(), &f);
  std::array<Variable, M> outputs;
  for (std::size_t k = 0; k < M; ++k) outputs[k] = std::move(values[k]);
  record_pointwise(name, PointwiseFunctionOf<F, kInputs, kOutputs, MaxOrder>::function, &f, x,
                   outputs);
  return outputs;
}

inline const Variable& as_variable(const Variable& x) { return x; }
template <class X>
Variable as_variable(const X& x) {
  return x;
}

}  // namespace detail

// Refused: a tensor beside a number of the lambda, captured where it should be an argument.
#define UNROLL_NOT_AN_ARGUMENT(op)                                                         \
  template <class A, class B>                                                              \
  requires((lambda::PointwiseNumber<A> && std::is_convertible_v<const B&, Variable>) ||    \
           (lambda::PointwiseNumber<B> && std::is_convertible_v<const A&, Variable>)) auto \
  operator op(const A& a, const B& b) {                                                    \
    static_assert(lambda::detail::never_v<A>,                                              \
                  "a pointwise lambda cannot use a tensor that it captures: hand it to "   \
                  "pointwise as one more argument");                                       \
    if constexpr (lambda::PointwiseNumber<A>)                                              \
      return a;                                                                            \
    else                                                                                   \
      return b;                                                                            \
  }
UNROLL_NOT_AN_ARGUMENT(+)
UNROLL_NOT_AN_ARGUMENT(-)
UNROLL_NOT_AN_ARGUMENT(*)
UNROLL_NOT_AN_ARGUMENT(/)
#undef UNROLL_NOT_AN_ARGUMENT

/// y = f(x...), element by element, as one pass over memory. `f` is a generic lambda over numbers
/// that uses + - * /, comparisons with where(), and the functions of dual.hpp and functions.hpp,
/// and returns one number or a std::tuple, std::pair or std::array of them. It may capture
/// constants, by value: it runs again in the backward pass, when the caller's locals are gone.
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
  // The compiler's messages lead with the reason where a lambda does not fit.
  constexpr int kInputs = static_cast<int>(sizeof...(X));
  constexpr bool takes_any_number = detail::takes_any_number<F, kInputs>();
  static_assert(
      takes_any_number,
      "the lambda of pointwise must take as many arguments as pointwise is given tensors, "
      "each of them auto, and must not be mutable");
  if constexpr (takes_any_number) {
    static_assert(
        detail::returns_numbers<F, kInputs>(),
        "the lambda of pointwise must return a number, or a std::tuple, std::pair or "
        "std::array of numbers; a condition becomes one by where(condition, 1.0, 0.0 * x)");
    const auto apply = [&](const auto&... inputs) {
      return detail::apply_pointwise<MaxOrder>(
          name, f, std::array<const Variable*, sizeof...(X)>{&inputs...});
    };
    auto outputs = apply(detail::as_variable(x)...);
    if constexpr (std::tuple_size_v<decltype(outputs)> == 1)
      return std::move(outputs[0]);
    else
      return outputs;
  }
}
template <int MaxOrder = 2, class F, class... X>
requires(!std::is_convertible_v<F, const char*>) auto pointwise(const F& f, const X&... x) {
  return pointwise<MaxOrder>("pointwise", f, x...);
}

}  // namespace unroll
