#pragma once

#include <autograd/ops/dropout.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/normalization.hpp>

#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

inline std::vector<OpCase> normalization_cases() {
  const Tensor x = random({3, 5}, 121, -2.0, 2.0);
  const Tensor scale = random({5}, 122, 0.5, 1.5);
  const Tensor shift = random({5}, 123);
  return {
      {"layer_norm",
       "",
       [](Inputs v) { return square(layer_norm(v[0], v[1], v[2])); },
       {x, scale, shift}},
      {"layer_norm",
       "plain, a large epsilon, strides",
       [](Inputs v) { return layer_norm(transpose(v[0]), {}, {}, 0.5); },
       {x}},
      {"layer_norm",
       "shift alone",
       [](Inputs v) { return square(layer_norm(v[0], {}, v[1])); },
       {random({2, 2, 5}, 124), shift}},
      {"rms_norm", "", [](Inputs v) { return square(rms_norm(v[0], v[1])); }, {x, scale}},
      {"rms_norm", "plain", [](Inputs v) { return rms_norm(v[0], {}, 0.1); }, {x}},
      {"dropout",
       "",
       [](Inputs v) {
         Generator generator(7);
         return square(dropout(square(v[0]), 0.4, generator));
       },
       {random({4, 3}, 125)}},
  };
}

}  // namespace unroll::testing
