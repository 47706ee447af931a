#pragma once

#include <autograd/ops/activation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/special.hpp>
#include <autograd/ops/trigonometric.hpp>

#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

inline std::vector<OpCase> trigonometric_cases() {
  const Tensor any = random({3, 5}, 71, -1.2, 1.2);
  const Tensor inside = random({3, 5}, 72, -0.8, 0.8);
  const Tensor above_one = random({3, 5}, 73, 1.2, 3.0);
  const Tensor away_from_zero = Tensor::of<double>({2, 3}, {-1.7, -0.4, 0.2, 0.9, -0.3, 1.4});
  const Tensor column = Tensor::of<double>({2, 1}, {0.5, -0.6});
  return {
      {"tan", "", [](Inputs x) { return tan(x[0]); }, {any}},
      {"asin", "", [](Inputs x) { return asin(x[0]); }, {inside}},
      {"acos", "", [](Inputs x) { return acos(x[0]); }, {inside}},
      {"atan", "", [](Inputs x) { return atan(x[0]); }, {any}},
      {"sinh", "", [](Inputs x) { return sinh(x[0]); }, {any}},
      {"cosh", "", [](Inputs x) { return cosh(x[0]); }, {any}},
      {"asinh", "", [](Inputs x) { return asinh(x[0]); }, {any}},
      {"acosh", "", [](Inputs x) { return acosh(x[0]); }, {above_one}},
      {"atanh", "", [](Inputs x) { return atanh(x[0]); }, {inside}},
      {"atan2", "", [](Inputs x) { return atan2(x[0], x[1]); }, {away_from_zero, column}},
      {"hypot", "", [](Inputs x) { return hypot(x[0], x[1]); }, {away_from_zero, column}},
  };
}

inline std::vector<OpCase> special_cases() {
  const Tensor positive = random({3, 5}, 74, 0.3, 2.0);
  const Tensor away_from_zero = Tensor::of<double>({2, 3}, {-1.7, -0.4, 0.2, 0.9, -0.3, 1.4});
  const Tensor any = random({3, 5}, 75, -2.0, 2.0);
  return {
      {"reciprocal", "", [](Inputs x) { return reciprocal(x[0]); }, {away_from_zero}},
      {"rsqrt", "", [](Inputs x) { return rsqrt(x[0]); }, {positive}},
      {"cbrt", "", [](Inputs x) { return cbrt(x[0]); }, {away_from_zero}},
      {"exp2", "", [](Inputs x) { return exp2(x[0]); }, {any}},
      {"log2", "", [](Inputs x) { return log2(x[0]); }, {positive}},
      {"log10", "", [](Inputs x) { return log10(x[0]); }, {positive}},
      {"erf", "", [](Inputs x) { return erf(x[0]); }, {any}},
      {"erfc", "", [](Inputs x) { return erfc(x[0]); }, {any}},
      {"lgamma", "", [](Inputs x) { return lgamma(x[0]); }, {positive}},
      {"lgamma", "negative numbers", [](Inputs x) { return lgamma(x[0]); }, {away_from_zero}},
  };
}

inline std::vector<OpCase> activation_cases() {
  const Tensor any = random({3, 5}, 76, -2.0, 2.0);
  const Tensor away_from_zero = Tensor::of<double>({2, 3}, {-1.7, -0.4, 0.2, 0.9, -0.3, 1.4});
  const Tensor slopes = Tensor::of<double>({3}, {0.3, -0.2, 0.7});
  const Tensor all_pieces = Tensor::of<double>({5}, {-4.0, -2.1, 0.3, 2.5, 3.8});
  return {
      {"log_sigmoid", "", [](Inputs x) { return log_sigmoid(x[0]); }, {any}},
      {"softsign", "", [](Inputs x) { return softsign(x[0]); }, {away_from_zero}},
      {"leaky_relu", "", [](Inputs x) { return leaky_relu(x[0], 0.2); }, {away_from_zero}},
      {"prelu", "", [](Inputs x) { return prelu(x[0], x[1]); }, {away_from_zero, slopes}},
      {"elu", "", [](Inputs x) { return elu(x[0], 0.7); }, {away_from_zero}},
      {"celu", "", [](Inputs x) { return celu(x[0], 0.7); }, {away_from_zero}},
      {"selu", "", [](Inputs x) { return selu(x[0]); }, {away_from_zero}},
      {"gelu", "exact", [](Inputs x) { return gelu(x[0]); }, {any}},
      {"gelu", "by tanh", [](Inputs x) { return gelu(x[0], Gelu::tanh); }, {any}},
      {"silu", "", [](Inputs x) { return silu(x[0]); }, {any}},
      {"mish", "", [](Inputs x) { return mish(x[0]); }, {any}},
      {"hard_sigmoid", "", [](Inputs x) { return square(hard_sigmoid(x[0])); }, {all_pieces}},
      {"hard_tanh", "", [](Inputs x) { return square(hard_tanh(x[0], -2, 3)); }, {all_pieces}},
  };
}

inline std::vector<OpCase> piecewise_cases() {
  const Tensor x = Tensor::of<double>({2, 3}, {-4.3, -2.1, 0.3, 2.4, -1.2, 3.8});
  const Tensor y = Tensor::of<double>({3}, {1.1, -0.8, 0.9});
  const Tensor condition = Tensor::of<std::int64_t>({2, 1}, {0, 7});
  // Steps are added to something that is not flat.
  return {
      {"floor", "", [](Inputs v) { return square(v[0]) * floor(v[0]); }, {x}},
      {"ceil", "", [](Inputs v) { return square(v[0]) * ceil(v[0]); }, {x}},
      {"round", "", [](Inputs v) { return square(v[0]) * round(v[0]); }, {x}},
      {"sign", "", [](Inputs v) { return square(v[0]) * sign(v[0]); }, {x}},
      {"clamp", "", [](Inputs v) { return square(clamp(v[0], -2, 3)); }, {x}},
      {"fmod", "", [](Inputs v) { return square(fmod(v[0], v[1])); }, {x, y}},
      {"lerp",
       "small and large weights",
       [](Inputs v) { return lerp(v[0], v[1], v[2]); },
       {x, y, Tensor::of<double>({2, 1}, {0.2, 0.8})}},
      {"lerp", "a number", [](Inputs v) { return square(lerp(v[0], v[1], 0.3)); }, {x, y}},
      {"where", "", [condition](Inputs v) { return square(where(condition, v[0], v[1])); }, {x, y}},
      {"where",
       "a constant for b",
       [condition](Inputs v) { return square(where(condition, v[0], 0.5)); },
       {x}},
      {"where",
       "a constant for a",
       [condition](Inputs v) { return square(where(condition, 0.5, v[0])); },
       {y}},
  };
}

/// At least one case for every declaration in the headers above but elementwise.hpp.
inline std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> all;
  for (const auto& group :
       {trigonometric_cases(), special_cases(), activation_cases(), piecewise_cases()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace unroll::testing
