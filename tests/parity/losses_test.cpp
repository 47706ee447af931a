// Losses and normalisation, and their gradients, against PyTorch's.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include "parity/check_case.hpp"

using namespace unroll;
using namespace unroll::testing;

TEST_CASE("every loss agrees with PyTorch, in value and gradient") {
  const Golden golden = Golden::read("losses");
  std::map<std::string, Operation> cases;
  // A loss gets its inputs and a function that reads its constants, in the dtype of the inputs.
  using Constant = std::function<Tensor(const std::string&)>;
  const auto add = [&](const std::string& name, auto loss) {
    cases[name] = [&golden, name, loss](Inputs x) {
      const Constant constant = [&](const std::string& which) {
        return golden[name]["constants"][which].tensor(x[0].dtype());
      };
      return loss(x, constant);
    };
  };
  const Tensor pairs =
      golden["cosine_embedding, none"]["constants"]["targets"].tensor(Dtype::int64);
  const auto classes = [&](const std::string& name) {
    return golden[name]["constants"]["targets"].tensor(Dtype::int64);
  };
  constexpr Reduction kNone = Reduction::none;
  constexpr Reduction kSum = Reduction::sum;

  add("mse, none",
      [](Inputs x, const Constant&) { return mse_loss(x[0], x[1], {.reduction = kNone}); });
  add("mse, mean", [](Inputs x, const Constant&) { return mse_loss(x[0], x[1]); });
  add("mse, sum",
      [](Inputs x, const Constant&) { return mse_loss(x[0], x[1], {.reduction = kSum}); });
  add("l1, mean", [](Inputs x, const Constant&) { return l1_loss(x[0], x[1]); });
  add("huber, none", [](Inputs x, const Constant&) {
    return huber_loss(x[0], x[1], {.delta = 0.75, .reduction = kNone});
  });
  add("huber, mean", [](Inputs x, const Constant&) { return huber_loss(x[0], x[1]); });
  add("bce, none", [](Inputs x, const Constant& c) {
    return binary_cross_entropy(x[0], c("targets"), {.reduction = kNone});
  });
  add("bce, mean",
      [](Inputs x, const Constant& c) { return binary_cross_entropy(x[0], c("targets")); });
  add("bce_with_logits, none", [](Inputs x, const Constant& c) {
    return binary_cross_entropy_with_logits(x[0], c("targets"), {.reduction = kNone});
  });
  add("bce_with_logits, pos_weight", [](Inputs x, const Constant& c) {
    return binary_cross_entropy_with_logits(x[0], c("targets"), {.pos_weight = c("pos_weight")});
  });
  add("kl_div, none",
      [](Inputs x, const Constant& c) { return kl_div(x[0], c("targets"), {.reduction = kNone}); });
  add("kl_div, mean", [](Inputs x, const Constant& c) { return kl_div(x[0], c("targets")); });
  add("kl_div, log_target", [](Inputs x, const Constant& c) {
    return kl_div(x[0], c("targets"), {.log_target = true, .reduction = kSum});
  });
  add("hinge, none", [](Inputs x, const Constant& c) {
    return hinge_loss(x[0], c("targets"), {.reduction = kNone});
  });
  add("hinge, mean",
      [](Inputs x, const Constant& c) { return hinge_loss(x[0], c("targets"), {.margin = 0.5}); });
  add("cosine_similarity", [](Inputs x, const Constant&) { return cosine_similarity(x[0], x[1]); });
  add("cosine_similarity, axis 0",
      [](Inputs x, const Constant&) { return cosine_similarity(x[0], x[1], 0); });
  add("cosine_embedding, none", [&](Inputs x, const Constant&) {
    return cosine_embedding_loss(x[0], x[1], pairs, {.margin = -0.5, .reduction = kNone});
  });
  add("cosine_embedding, mean", [&](Inputs x, const Constant&) {
    return cosine_embedding_loss(x[0], x[1], pairs, {.margin = -0.5});
  });

  add("nll, mean", [&](Inputs x, const Constant&) { return nll_loss(x[0], classes("nll, mean")); });
  add("nll, weights, mean", [&](Inputs x, const Constant& c) {
    return nll_loss(x[0], classes("nll, weights, mean"), {.weights = c("weight")});
  });
  add("nll, weights, none", [&](Inputs x, const Constant& c) {
    return nll_loss(x[0], classes("nll, weights, none"),
                    {.weights = c("weight"), .reduction = kNone});
  });
  add("nll, ignore_index, sum", [&](Inputs x, const Constant&) {
    const Tensor targets = classes("nll, ignore_index, sum");
    return nll_loss(x[0], targets, {.ignore_index = Index(targets.at({0, 0})), .reduction = kSum});
  });
  add("cross_entropy, mean", [&](Inputs x, const Constant&) {
    return cross_entropy(x[0], classes("cross_entropy, mean"));
  });
  add("cross_entropy, weights, mean", [&](Inputs x, const Constant& c) {
    return cross_entropy(x[0], classes("cross_entropy, weights, mean"), {.weights = c("weight")});
  });
  add("cross_entropy, weights, none", [&](Inputs x, const Constant& c) {
    return cross_entropy(x[0], classes("cross_entropy, weights, none"),
                         {.weights = c("weight"), .reduction = kNone});
  });
  add("cross_entropy, ignore_index, sum", [&](Inputs x, const Constant&) {
    const Tensor targets = classes("cross_entropy, ignore_index, sum");
    return cross_entropy(x[0], targets,
                         {.ignore_index = Index(targets.at({0, 0})), .reduction = kSum});
  });
  add("cross_entropy, smooth, mean", [&](Inputs x, const Constant&) {
    return cross_entropy(x[0], classes("cross_entropy, smooth, mean"), {.label_smoothing = 0.25});
  });
  add("cross_entropy, smooth, weights, mean", [&](Inputs x, const Constant& c) {
    return cross_entropy(x[0], classes("cross_entropy, smooth, weights, mean"),
                         {.weights = c("weight"), .label_smoothing = 0.25});
  });
  add("cross_entropy, smooth, weights, sum", [&](Inputs x, const Constant& c) {
    return cross_entropy(x[0], classes("cross_entropy, smooth, weights, sum"),
                         {.weights = c("weight"), .label_smoothing = 0.25, .reduction = kSum});
  });

  const CtcOptions lengths{.input_lengths = {6, 5, 2}, .target_lengths = {3, 2, 1}};
  const auto ctc = [&](const std::string& name, CtcOptions options) {
    add(name, [targets = classes(name), options](Inputs x, const Constant&) {
      return ctc_loss(log_softmax(x[0]), targets, options);
    });
  };
  CtcOptions options = lengths;
  ctc("ctc, mean", options);
  options.reduction = kNone;
  ctc("ctc, none", options);
  options.reduction = kSum;
  ctc("ctc, sum", options);
  options.target_lengths = {3, 2, 0};
  options.blank = 3;
  ctc("ctc, another blank", options);

  check_file("losses", cases);
}

TEST_CASE("normalisation agrees with PyTorch, in value and gradient") {
  check_file("normalization",
             {
                 {"layer_norm", [](Inputs x) { return layer_norm(x[0], x[1], x[2]); }},
                 {"layer_norm, plain", [](Inputs x) { return layer_norm(x[0], {}, {}, 0.125); }},
                 {"rms_norm", [](Inputs x) { return rms_norm(x[0], x[1]); }},
             });
}
