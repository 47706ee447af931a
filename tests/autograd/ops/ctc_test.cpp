#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Labels = std::vector<std::int64_t>;

/// What a path spells: equal neighbours are one label, blanks are none.
Labels spelled(const Labels& path, std::int64_t blank) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  return labels;
}

/// The loss by its definition: minus the log of the summed probability of all paths that spell the
/// labels. `log_p: [T,C]`.
double over_all_paths(const Tensor& log_p, const Labels& labels, std::int64_t blank) {
  const Index steps = log_p.size(0);
  const Index classes = log_p.size(1);
  Index paths = 1;
  for (Index t = 0; t < steps; ++t) paths *= classes;
  double total = 0.0;
  for (Index number = 0; number < paths; ++number) {
    Labels path;
    double log_probability = 0.0;
    for (Index t = 0, rest = number; t < steps; ++t, rest /= classes) {
      path.push_back(rest % classes);
      log_probability += log_p.at({t, rest % classes});
    }
    if (spelled(path, blank) == labels) total += std::exp(log_probability);
  }
  return -std::log(total);
}

Tensor one_target(const Labels& labels) {
  return Tensor::of({1, static_cast<Index>(labels.size())}, labels);
}

const CtcOptions kApart{.reduction = Reduction::none};

}  // namespace

TEST_CASE("the loss of CTC is that of all paths that spell the target") {
  const Tensor log_p = log_softmax(random({5, 1, 3}, 1, -2.0, 2.0)).value();
  for (std::int64_t blank : {0, 2})
    for (const Labels& labels :
         {Labels{1}, Labels{1, 1}, Labels{1, 1, 1}, Labels{}, Labels{1, 1, 1, 1}}) {
      CAPTURE(labels.size());
      CtcOptions options = kApart;
      options.blank = blank;
      expect_values(ctc_loss(log_p, one_target(labels), options).value(),
                    {over_all_paths(log_p.select(1, 0), labels, blank)});
    }
  for (const Labels& labels : {Labels{1, 2}, Labels{2, 1, 1}, Labels{1, 2, 1, 2}})
    expect_values(ctc_loss(log_p, one_target(labels), kApart).value(),
                  {over_all_paths(log_p.select(1, 0), labels, 0)});
}

TEST_CASE("a sequence in a batch has the loss that it has alone, whatever lies behind its end") {
  const Tensor log_p = log_softmax(random({6, 3, 4}, 2, -2.0, 2.0)).value();
  const Tensor targets = Tensor::of<std::int64_t>({3, 3}, {1, 2, 3, 3, 3, -7, 2, 99, 0});
  CtcOptions options = kApart;
  options.input_lengths = {6, 4, 1};
  options.target_lengths = {3, 2, 1};
  const Tensor together = ctc_loss(log_p, targets, options).value();
  for (Index b = 0; b < 3; ++b) {
    const Index steps = options.input_lengths[static_cast<std::size_t>(b)];
    const Index labels = options.target_lengths[static_cast<std::size_t>(b)];
    const Variable alone = ctc_loss(log_p.slice(1, b, b + 1).slice(0, 0, steps),
                                    targets.slice(0, b, b + 1).slice(1, 0, labels), kApart);
    CHECK(together.at({b}) == doctest::Approx(alone.item()).epsilon(1e-14));
  }
}

TEST_CASE(
    "the gradient of CTC is minus the probability of each class at each step, given the target") {
  // Checked against finite differences elsewhere; here against what it means: at each step of a
  // sequence it sums to -1, and behind the end of the sequence it is 0.
  Tape tape;
  const Variable log_p = tape.watch(log_softmax(random({5, 2, 3}, 3)).value());
  CtcOptions options{.input_lengths = {5, 3}, .reduction = Reduction::sum};
  const Variable loss = ctc_loss(log_p, Tensor::of<std::int64_t>({2, 2}, {1, 2, 2, 1}), options);
  const Tensor totals = sum(tape.gradients(loss)[log_p], {-1}).value();
  expect_values(totals, {-1, -1, -1, -1, -1, -1, -1, 0, -1, 0});
}

TEST_CASE("a target that does not fit its input has an infinite loss, or none, and gradient 0") {
  // Two equal labels need a blank between them.
  const Tensor targets = Tensor::of<std::int64_t>({2, 2}, {1, 1, 1, 2});
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (bool zero : {false, true}) {
      Tape tape;
      const Variable log_p = tape.watch(log_softmax(random({2, 2, 3}, 4)).value().to(dtype));
      CtcOptions options = kApart;
      options.zero_infinity = zero;
      const Variable losses = ctc_loss(log_p, targets, options);
      CHECK(losses.value().at({0}) == (zero ? 0.0 : std::numeric_limits<double>::infinity()));
      CHECK(std::isfinite(losses.value().at({1})));
      const Tensor slope = tape.gradients(sum(losses))[log_p].value();
      expect_values(slope.select(1, 0), std::vector<double>(6, 0.0));
      expect_values(slope.select(1, 1), {0, -1, 0, 0, 0, -1}, 1e-6);
    }
}

TEST_CASE("a class that is impossible at a step is avoided, and a NaN is not hidden") {
  const double never = -std::numeric_limits<double>::infinity();
  Tensor log_p = full({3, 1, 2}, std::log(0.5), Dtype::float64);
  log_p.mutable_data<double>()[3] = never;  // label 1 at the step in the middle
  const Tensor target = one_target({1});
  // 1--, --1 and no other path: 1-1 spells another word.
  Tape tape;
  const Variable x = tape.watch(log_p);
  const Variable loss = ctc_loss(x, target, kApart);
  CHECK(loss.value().item() == doctest::Approx(-std::log(0.25)));
  CHECK(std::isfinite(tape.gradients(loss)[x].value().at({1, 0, 0})));
  log_p = log_p.clone();
  log_p.mutable_data<double>()[0] = std::nan("");
  CHECK(std::isnan(ctc_loss(log_p, target, kApart).value().item()));
}

TEST_CASE("long sequences neither overflow nor underflow") {
  const Index steps = 400;
  const Variable log_p = log_softmax(random({steps, 1, 5}, 5, -3.0, 3.0).to(Dtype::float32));
  Labels labels;
  for (Index k = 0; k < 40; ++k) labels.push_back(1 + k % 4);
  const double narrow = ctc_loss(log_p, one_target(labels), kApart).item();
  const double wide = ctc_loss(log_p.value().to(Dtype::float64), one_target(labels), kApart).item();
  CHECK(narrow == doctest::Approx(wide).epsilon(1e-5));
  CHECK(wide > 10.0);
}

TEST_CASE("the mean of CTC divides by the length of each target first") {
  const Tensor log_p = log_softmax(random({4, 3, 3}, 6)).value();
  const Tensor targets = Tensor::of<std::int64_t>({3, 2}, {1, 2, 2, 0, 0, 0});
  CtcOptions options{.target_lengths = {2, 1, 0}, .reduction = Reduction::none};
  const Tensor apart = ctc_loss(log_p, targets, options).value();
  options.reduction = Reduction::sum;
  CHECK(ctc_loss(log_p, targets, options).item() ==
        doctest::Approx(sum(apart).item()).epsilon(1e-14));
  options.reduction = Reduction::mean;
  CHECK(ctc_loss(log_p, targets, options).item() ==
        doctest::Approx((apart.at({0}) / 2 + apart.at({1}) + apart.at({2})) / 3).epsilon(1e-14));
}

TEST_CASE("CTC names what does not fit") {
  const Variable log_p = log_softmax(zeros({4, 2, 3}, Dtype::float64));
  const Tensor targets = Tensor::of<std::int64_t>({2, 2}, {1, 2, 2, 1});
  const auto fails_with = [&](const CtcOptions& options,
                              std::initializer_list<std::string_view> parts) {
    expect_error<ArgumentError>([&] { ctc_loss(log_p, targets, options); }, parts);
  };
  fails_with({.input_lengths = {4, 5}}, {"ctc_loss", "input_lengths", "5", "sequence 1", "1..4"});
  fails_with({.input_lengths = {0, 4}}, {"input_lengths", "0", "sequence 0"});
  fails_with({.target_lengths = {2, 3}}, {"target_lengths", "3", "sequence 1", "0..2"});
  fails_with({.target_lengths = {-1, 2}}, {"target_lengths", "-1"});
  fails_with({.blank = 3}, {"blank", "3", "0..2"});
  fails_with({.blank = -1}, {"blank", "-1"});
  fails_with({.blank = 2}, {"targets", "[2,2]", "2", "position 1", "sequence 0", "blank"});
  expect_error<ShapeError>([&] { ctc_loss(log_p, targets, {.input_lengths = {4}}); },
                           {"1 input_lengths", "2 sequences"});
  expect_error<ArgumentError>(
      [&] {
        ctc_loss(log_p, Tensor::of<std::int64_t>({2, 1}, {1, 3}));
      },
      {"ctc_loss", "3", "position 0", "sequence 1", "0..2"});
  expect_error<ShapeError>([&] { ctc_loss(log_p, targets.reshape({4})); },
                           {"ctc_loss", "[4,2,3]", "[4]", "[B,S]"});
  expect_error<ShapeError>([&] { ctc_loss(log_p, targets.slice(0, 0, 1)); }, {"[1,2]"});
  expect_error<ShapeError>([&] { ctc_loss(zeros({0, 2, 3}), targets); }, {"no steps"});
  expect_error<DtypeError>([&] { ctc_loss(log_p, zeros({2, 2})); }, {"targets", "int64"});
  expect_error<DtypeError>([&] { ctc_loss(targets, targets); }, {"log_p", "int64"});
}

}  // namespace unroll::testing
