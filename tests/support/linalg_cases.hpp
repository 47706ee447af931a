#pragma once

#include <autograd/ops/contraction.hpp>
#include <autograd/ops/convolution.hpp>
#include <autograd/ops/diagonal.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/rearrange.hpp>

#include <array>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

inline std::vector<OpCase> contraction_cases() {
  std::vector<OpCase> cases{
      {"outer",
       "",
       [](Inputs v) { return outer(v[0], v[1]); },
       {random({3}, 121), random({4}, 122)}},
      {"dot", "", [](Inputs v) { return dot(v[0], v[1]); }, {random({4}, 123), random({4}, 124)}},
      {"dot", "a vector with itself", [](Inputs v) { return dot(v[0], v[0]); }, {random({4}, 125)}},
      {"bilinear",
       "",
       [](Inputs v) { return bilinear(v[0], v[1], v[2], v[3]); },
       {random({2, 3, 2}, 126), random({2, 3, 4}, 127), random({3, 2, 4}, 128), random({3}, 129)}},
      {"bilinear",
       "vectors, no bias",
       [](Inputs v) { return bilinear(v[0], v[1], v[2]); },
       {random({2}, 130), random({3}, 131), random({2, 2, 3}, 132)}},
      {"einsum",
       "operands in an array",
       [](Inputs v) { return einsum("ij,jk->ki", v); },
       {random({2, 3}, 133), random({3, 4}, 134)}},
  };
  const auto contract = [&](const std::string& equation, const std::vector<Shape>& shapes) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) inputs.push_back(random(shape, 135 + inputs.size()));
    cases.push_back({"einsum", equation,
                     [equation](Inputs v) {
                       if (v.size() == 1) return square(einsum(equation, {v[0]}));
                       if (v.size() == 2) return square(einsum(equation, {v[0], v[1]}));
                       return square(einsum(equation, {v[0], v[1], v[2]}));
                     },
                     inputs});
  };
  contract("iij->j", {{2, 2, 3}});
  contract("ij", {{2, 3}});
  contract("bij,bjk", {{2, 3, 2}, {2, 2, 2}});
  contract("bi,bi->b", {{2, 3}, {2, 3}});
  contract("ijk,l->lj", {{2, 3, 2}, {2}});
  contract("...i,ij->...j", {{2, 2, 3}, {3, 2}});
  contract("...i,...i->...", {{2, 1, 3}, {2, 3}});
  contract("bi,oij,bj->bo", {{2, 2}, {2, 2, 3}, {2, 3}});
  return cases;
}

inline std::vector<OpCase> convolution_cases() {
  const auto with = [](Conv1dOptions options) {
    return [options](Inputs v) { return conv1d(v[0], v[1], v[2], options); };
  };
  return {
      {"conv1d", "", with({}), {random({2, 3, 5}, 141), random({2, 3, 3}, 142), random({2}, 143)}},
      {"conv1d",
       "stride, padding and dilation",
       with({.stride = 2, .padding = 2, .dilation = 2}),
       {random({2, 2, 6}, 144), random({3, 2, 2}, 145), random({3}, 146)}},
      {"conv1d",
       "groups",
       with({.padding = 1, .groups = 2}),
       {random({2, 4, 3}, 147), random({2, 2, 2}, 148), random({2}, 149)}},
      {"conv1d",
       "no bias",
       [](Inputs v) { return conv1d(v[0], v[1]); },
       {random({1, 2, 3}, 150), random({2, 2, 1}, 151)}},
  };
}

/// Numbers of `shape: [...,M,N]` with singular values near 3, 2 and 1, far apart and from 0.
inline Tensor well_conditioned(const Shape& shape, std::uint64_t seed) {
  const Variable noise = Variable(random(shape, seed)) * 0.2;
  const Variable strong = pad(diag_embed(Tensor::of<double>({3}, {3, 2, 1})), 0, 0, 2);
  return (noise +
          slice(slice(pad(strong, 1, 0, 2), 0, 0, shape[shape.rank() - 2]), 1, 0, shape.back()))
      .value();
}

inline std::vector<OpCase> linalg_cases() {
  const Tensor square3 = well_conditioned({3, 3}, 161);
  const Tensor batch = well_conditioned({2, 3, 3}, 162);
  const Tensor tall = well_conditioned({4, 3}, 163);
  const Tensor wide = well_conditioned({2, 3}, 164);
  const Tensor right = random({3, 2}, 165);
  // Each column and row up to its sign.
  const DifferentiableFunction all_of_svd = [](Inputs v) {
    const Svd y = svd(v[0]);
    const Variable u = square(y.u);
    const Variable vh = square(y.vh) * unsqueeze(square(y.s), -1);
    return concat({reshape(u, {-1}), y.s, reshape(vh, {-1})}, 0);
  };
  return {
      {"inverse", "", [](Inputs v) { return inverse(v[0]); }, {square3}},
      {"inverse", "a batch", [](Inputs v) { return inverse(transpose(v[0])); }, {batch}},
      {"solve", "", [](Inputs v) { return solve(v[0], v[1]); }, {square3, right}},
      {"solve",
       "one matrix for all",
       [](Inputs v) { return solve(v[0], v[1]); },
       {square3, random({2, 3, 1}, 166)}},
      {"solve",
       "one right side for all",
       [](Inputs v) { return solve(v[0], v[1]); },
       {batch, right}},
      {"cholesky", "", [](Inputs v) { return cholesky(v[0]); }, {batch}},
      {"det", "", [](Inputs v) { return det(v[0]); }, {batch}},
      {"logdet", "", [](Inputs v) { return logdet(v[0]); }, {square3}},
      {"slogdet", "", [](Inputs v) { return square(slogdet(flip(v[0], {-1})).log_abs); }, {batch}},
      {"svd", "values", [](Inputs v) { return square(svd(v[0]).s); }, {tall}},
      {"svd", "a square matrix", all_of_svd, {square3}},
      {"svd", "a tall matrix", all_of_svd, {tall}},
      {"svd", "a wide matrix", all_of_svd, {wide}},
      {"svd",
       "a batch, v alone",
       [](Inputs v) { return square(svd(v[0]).vh); },
       {well_conditioned({2, 2, 3}, 167)}},
      {"eigh", "values", [](Inputs v) { return square(eigh(v[0]).values); }, {batch}},
      {"eigh",
       "both",
       [](Inputs v) {
         const Eigh y = eigh(v[0]);
         return square(y.vectors) * unsqueeze(y.values, -1);
       },
       {square3}},
      {"eigh", "vectors", [](Inputs v) { return square(eigh(v[0]).vectors); }, {batch}},
  };
}

}  // namespace unroll::testing
