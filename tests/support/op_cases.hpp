#pragma once

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sum.hpp>

#include <array>
#include <string>
#include <vector>

#include "elementwise_cases.hpp"
#include "linalg_cases.hpp"
#include "loss_cases.hpp"
#include "normalization_cases.hpp"
#include "numbers.hpp"
#include "op_case.hpp"
#include "rearrange_cases.hpp"
#include "reduction_cases.hpp"
#include "scan_cases.hpp"

namespace unroll::testing {

inline std::vector<OpCase> arithmetic_cases() {
  const Tensor a = random({3, 4}, 1);
  const Tensor b = random({3, 4}, 2, 0.5, 1.5);
  const Tensor column = random({3, 1}, 3, 0.5, 1.5);
  const Tensor row = random({1, 4}, 4, 0.5, 1.5);
  const Tensor vector = random({4}, 5, 0.5, 1.5);
  const Tensor scalar = random({}, 6, 0.5, 1.5);
  std::vector<OpCase> cases;
  const auto all_shapes = [&](const std::string& op, const DifferentiableFunction& f) {
    cases.push_back({op, "equal shapes", f, {a, b}});
    cases.push_back({op, "column by row", f, {column, row}});
    cases.push_back({op, "a lower rank", f, {a, vector}});
    cases.push_back({op, "a scalar", f, {scalar, b}});
    cases.push_back({op,
                     "strides",
                     [f](Inputs x) {
                       return f(std::array{transpose(x[0]), slice(x[1], 1, 0, 6, 2)});
                     },
                     {random({3, 4}, 7), random({4, 6}, 8, 0.5, 1.5)}});
    cases.push_back({op,
                     "one input twice",
                     [f](Inputs x) {
                       return f(std::array{x[0], x[0]});
                     },
                     {b}});
  };
  all_shapes("operator+", [](Inputs x) { return x[0] + x[1]; });
  all_shapes("operator-", [](Inputs x) { return x[0] - x[1]; });
  all_shapes("operator*", [](Inputs x) { return x[0] * x[1]; });
  all_shapes("operator/", [](Inputs x) { return x[0] / x[1]; });
  const auto one = [&](const std::string& op, const std::string& what, DifferentiableFunction f) {
    cases.push_back({op, what, std::move(f), {b}});
  };
  one("operator-", "negation", [](Inputs x) { return -x[0]; });
  one("operator+", "a number behind", [](Inputs x) { return x[0] + 0.7; });
  one("operator+", "a number before", [](Inputs x) { return 0.7 + x[0]; });
  one("operator-", "a number behind", [](Inputs x) { return x[0] - 0.7; });
  one("operator-", "a number before", [](Inputs x) { return 0.7 - x[0]; });
  one("operator*", "a number behind", [](Inputs x) { return x[0] * 0.7; });
  one("operator*", "a number before", [](Inputs x) { return 0.7 * x[0]; });
  one("operator/", "a number behind", [](Inputs x) { return x[0] / 0.7; });
  one("operator/", "a number before", [](Inputs x) { return 0.7 / x[0]; });
  return cases;
}

inline std::vector<OpCase> function_cases() {
  const Tensor positive = random({3, 5}, 11, 0.3, 2.0);
  const Tensor away_from_zero = Tensor::of<double>({2, 3}, {-1.7, -0.4, 0.2, 0.9, -0.3, 1.4});
  const Tensor any = random({3, 5}, 12, -2.0, 2.0);
  const Tensor apart = Tensor::of<double>({2, 3}, {0.4, -1.1, 0.7, 0.1, -1.2, 1.9});
  return {
      {"abs", "", [](Inputs x) { return abs(x[0]); }, {away_from_zero}},
      {"square", "", [](Inputs x) { return square(x[0]); }, {any}},
      {"sqrt", "", [](Inputs x) { return sqrt(x[0]); }, {positive}},
      {"exp", "", [](Inputs x) { return exp(x[0]); }, {any}},
      {"expm1", "", [](Inputs x) { return expm1(x[0]); }, {any}},
      {"log", "", [](Inputs x) { return log(x[0]); }, {positive}},
      {"log1p", "", [](Inputs x) { return log1p(x[0]); }, {positive}},
      {"sin", "", [](Inputs x) { return sin(x[0]); }, {any}},
      {"cos", "", [](Inputs x) { return cos(x[0]); }, {any}},
      {"tanh", "", [](Inputs x) { return tanh(x[0]); }, {any}},
      {"sigmoid", "", [](Inputs x) { return sigmoid(x[0]); }, {any}},
      {"softplus", "", [](Inputs x) { return softplus(x[0]); }, {any}},
      {"softplus",
       "at zero",
       [](Inputs x) { return softplus(x[0]); },
       {zeros({2}, Dtype::float64)}},
      {"relu", "", [](Inputs x) { return relu(x[0]); }, {away_from_zero}},
      {"pow", "a fraction", [](Inputs x) { return pow(x[0], 1.7); }, {positive}},
      {"pow", "a negative exponent", [](Inputs x) { return pow(x[0], -2.0); }, {positive}},
      {"pow", "a negative base", [](Inputs x) { return pow(x[0], 3.0); }, {away_from_zero}},
      {"pow", "of two", [](Inputs x) { return pow(x[0], x[1]); }, {positive, any}},
      {"pow",
       "of two, broadcast",
       [](Inputs x) { return pow(x[0], x[1]); },
       {positive, random({5}, 13, -1.0, 2.0)}},
      {"pow", "of a number", [](Inputs x) { return pow(1.7, x[0]); }, {any}},
      {"maximum", "", [](Inputs x) { return maximum(x[0], x[1]); }, {away_from_zero, apart}},
      {"maximum",
       "broadcast",
       [](Inputs x) { return maximum(x[0], x[1]); },
       {away_from_zero, Tensor::of<double>({2, 1}, {0.4, 0.6})}},
      {"minimum", "", [](Inputs x) { return minimum(x[0], x[1]); }, {away_from_zero, apart}},
      {"minimum",
       "broadcast",
       [](Inputs x) { return minimum(x[0], x[1]); },
       {away_from_zero, Tensor::of<double>({}, {0.4})}},
  };
}

// Each ends in a square, so that second derivatives are not merely zero.
inline std::vector<OpCase> layout_cases() {
  const Tensor x = random({3, 4}, 21);
  const Tensor cube = random({2, 3, 4}, 22);
  return {
      {"reshape",
       "",
       [](Inputs v) {
         return square(reshape(v[0], {2, -1}));
       },
       {x}},
      {"reshape",
       "of a transpose",
       [](Inputs v) {
         return square(reshape(transpose(v[0]), {2, 6}));
       },
       {x}},
      {"transpose", "", [](Inputs v) { return square(transpose(v[0])); }, {cube}},
      {"transpose", "outer axes", [](Inputs v) { return square(transpose(v[0], 0, -1)); }, {cube}},
      {"permute",
       "axes listed",
       [](Inputs v) {
         return square(permute(v[0], {2, 0, 1}));
       },
       {cube}},
      {"permute",
       "axes in an array",
       [](Inputs v) {
         const std::array axes{-2, -1, 0};
         return square(permute(v[0], std::span<const int>(axes)));
       },
       {cube}},
      {"unsqueeze", "", [](Inputs v) { return square(unsqueeze(v[0], 1)); }, {x}},
      {"unsqueeze", "from the end", [](Inputs v) { return square(unsqueeze(v[0], -1)); }, {x}},
      {"clone", "", [](Inputs v) { return square(clone(v[0])); }, {random({3, 2}, 22)}},
      {"squeeze", "", [](Inputs v) { return square(squeeze(v[0], -2)); }, {random({3, 1, 4}, 23)}},
      {"broadcast_to",
       "",
       [](Inputs v) {
         return square(broadcast_to(v[0], {2, 3, 4}));
       },
       {random({3, 1}, 24)}},
      {"sum_to",
       "",
       [](Inputs v) {
         return square(sum_to(v[0], {3, 1}));
       },
       {cube}},
      {"slice", "", [](Inputs v) { return square(slice(v[0], 1, 1, 3)); }, {cube}},
      {"slice", "a step", [](Inputs v) { return square(slice(v[0], -1, 1, 4, 2)); }, {cube}},
      {"slice", "from the end", [](Inputs v) { return square(slice(v[0], 2, -3, -1)); }, {cube}},
      {"slice",
       "overlapping slices",
       [](Inputs v) { return square(slice(v[0], 0, 0, 2)) * slice(v[0], 0, 1, 3); },
       {x}},
      {"select", "", [](Inputs v) { return square(select(v[0], 1, 2)); }, {cube}},
      {"select", "from the end", [](Inputs v) { return square(select(v[0], -1, -1)); }, {cube}},
      {"split",
       "unequal parts",
       [](Inputs v) {
         const std::array<Index, 3> sizes{1, 0, 3};
         const auto parts = split(v[0], sizes, 1);
         return square(parts[0]) * parts[2] + sum(parts[1]);
       },
       {x}},
      {"split",
       "equal parts",
       [](Inputs v) {
         const auto [a, b] = split<2>(v[0]);
         return square(a) * sin(b);
       },
       {x}},
      {"split",
       "parts of one column",
       [](Inputs v) {
         const auto [a, b, c, d] = split<4>(v[0]);
         return tanh(a) * b + c * d * d;
       },
       {x}},
      {"split",
       "parts of one column of a expanded row",
       [](Inputs v) {
         const auto [a, b, c, d] = split<4>(broadcast_to(v[0], {5, 4}));
         return a * b + c * d;
       },
       {random({4}, 29)}},
      {"split",
       "a part that is not used",
       [](Inputs v) {
         const auto [a, b] = split<2>(v[0]);
         return square(b);
       },
       {x}},
      {"concat",
       "parts listed",
       [](Inputs v) {
         return square(concat({v[0], v[1], v[0]}, 0));
       },
       {x, random({1, 4}, 25)}},
      {"concat",
       "parts in an array",
       [](Inputs v) { return square(concat(v)); },
       {x, random({3, 2}, 26)}},
      {"stack",
       "parts listed",
       [](Inputs v) {
         return square(stack({v[0], v[1], v[0]}, -1));
       },
       {x, random({3, 4}, 27)}},
      {"stack",
       "parts in an array",
       [](Inputs v) { return square(stack(v)); },
       {x, random({3, 4}, 28)}},
  };
}

inline std::vector<OpCase> sum_cases() {
  const Tensor cube = random({2, 3, 4}, 31);
  return {
      {"sum", "all", [](Inputs v) { return square(sum(v[0])); }, {cube}},
      {"sum",
       "some axes",
       [](Inputs v) {
         return square(sum(v[0], {0, -1}));
       },
       {cube}},
      {"sum", "axes kept", [](Inputs v) { return square(sum(v[0], {1}, true)); }, {cube}},
      {"mean", "all", [](Inputs v) { return square(mean(v[0])); }, {cube}},
      {"mean",
       "some axes",
       [](Inputs v) {
         return square(mean(v[0], {0, 2}));
       },
       {cube}},
      {"mean", "axes kept", [](Inputs v) { return square(mean(v[0], {-1}, true)); }, {cube}},
      {"softmax", "", [](Inputs v) { return softmax(v[0]); }, {random({3, 5}, 32, -2.0, 2.0)}},
      {"softmax", "a middle axis", [](Inputs v) { return softmax(v[0], 1); }, {cube}},
      {"log_softmax", "", [](Inputs v) { return log_softmax(v[0]); }, {random({3, 5}, 33)}},
      {"log_softmax", "the first axis", [](Inputs v) { return log_softmax(v[0], 0); }, {cube}},
      {"embedding",
       "a row twice",
       [](Inputs v) {
         return square(embedding(v[0], Tensor::of<std::int64_t>({2, 2}, {3, 0, 3, 1})));
       },
       {random({4, 3}, 35)}},
  };
}

inline std::vector<OpCase> product_cases() {
  const DifferentiableFunction multiply = [](Inputs v) { return matmul(v[0], v[1]); };
  const DifferentiableFunction apply = [](Inputs v) { return linear(v[0], v[1], v[2]); };
  return {
      {"matmul", "", multiply, {random({3, 4}, 41), random({4, 2}, 42)}},
      {"matmul", "one row", multiply, {random({1, 4}, 43), random({4, 2}, 44)}},
      {"matmul", "a matrix for all", multiply, {random({2, 3, 4}, 45), random({4, 2}, 46)}},
      {"matmul", "batches", multiply, {random({2, 3, 4}, 47), random({2, 4, 2}, 48)}},
      {"matmul",
       "batches that broadcast",
       multiply,
       {random({2, 1, 3, 2}, 49), random({3, 2, 2}, 50)}},
      {"matmul",
       "transposed",
       [](Inputs v) { return matmul(transpose(v[0]), transpose(v[1])); },
       {random({4, 3}, 51), random({2, 4}, 52)}},
      {"matmul",
       "one matrix, used three times",
       [](Inputs v) { return matmul(matmul(matmul(v[0], v[1]), v[1]), v[1]); },
       {random({2, 3}, 53), random({3, 3}, 54)}},
      {"linear", "", apply, {random({3, 4}, 55), random({2, 4}, 56), random({2}, 57)}},
      {"linear",
       "a bias for every row",
       apply,
       {random({2, 3, 4}, 66), random({5, 4}, 67), random({2, 1, 5}, 68)}},
      {"linear",
       "no bias",
       [](Inputs v) { return linear(v[0], v[1]); },
       {random({2, 2, 4}, 58), random({3, 4}, 59)}},
      {"linear", "a vector", apply, {random({4}, 60), random({2, 4}, 61), random({2}, 62)}},
      {"linear",
       "a recurrence",
       [](Inputs v) {
         Variable h = v[0];
         for (int t = 0; t < 3; ++t) h = tanh(linear(h, v[1], v[2]));
         return h;
       },
       {random({2, 3}, 63), random({3, 3}, 64), random({3}, 65)}},
  };
}

/// At least one case for every declaration in autograd/ops, which op_gradients_test makes sure of.
inline std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (const auto& group :
       {arithmetic_cases(), function_cases(), elementwise_cases(), layout_cases(), sum_cases(),
        reduction_cases(), product_cases(), loss_cases(), normalization_cases(), rearrange_cases(),
        index_cases(), contraction_cases(), convolution_cases(), linalg_cases(),
        linear_scan_cases(), complex_linear_scan_cases()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace unroll::testing
