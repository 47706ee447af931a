#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/find_parameter.hpp>
#include <nn/layers/adaptive_softmax.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Values = std::vector<double>;

/// 8 inputs, 11 classes: 3 in the head, clusters of 4 and of 4.
nn::AdaptiveSoftmax small(bool head_bias = false) {
  seed(1);
  nn::AdaptiveSoftmax softmax(8, 11, {3, 7}, {.div_value = 2.0, .head_bias = head_bias});
  softmax.to(Dtype::float64);
  return softmax;
}

/// w x for `w: [rows,x.size()]`.
Values times(const Tensor& w, const Values& x) {
  return product(w.to_vector<double>(), x, w.size(0), w.size(1), 1);
}

Values log_softmax_of(Values x) {
  double total = 0.0;
  for (const double value : x) total += std::exp(value);
  for (double& value : x) value -= std::log(total);
  return x;
}

/// log p of all classes for one row, from the definition.
Values by_hand(const nn::AdaptiveSoftmax& softmax, const std::vector<Index>& cutoffs,
               const Values& h) {
  const auto value = [&](const std::string& name) {
    return nn::find_parameter(softmax, name).value();
  };
  Values logits = times(value("head.weight"), h);
  for (const auto& [name, parameter] : softmax.named_parameters())
    if (name == "head.bias")
      for (std::size_t k = 0; k < logits.size(); ++k)
        logits[k] += parameter.value().to_vector<double>()[k];
  const Values head = log_softmax_of(logits);
  const auto first = static_cast<std::size_t>(cutoffs[0]);
  Values all(head.begin(), head.begin() + cutoffs[0]);
  for (std::size_t i = 0; i < cutoffs.size(); ++i) {
    const std::string name = "tail." + std::to_string(i);
    for (const double log_p :
         log_softmax_of(times(value(name + ".1.weight"), times(value(name + ".0.weight"), h))))
      all.push_back(log_p + head[first + i]);
  }
  return all;
}

Values row_of(const Tensor& h, Index row) { return h.select(0, row).to_vector<double>(); }

}  // namespace

TEST_CASE("log_prob of an AdaptiveSoftmax is that of its definition, and sums up to 1") {
  for (const bool head_bias : {false, true}) {
    const nn::AdaptiveSoftmax softmax = small(head_bias);
    const Tensor h = random({5, 8}, 2, -2.0, 2.0);
    const Variable log_p = softmax.log_prob(h);
    REQUIRE(log_p.shape() == Shape{5, 11});
    for (Index row = 0; row < 5; ++row)
      expect_values(log_p.value().select(0, row), by_hand(softmax, {3, 7}, row_of(h, row)));
    expect_close(sum(exp(log_p), {1}).value(), ones({5}, Dtype::float64));
  }
}

TEST_CASE("an AdaptiveSoftmax returns the log probability of each target and the mean loss") {
  const nn::AdaptiveSoftmax softmax = small();
  const Tensor h = random({11, 8}, 3, -2.0, 2.0);
  const std::vector<std::int64_t> classes{2, 7, 0, 10, 3, 6, 1, 4, 9, 5, 8};  // each once
  const auto [log_p, loss] = softmax(h, Tensor::of({11}, classes));
  Values expected;
  for (Index row = 0; row < 11; ++row) {
    const auto at = static_cast<std::size_t>(row);
    expected.push_back(
        by_hand(softmax, {3, 7}, row_of(h, row))[static_cast<std::size_t>(classes[at])]);
  }
  expect_values(log_p.value(), expected);
  CHECK(loss.item() ==
        doctest::Approx(-std::accumulate(expected.begin(), expected.end(), 0.0) / 11.0)
            .epsilon(1e-12));
}

TEST_CASE("an AdaptiveSoftmax takes time and batch axes") {
  const nn::AdaptiveSoftmax softmax = small();
  const Tensor h = random({3, 2, 8}, 4);
  const Tensor targets = Tensor::of<std::int64_t>({3, 2}, {0, 5, 9, 3, 2, 10});
  const auto [log_p, loss] = softmax(h, targets);
  CHECK(log_p.shape() == Shape{3, 2});
  CHECK(loss.shape() == Shape{});
  const auto flat = softmax(h.reshape({6, 8}), targets.reshape({6}));
  expect_close(log_p.value().reshape({6}), flat.log_p.value(), 0.0);
  CHECK(softmax.log_prob(h).shape() == Shape{3, 2, 11});
  CHECK(softmax.predict(h).shape() == Shape{3, 2});
  const auto one = softmax(h.select(0, 0).select(0, 0), Tensor::of<std::int64_t>({}, {7}));
  CHECK(one.log_p.shape() == Shape{});
  CHECK(softmax.log_prob(h.select(0, 0).select(0, 0)).shape() == Shape{11});
}

TEST_CASE("targets that are all in the head, or all in one cluster, work too") {
  const nn::AdaptiveSoftmax softmax = small();
  const Tensor h = random({3, 8}, 5);
  for (const std::int64_t target : {0, 2, 3, 6, 7, 10}) {
    CAPTURE(target);
    const Tensor targets = Tensor::of<std::int64_t>({3}, {target, target, target});
    expect_close(softmax(h, targets).log_p.value(), select(softmax.log_prob(h), 1, target).value());
  }
}

TEST_CASE("predict is the argmax of log_prob, whether a cluster wins or the head") {
  seed(6);
  nn::AdaptiveSoftmax softmax(8, 40, {4, 10, 20}, {.div_value = 1.5});
  softmax.to(Dtype::float64);
  int in_head = 0;
  int in_clusters = 0;
  for (const double scale : {0.1, 1.0, 30.0}) {
    const Tensor h = random({200, 8}, 7, -scale, scale);
    const auto predicted = softmax.predict(h).to_vector<std::int64_t>();
    CHECK(predicted == argmax(softmax.log_prob(h), 1).to_vector<std::int64_t>());
    for (const std::int64_t c : predicted) ++(c < 4 ? in_head : in_clusters);
  }
  CHECK(in_head > 50);
  CHECK(in_clusters > 50);
}

TEST_CASE("the parameters of an AdaptiveSoftmax have PyTorch's names and shapes") {
  const nn::AdaptiveSoftmax softmax(64, 1000, {10, 100}, {.head_bias = true});
  std::string listed;
  for (const auto& [name, parameter] : softmax.named_parameters())
    listed += name + to_string(parameter.shape()) + ' ';
  CHECK(listed ==
        "head.weight[12,64] head.bias[12] tail.0.0.weight[16,64] tail.0.1.weight[90,16] "
        "tail.1.0.weight[4,64] tail.1.1.weight[900,4] ");
}

TEST_CASE("the gradients of an AdaptiveSoftmax agree with finite differences") {
  const nn::AdaptiveSoftmax softmax = small(true);
  const Tensor targets = Tensor::of<std::int64_t>({5}, {0, 4, 10, 4, 1});
  const Tensor h = random({5, 8}, 8);
  auto report = nn::gradcheck(
      softmax, [&](std::span<const Variable> x) { return softmax(x[0], targets).loss; }, {h});
  CHECK_MESSAGE(report.passed, report.to_string());
  report = nn::gradcheck(
      softmax, [&](std::span<const Variable> x) { return softmax(x[0], targets).log_p; }, {h});
  CHECK_MESSAGE(report.passed, report.to_string());
  report = nn::gradcheck(softmax,
                         [&](std::span<const Variable> x) { return softmax.log_prob(x[0]); }, {h});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("a cluster without a target in the batch is not computed") {
  const nn::AdaptiveSoftmax softmax = small();
  const Tensor targets = Tensor::of<std::int64_t>({2}, {1, 4});
  Tape tape;
  const auto result = softmax(random({2, 8}, 9), targets);
  const Gradients gradients = tape.gradients(result.loss);
  CHECK(gradients.parameters().size() == 3);  // of the head and the first cluster
}

TEST_CASE("AdaptiveSoftmax refuses cutoffs that are no partition, and sizes below 1") {
  using Cutoffs = std::vector<Index>;
  for (const Cutoffs& cutoffs :
       {Cutoffs{}, Cutoffs{0}, Cutoffs{10}, Cutoffs{3, 3}, Cutoffs{5, 2}, Cutoffs{-1, 4}})
    expect_error<ArgumentError>([&] { nn::AdaptiveSoftmax(8, 10, cutoffs); },
                                {"adaptive_softmax", "cutoffs", "1..9", "{"});
  expect_error<ArgumentError>([] { nn::AdaptiveSoftmax(8, 10, {5, 2}); }, {"{5,2}"});
  expect_error<ArgumentError>([] { nn::AdaptiveSoftmax(0, 10, {5}); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::AdaptiveSoftmax(8, -1, {5}); }, {"classes", "-1"});
  expect_error<ArgumentError>(
      [] {
        nn::AdaptiveSoftmax(8, 10, {2, 5});
      },
      {"div_value", "4.0", "8 inputs", "2 clusters"});
  for (const double div_value : {0.0, -2.0, std::nan("")})
    expect_error<ArgumentError>([&] { nn::AdaptiveSoftmax(8, 10, {2}, {.div_value = div_value}); },
                                {"adaptive_softmax", "div_value", std::to_string(div_value)});
}

TEST_CASE("AdaptiveSoftmax refuses inputs and targets that do not fit") {
  const nn::AdaptiveSoftmax softmax(4, 10, {5});
  const Tensor targets = Tensor::of<std::int64_t>({2}, {0, 9});
  expect_error<ShapeError>([&] { softmax(ones({2, 3}), targets); }, {"[2,3]", "[...,4]"});
  expect_error<ShapeError>(
      [&] {
        softmax(ones({3, 4}), targets);
      },
      {"adaptive_softmax", "[3,4]", "targets [3]", "[2]"});
  expect_error<ShapeError>(
      [&] {
        softmax(ones({0, 4}), Tensor::of<std::int64_t>({0}, {}));
      },
      {"at least one"});
  expect_error<ShapeError>([&] { softmax.log_prob(ones({4, 2})); }, {"[4,2]", "[...,4]"});
  expect_error<ShapeError>([&] { softmax.predict(Variable()); }, {"[...,4]"});
  expect_error<ArgumentError>(
      [&] {
        softmax(ones({1, 4}), Tensor::of<std::int64_t>({1}, {10}));
      },
      {"adaptive_softmax", "targets", "10", "0..9"});
  expect_error<DtypeError>([&] { softmax(ones({2, 4}), ones({2})); }, {"targets", "int64"});
}

}  // namespace unroll::testing
