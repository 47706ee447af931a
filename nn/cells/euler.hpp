#pragma once

#include <nn/recurrent/cell.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace unroll::nn {

/// The right-hand side of ds/dt = g(s, t, x): `s: [B,N]`, `t: [B,1]`, `x: [B,I]` to `[B,N]`.
using Derivative = std::function<Variable(const Variable& s, const Variable& t, const Variable& x)>;

struct EulerOptions {
  double step = 0.1;   ///< h, the stepsize
  double start = 0.0;  ///< t before the first step
};

/// Euler's method as a recurrent network, the step of a residual network or a neural ODE (Chen et
/// al., Neural ordinary differential equations, 2018): any g becomes a cell.
///
///     s(t+h) = s(t) + h g(s(t), t, x)
///
/// State {s: [B,N], t: [B,1]}, output s. A g that is a Module has its parameters listed, and
/// trained, as `g.<name>`. For a system without input, x has one column that g ignores.
///
///     Euler oscillator(1, 1, [](auto& s, auto& t, auto&) { return cos(t) - s; }, {.step = 0.01});
class Euler : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, the step is 0 or not finite, or g is empty.
  template <class G>
  requires std::is_invocable_r_v<Variable, const G&, const Variable&, const Variable&,
                                 const Variable&>
  Euler(Index inputs, Index units, G g, const EulerOptions& options = {})
      : Cell(inputs, {units, 1}), options_(checked(options)) {
    if constexpr (std::derived_from<G, Module>) add("g", g);
    g_ = checked(std::move(g));
  }

  State initial_state(Index batch, Dtype dtype) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  static EulerOptions checked(const EulerOptions& options);
  static Derivative checked(Derivative g);

  EulerOptions options_;
  Derivative g_;
};

}  // namespace unroll::nn
