#pragma once

#include <autograd/ops/cross_entropy.hpp>
#include <autograd/ops/ctc.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/loss.hpp>
#include <autograd/ops/softmax.hpp>

#include <string>
#include <vector>

#include "numbers.hpp"
#include "op_case.hpp"

namespace unroll::testing {

inline std::vector<OpCase> elementwise_loss_cases() {
  // Differences are away from 0 and from the deltas and margins below.
  const Tensor x = Tensor::of<double>({2, 3}, {0.4, -1.1, 0.7, 0.1, -1.2, 1.9});
  const Tensor y = Tensor::of<double>({2, 3}, {-0.8, -0.9, 1.1, 0.9, 0.6, 1.3});
  const Tensor p = random({2, 3}, 101, 0.1, 0.9);
  const Tensor t = random({2, 3}, 102, 0.1, 0.9);
  const Tensor signs = Tensor::of<std::int64_t>({2, 3}, {1, -1, -1, 1, 1, -1});
  const Tensor pairs = Tensor::of<std::int64_t>({3}, {1, -1, -1});
  const Tensor a = random({3, 4}, 103);
  const Tensor b = random({3, 4}, 104);
  return {
      {"mse_loss", "", [](Inputs v) { return mse_loss(v[0], v[1]); }, {x, y}},
      {"l1_loss",
       "",
       [](Inputs v) { return square(l1_loss(v[0], v[1], {.reduction = Reduction::none})); },
       {x, y}},
      {"huber_loss",
       "on both sides of delta",
       [](Inputs v) { return square(huber_loss(v[0], v[1], {.delta = 0.5})); },
       {x, y}},
      {"binary_cross_entropy",
       "",
       [](Inputs v) { return binary_cross_entropy(v[0], v[1]); },
       {p, t}},
      {"binary_cross_entropy_with_logits",
       "",
       [](Inputs v) { return binary_cross_entropy_with_logits(v[0], v[1]); },
       {x, t}},
      {"binary_cross_entropy_with_logits",
       "a logit of 0, weights",
       [](Inputs v) {
         return binary_cross_entropy_with_logits(
             v[0], v[1], {.pos_weight = Tensor::of<double>({3}, {0.5, 2.0, 1.5})});
       },
       {zeros({2, 3}, Dtype::float64), t}},
      {"kl_div", "", [](Inputs v) { return kl_div(v[0], v[1]); }, {x, t}},
      {"kl_div",
       "logarithms",
       [](Inputs v) { return kl_div(v[0], v[1], {.log_target = true}); },
       {x, y}},
      {"hinge_loss",
       "on both sides of the kink",
       [=](Inputs v) { return square(hinge_loss(v[0], signs)); },
       {x}},
      {"cosine_similarity", "", [](Inputs v) { return cosine_similarity(v[0], v[1]); }, {a, b}},
      {"cosine_similarity",
       "the first axis, one vector for all",
       [](Inputs v) { return cosine_similarity(v[0], v[1], 0); },
       {a, random({3, 1}, 105)}},
      {"cosine_embedding_loss",
       "",
       [=](Inputs v) { return cosine_embedding_loss(v[0], v[1], pairs, {.margin = -0.9}); },
       {a, b}},
  };
}

inline std::vector<OpCase> class_loss_cases() {
  const Tensor targets = Tensor::of<std::int64_t>({2, 3}, {0, 3, -100, 1, 2, 0});
  const Tensor weights = Tensor::of<double>({4}, {0.5, 2.0, 1.5, 0.25});
  const Tensor cube = random({2, 3, 4}, 111);
  const Tensor labels = Tensor::of<std::int64_t>({2, 2}, {1, 1, 2, 0});
  return {
      {"cross_entropy",
       "",
       [](Inputs v) {
         return cross_entropy(v[0], Tensor::of<std::int64_t>({3}, {4, 0, 2}));
       },
       {random({3, 5}, 34)}},
      {"cross_entropy",
       "one row",
       [](Inputs v) { return cross_entropy(v[0], Tensor::of<std::int64_t>({}, {1})); },
       {random({5}, 112)}},
      {"cross_entropy",
       "weights, a row ignored, smoothing",
       [=](Inputs v) {
         return cross_entropy(v[0], targets, {.weights = weights, .label_smoothing = 0.3});
       },
       {cube}},
      {"cross_entropy",
       "rows apart, of a transpose",
       [=](Inputs v) {
         return cross_entropy(transpose(v[0]), targets, {.reduction = Reduction::none});
       },
       {random({2, 4, 3}, 113)}},
      {"nll_loss",
       "weights, a row ignored",
       [=](Inputs v) { return square(nll_loss(v[0], targets, {.weights = weights})); },
       {cube}},
      {"nll_loss",
       "of log_softmax",
       [=](Inputs v) {
         return nll_loss(log_softmax(v[0]), targets, {.reduction = Reduction::none});
       },
       {cube}},
      {"ctc_loss",
       "equal labels, unequal lengths",
       [=](Inputs v) {
         return ctc_loss(log_softmax(v[0]), labels,
                         {.input_lengths = {4, 3}, .target_lengths = {2, 1}});
       },
       {random({4, 2, 3}, 114)}},
      {"ctc_loss",
       "numbers that are no logarithms of probabilities",
       [](Inputs v) {
         return ctc_loss(v[0], Tensor::of<std::int64_t>({1, 2}, {0, 1}),
                         {.blank = 2, .reduction = Reduction::none});
       },
       {random({3, 1, 3}, 115)}},
  };
}

inline std::vector<OpCase> loss_cases() {
  std::vector<OpCase> all;
  for (const auto& group : {elementwise_loss_cases(), class_loss_cases()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace unroll::testing
