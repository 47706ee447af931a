#pragma once

#include <autograd/ops/diagonal.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/sort.hpp>

#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

// Each ends in something curved, so that second derivatives are not merely zero.
inline std::vector<OpCase> rearrange_cases() {
  const Tensor x = random({3, 5}, 101);
  const Tensor cube = random({2, 3, 4}, 102);
  return {
      {"chunk",
       "unequal parts",
       [](Inputs v) {
         const auto parts = chunk(v[0], 3);
         return square(parts.front()) * parts.back();
       },
       {x}},
      {"flip", "", [](Inputs v) { return square(flip(v[0], {1})); }, {cube}},
      {"flip",
       "all axes, into a product",
       [](Inputs v) {
         return matmul(flip(v[0], {0, -1}), flip(v[1], {0}));
       },
       {x, random({5, 2}, 103)}},
      {"roll", "", [](Inputs v) { return square(roll(v[0], 2, -1)) * v[0]; }, {x}},
      {"roll", "backwards", [](Inputs v) { return square(roll(v[0], -4, 0)) * v[0]; }, {x}},
      {"pad", "", [](Inputs v) { return square(pad(v[0], 1, 2, 1)); }, {cube}},
      {"pad", "with a number", [](Inputs v) { return square(pad(v[0], -1, 0, 2, 0.5)); }, {x}},
      {"tile",
       "",
       [](Inputs v) {
         return square(tile(v[0], {2, 3}));
       },
       {cube}},
      {"tile",
       "new axes",
       [](Inputs v) {
         return square(tile(v[0], {2, 1, 2}));
       },
       {x}},
      {"repeat", "", [](Inputs v) { return square(repeat(v[0], 3, 1)); }, {cube}},
      {"unfold", "", [](Inputs v) { return square(unfold(v[0], 1, 3)); }, {x}},
      {"unfold",
       "stride and dilation",
       [](Inputs v) { return square(unfold(v[0], 0, 2, {.stride = 2, .dilation = 3})); },
       {random({8, 2}, 104)}},
      {"diagonal", "", [](Inputs v) { return square(diagonal(v[0])); }, {cube}},
      {"diagonal", "above", [](Inputs v) { return square(diagonal(v[0], 2)); }, {x}},
      {"diag_embed", "", [](Inputs v) { return square(diag_embed(v[0])); }, {x}},
      {"diag_embed", "below", [](Inputs v) { return square(diag_embed(v[0], -1)); }, {x}},
      {"diag", "of a vector", [](Inputs v) { return square(diag(v[0])); }, {random({4}, 105)}},
      {"diag", "of a matrix", [](Inputs v) { return square(diag(v[0], -1)); }, {x}},
      {"tril", "", [](Inputs v) { return square(tril(v[0], 1)); }, {cube}},
      {"triu", "", [](Inputs v) { return square(triu(v[0], -1)); }, {x}},
  };
}

inline std::vector<OpCase> index_cases() {
  const Tensor x = random({3, 4}, 111);
  const Tensor cube = random({2, 3, 4}, 112);
  const Tensor columns =
      Tensor::of<std::int64_t>({3, 5}, {0, 3, 3, 1, 2, 2, 2, 2, 0, 1, 3, 1, 0, 0, 3});
  const Tensor rows = Tensor::of<std::int64_t>({2, 4}, {2, 0, 1, 1, 2, 0, 0, 2});
  return {
      {"gather", "", [=](Inputs v) { return square(gather(v[0], columns, 1)); }, {x}},
      {"gather", "the first axis", [=](Inputs v) { return square(gather(v[0], rows, 0)); }, {x}},
      {"scatter_add",
       "",
       [=](Inputs v) { return square(scatter_add(v[0], columns, v[1], -1)); },
       {x, random({3, 5}, 113)}},
      {"scatter_add",
       "the first axis of a transpose",
       [=](Inputs v) { return square(scatter_add(v[0], rows, transpose(v[1]), 0)); },
       {x, random({4, 2}, 114)}},
      {"index_select",
       "",
       [](Inputs v) {
         return square(index_select(v[0], Tensor::of<std::int64_t>({4}, {2, 0, 2, 1}), 1));
       },
       {cube}},
      {"take",
       "",
       [](Inputs v) {
         return square(take(v[0], Tensor::of<std::int64_t>({2, 2}, {23, 0, 7, 7})));
       },
       {cube}},
      {"masked_fill",
       "",
       [](Inputs v) {
         return square(masked_fill(v[0], Tensor::of<std::int64_t>({3, 1}, {0, 2, 0}), -2));
       },
       {x}},
      {"sort", "", [](Inputs v) { return square(sort(v[0]).values) * v[0]; }, {x}},
      {"sort",
       "downwards along the first axis",
       [](Inputs v) { return square(sort(v[0], 0, true).values) * v[0]; },
       {x}},
      {"topk", "", [](Inputs v) { return square(topk(v[0], 2, 1).values); }, {cube}},
  };
}

}  // namespace unroll::testing
