#pragma once

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/scans.hpp>

#include <limits>
#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

/// Each ends in something curved, so that second derivatives are not merely zero.
inline std::vector<OpCase> reduction_cases() {
  const Tensor cube = random({2, 3, 4}, 81, 0.5, 1.5);
  const Tensor mixed = random({2, 3, 4}, 82, -2.0, 2.0);
  const Tensor with_zeros = Tensor::of<double>({2, 3}, {0.0, -0.4, 1.2, 0.0, 0.9, 0.0});
  const double infinity = std::numeric_limits<double>::infinity();
  return {
      {"prod", "all", [](Inputs v) { return square(prod(v[0])); }, {cube}},
      {"prod",
       "some axes",
       [](Inputs v) {
         return prod(v[0], {0, -1});
       },
       {mixed}},
      {"prod", "zeros", [](Inputs v) { return prod(v[0], {1}, true); }, {with_zeros}},
      {"max", "all", [](Inputs v) { return square(max(v[0])); }, {mixed}},
      {"max",
       "some axes",
       [](Inputs v) {
         return square(max(v[0], {0, -1}));
       },
       {mixed}},
      {"min", "all", [](Inputs v) { return square(min(v[0])); }, {mixed}},
      {"min", "an axis, kept", [](Inputs v) { return square(min(v[0], {1}, true)); }, {mixed}},
      {"variance", "all", [](Inputs v) { return square(variance(v[0])); }, {mixed}},
      {"variance",
       "some axes, not corrected",
       [](Inputs v) {
         return square(variance(v[0], {0, 2}, false, 0));
       },
       {mixed}},
      {"standard_deviation", "all", [](Inputs v) { return standard_deviation(v[0]); }, {mixed}},
      {"standard_deviation",
       "an axis, kept",
       [](Inputs v) { return standard_deviation(v[0], {-1}, true); },
       {mixed}},
      {"logsumexp", "all", [](Inputs v) { return square(logsumexp(v[0])); }, {mixed}},
      {"logsumexp",
       "some axes",
       [](Inputs v) {
         return logsumexp(v[0], {0, 2});
       },
       {mixed}},
      {"norm", "all", [](Inputs v) { return norm(v[0]); }, {mixed}},
      {"norm",
       "some axes",
       [](Inputs v) {
         return norm(v[0], {0, 2});
       },
       {mixed}},
      {"norm", "of order 3", [](Inputs v) { return norm(v[0], {1}, true, 3); }, {mixed}},
      {"norm", "of order 1", [](Inputs v) { return square(norm(v[0], {1}, false, 1)); }, {mixed}},
      {"norm", "the largest", [=](Inputs v) { return square(norm(v[0], infinity)); }, {mixed}},
      {"cumsum", "", [](Inputs v) { return square(cumsum(v[0], -1)); }, {mixed}},
      {"cumsum", "the first axis", [](Inputs v) { return square(cumsum(v[0], 0)); }, {mixed}},
      {"cumprod", "", [](Inputs v) { return cumprod(v[0], 1); }, {mixed}},
      {"cumprod", "zeros", [](Inputs v) { return cumprod(v[0], -1); }, {with_zeros}},
      {"cummax", "", [](Inputs v) { return square(cummax(v[0], 1)); }, {mixed}},
  };
}

}  // namespace unroll::testing
