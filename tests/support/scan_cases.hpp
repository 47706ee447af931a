#pragma once

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linear_scan.hpp>

#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

inline std::vector<OpCase> linear_scan_cases() {
  const Tensor a = random({4, 2, 3}, 301);
  const Tensor b = random({4, 2, 3}, 302);
  const Tensor start = random({2, 3}, 303);
  const Tensor resets = Tensor::of<double>({4, 2}, {0, 1, 1, 0, 0, 0, 0, 1});
  return {
      {"linear_scan", "forward", [](Inputs v) { return square(linear_scan(v[0], v[1])); }, {a, b}},
      {"linear_scan",
       "from a state",
       [](Inputs v) { return square(linear_scan(v[0], v[1], {.start = v[2]})); },
       {a, b, start}},
      {"linear_scan",
       "reverse, lengths",
       [](Inputs v) {
         return square(
             linear_scan(v[0], v[1], {.start = v[2], .reverse = true, .lengths = {3, 0}}));
       },
       {a, b, start}},
      {"linear_scan",
       "resets",
       [resets](Inputs v) {
         return square(linear_scan(v[0], v[1], {.start = v[2], .resets = resets}));
       },
       {a, b, start}},
      {"linear_scan",
       "one coefficient for all steps",
       [](Inputs v) { return square(linear_scan(v[0], v[1])); },
       {random({3}, 304), b}},
      {"linear_scan",
       "one coefficient for each step, lengths",
       [](Inputs v) {
         return square(linear_scan(v[0], v[1], {.lengths = {4, 2}}));
       },
       {random({4, 1, 1}, 305), b}},
      {"linear_scan",
       "from a state behind resets",
       [resets](Inputs v) {
         return square(linear_scan(v[0], v[1],
                                   {.start = v[2],
                                    .reverse = true,
                                    .lengths = {4, 3},
                                    .resets = resets,
                                    .restart = v[3]}));
       },
       {a, b, start, random({2, 3}, 306)}},
      {"linear_scan",
       "resets, in reverse, zeros behind them",
       [resets](Inputs v) {
         return square(linear_scan(v[0], v[1], {.reverse = true, .resets = resets}));
       },
       {a, b}},
      {"linear_scan",
       "one coefficient for each sequence, in reverse, from a state",
       [](Inputs v) { return square(linear_scan(v[0], v[1], {.start = v[2], .reverse = true})); },
       {random({2, 1}, 307), b, start}},
      {"linear_scan",
       "without further axes",
       [](Inputs v) { return square(linear_scan(v[0], v[1])); },
       {random({}, 308), random({4, 2}, 309)}},
  };
}

inline std::vector<OpCase> complex_linear_scan_cases() {
  const Tensor a = random({4, 2, 2, 3}, 311);
  const Tensor b = random({4, 2, 2, 3}, 312);
  const Tensor start = random({2, 2, 3}, 313);
  const Tensor resets = Tensor::of<double>({4, 2}, {0, 1, 1, 0, 0, 0, 0, 1});
  return {
      {"complex_linear_scan",
       "forward",
       [](Inputs v) { return square(complex_linear_scan(v[0], v[1])); },
       {a, b}},
      {"complex_linear_scan",
       "reverse, lengths",
       [](Inputs v) {
         return square(
             complex_linear_scan(v[0], v[1], {.start = v[2], .reverse = true, .lengths = {3, 0}}));
       },
       {a, b, start}},
      {"complex_linear_scan",
       "one coefficient for all steps",
       [](Inputs v) { return square(complex_linear_scan(v[0], v[1], {.start = v[2]})); },
       {random({2, 3}, 314), b, start}},
      {"complex_linear_scan",
       "from a state behind resets",
       [resets](Inputs v) {
         return square(complex_linear_scan(
             v[0], v[1], {.start = v[2], .lengths = {4, 3}, .resets = resets, .restart = v[3]}));
       },
       {a, b, start, random({2, 2, 3}, 315)}},
      {"complex_linear_scan",
       "in reverse, from a state behind resets",
       [resets](Inputs v) {
         return square(complex_linear_scan(v[0], v[1],
                                           {.start = v[2],
                                            .reverse = true,
                                            .lengths = {4, 3},
                                            .resets = resets,
                                            .restart = v[3]}));
       },
       {a, b, start, random({2, 2, 3}, 316)}},
      {"complex_linear_scan",
       "one coefficient for each sequence",
       [](Inputs v) { return square(complex_linear_scan(v[0], v[1])); },
       {random({2, 2, 1}, 317), b}},
  };
}

}  // namespace unroll::testing
