#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor numbers(std::initializer_list<double> values) {
  return Tensor::of<double>({static_cast<Index>(values.size())}, values);
}

using Loss = std::function<Variable(const Variable&, const Variable&, Reduction)>;

/// Losses of two tensors of one shape.
const std::map<std::string, Loss>& losses() {
  static const std::map<std::string, Loss> all{
      {"mse_loss", [](const Variable& x, const Variable& t,
                      Reduction r) { return mse_loss(x, t, {.reduction = r}); }},
      {"l1_loss", [](const Variable& x, const Variable& t,
                     Reduction r) { return l1_loss(x, t, {.reduction = r}); }},
      {"huber_loss", [](const Variable& x, const Variable& t,
                        Reduction r) { return huber_loss(x, t, {.reduction = r}); }},
      {"binary_cross_entropy",
       [](const Variable& x, const Variable& t, Reduction r) {
         return binary_cross_entropy(x, t, {.reduction = r});
       }},
      {"binary_cross_entropy_with_logits",
       [](const Variable& x, const Variable& t, Reduction r) {
         return binary_cross_entropy_with_logits(x, t, {.reduction = r});
       }},
      {"kl_div", [](const Variable& x, const Variable& t,
                    Reduction r) { return kl_div(x, t, {.reduction = r}); }},
      {"hinge_loss",
       [](const Variable& x, const Variable& t, Reduction r) {
         return hinge_loss(x, sign(t - 0.5).value(), {.reduction = r});
       }},
  };
  return all;
}

/// The derivative of a loss of one number.
double slope(const std::function<Variable(const Variable&)>& loss, double at) {
  Tape tape;
  const Variable x = tape.watch(full({1}, at, Dtype::float64));
  return tape.gradients(sum(loss(x)))[x].value().item();
}

}  // namespace

TEST_CASE("reductions keep the losses apart, average them or add them up") {
  const Tensor x = random({2, 3}, 1, 0.1, 0.9);
  const Tensor t = random({2, 3}, 2, 0.1, 0.9);
  for (const auto& [name, loss] : losses()) {
    CAPTURE(name);
    const Variable apart = loss(x, t, Reduction::none);
    CHECK(apart.shape() == Shape{2, 3});
    const Variable total = loss(x, t, Reduction::sum);
    CHECK(total.shape() == Shape{});
    CHECK(total.item() == doctest::Approx(sum(apart).item()).epsilon(1e-14));
    CHECK(loss(x, t, Reduction::mean).item() == doctest::Approx(total.item() / 6.0).epsilon(1e-14));
  }
}

TEST_CASE("a target of another shape, dtype or undefined is refused, even one that broadcasts") {
  const Variable x = full({3, 1}, 0.5, Dtype::float64);
  for (const auto& [name, loss] : losses()) {
    CAPTURE(name);
    expect_error<ShapeError>(
        [&] {
          loss(x, ones({1, 3}, Dtype::float64), Reduction::mean);
        },
        {name, "[3,1]", "[1,3]", "one shape"});
    if (name != "hinge_loss") {
      expect_error<ShapeError>([&] { loss(x, Variable(), Reduction::mean); }, {name, "undefined"});
      expect_error<DtypeError>(
          [&] {
            loss(x, ones({3, 1}), Reduction::mean);
          },
          {name, "float64", "float32"});
    }
    const Variable none = zeros({0, 2}, Dtype::float64);
    expect_error<ShapeError>([&] { loss(none, none, Reduction::mean); },
                             {name, "nothing to average"});
    CHECK(loss(none, none, Reduction::sum).item() == 0.0);
  }
}

TEST_CASE("squared, absolute and Huber losses by hand") {
  const Variable x = numbers({1.0, -2.0, 0.5, 3.0});
  const Variable t = numbers({1.5, 1.0, 0.5, -1.0});
  const Reduction none = Reduction::none;
  expect_values(mse_loss(x, t, {.reduction = none}).value(), {0.25, 9.0, 0.0, 16.0});
  expect_values(l1_loss(x, t, {.reduction = none}).value(), {0.5, 3.0, 0.0, 4.0});
  // delta 3 is a boundary: 9/2 both ways.
  expect_values(huber_loss(x, t, {.delta = 3.0, .reduction = none}).value(),
                {0.125, 4.5, 0.0, 7.5});
  expect_error<ArgumentError>([&] { huber_loss(x, t, {.delta = 0.0}); }, {"huber_loss", "delta"});
  expect_error<ArgumentError>([&] { huber_loss(x, t, {.delta = std::nan("")}); }, {"delta"});
}

TEST_CASE("at their kinks the losses have the derivatives that their headers declare") {
  CHECK(slope([](const Variable& x) { return l1_loss(x, numbers({2.0})); }, 2.0) == 0.0);
  const auto huber = [](const Variable& x) { return huber_loss(x, numbers({0.0})); };
  CHECK(slope(huber, 1.0) == 1.0);
  CHECK(slope(huber, -1.0) == -1.0);
  const auto hinge = [](const Variable& x) { return hinge_loss(x, numbers({1.0})); };
  CHECK(slope(hinge, 1.0) == 0.0);
  CHECK(slope(hinge, 0.999) == -1.0);
  const auto bce = [](const Variable& x) { return binary_cross_entropy(x, numbers({1.0})); };
  CHECK(slope(bce, 0.0) == 0.0);
  CHECK(slope(bce, 0.25) == -4.0);
}

TEST_CASE("binary cross-entropy is bounded at 0 and 1 and NaN outside") {
  const Variable x = numbers({0.0, 0.0, 1.0, 1.0, -0.5, 1.5, std::nan("")});
  const Variable t = numbers({0.0, 1.0, 0.0, 1.0, 0.5, 0.5, 1.0});
  expect_values(binary_cross_entropy(x, t, {.reduction = Reduction::none}).value(),
                {0.0, 100.0, 100.0, 0.0, std::nan(""), std::nan(""), std::nan("")});
}

TEST_CASE("binary cross-entropy from logits keeps its digits where the sigmoid saturates") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const auto loss = [&](double x, double t) {
      return binary_cross_entropy_with_logits(full({1}, x, dtype), full({1}, t, dtype)).item();
    };
    const double tolerance = dtype == Dtype::float32 ? 1e-6 : 1e-13;
    CHECK(loss(0.0, 0.3) == doctest::Approx(std::log(2.0)).epsilon(tolerance));
    CHECK(loss(40.0, 1.0) / std::exp(-40.0) == doctest::Approx(1.0).epsilon(tolerance));
    CHECK(loss(-40.0, 0.0) / std::exp(-40.0) == doctest::Approx(1.0).epsilon(tolerance));
    CHECK(loss(1000.0, 0.0) == 1000.0);
    CHECK(loss(-1000.0, 1.0) == 1000.0);
    CHECK(loss(1000.0, 1.0) == 0.0);
  }
}

TEST_CASE("from logits and from probabilities it is one loss, with the derivative y - t") {
  const Tensor value = random({2, 3}, 3, -4.0, 4.0);
  const Tensor t = random({2, 3}, 4, 0.0, 1.0);
  Tape tape;
  const Variable x = tape.watch(value);
  const Variable y = sigmoid(x);
  const LossOptions total{.reduction = Reduction::sum};
  const Variable from_logits =
      binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::sum});
  const Variable from_probabilities = binary_cross_entropy(y, t, total);
  CHECK(from_logits.item() == doctest::Approx(from_probabilities.item()).epsilon(1e-14));
  const Tensor expected = (detach(y) - Variable(t)).value();
  expect_close(tape.gradients(from_logits, {.retain = true})[x].value(), expected, 1e-14);
  expect_close(tape.gradients(from_probabilities)[x].value(), expected, 1e-13);
}

TEST_CASE("pos_weight weighs the term of the target alone, and broadcasts") {
  const Variable x = zeros({2, 2}, Dtype::float64);
  const Variable t = Tensor::of<double>({2, 2}, {1.0, 0.0, 0.5, 1.0});
  const Tensor weights = Tensor::of<double>({2}, {2.0, 3.0});
  const double log_2 = std::log(2.0);
  expect_values(
      binary_cross_entropy_with_logits(x, t, {.pos_weight = weights, .reduction = Reduction::none})
          .value(),
      {2 * log_2, log_2, 1.5 * log_2, 3 * log_2});
  const char* name = "binary_cross_entropy_with_logits";
  expect_error<ShapeError>(
      [&] {
        binary_cross_entropy_with_logits(x, t, {.pos_weight = ones({3, 2, 2}, Dtype::float64)});
      },
      {name, "pos_weight", "[3,2,2]", "[2,2]"});
  expect_error<ShapeError>(
      [&] { binary_cross_entropy_with_logits(x, t, {.pos_weight = ones({3}, Dtype::float64)}); },
      {name, "[3]"});
}

TEST_CASE(
    "the Kullback-Leibler divergence is 0 for equal distributions, and for impossible events") {
  const Tensor logits = random({3, 4}, 5);
  const Variable log_p = log_softmax(logits);
  CHECK(kl_div(log_p, exp(log_p), {.reduction = Reduction::sum}).item() == doctest::Approx(0.0));
  CHECK(kl_div(log_p, log_p, {.log_target = true}).item() == 0.0);
  expect_values(
      kl_div(numbers({-kInfinity, -1.0}), numbers({0.0, 0.0}), {.reduction = Reduction::none})
          .value(),
      {0.0, 0.0});
  CHECK(kl_div(numbers({-kInfinity}), numbers({0.5})).item() == kInfinity);
}

TEST_CASE("the hinge loss is 0 beyond the margin, on the right side") {
  const Variable x = numbers({2.0, 0.5, -0.5, -3.0});
  const Tensor t = Tensor::of<std::int64_t>({4}, {1, 1, -1, 1});
  expect_values(hinge_loss(x, t, {.reduction = Reduction::none}).value(), {0.0, 0.5, 0.5, 4.0});
  expect_values(hinge_loss(x, t, {.margin = 3.0, .reduction = Reduction::none}).value(),
                {1.0, 2.5, 2.5, 6.0});
  expect_error<ArgumentError>([&] { hinge_loss(x, arange(4)); },
                              {"hinge_loss", "[4]", "position 0", "1 or -1"});
}

TEST_CASE("the cosine does not depend on lengths, however large or small, and is 0 for a zero") {
  const Variable a = Tensor::of<double>({3, 2}, {3.0, 4.0, 1e200, 0.0, 0.0, 0.0});
  const Variable b = Tensor::of<double>({3, 2}, {4.0, 3.0, -1e-3, 0.0, 1.0, 2.0});
  expect_values(cosine_similarity(a, b).value(), {0.96, -1.0, 0.0});
  CHECK(cosine_similarity(a, b, 0).shape() == Shape{2});
  CHECK(cosine_similarity(zeros({2, 5, 3}), zeros({3})).shape() == Shape{2, 5});
}

TEST_CASE("cosine losses name what does not fit") {
  const Variable a = ones({3, 2}, Dtype::float64);
  expect_error<DtypeError>(
      [&] {
        cosine_similarity(a, ones({3, 2}));
      },
      {"cosine_similarity", "float64 [3,2]", "float32 [3,2]"});
  expect_error<ShapeError>(
      [&] {
        cosine_similarity(a, ones({3, 4}, Dtype::float64));
      },
      {"cosine_similarity", "[3,2]", "[3,4]"});
  expect_error<ArgumentError>([&] { cosine_similarity(a, a, 2); }, {"cosine_similarity", "axis 2"});
  expect_error<ArgumentError>([&] { cosine_similarity(a, a, -1, 0.0); }, {"epsilon"});
  const Tensor t = Tensor::of<std::int64_t>({3}, {1, -1, 0});
  const auto embedding_loss = [](const Variable& x, const Variable& y, const Tensor& targets,
                                 double margin = 0.0) {
    return cosine_embedding_loss(x, y, targets, {.margin = margin});
  };
  const char* name = "cosine_embedding_loss";
  expect_error<ArgumentError>([&] { embedding_loss(a, a, t); }, {name, "position 2", "1 or -1"});
  expect_error<ShapeError>([&] { embedding_loss(a, a, t.reshape({3, 1})); }, {name, "[3,1]"});
  expect_error<ShapeError>([&] { embedding_loss(a, ones({2}, Dtype::float64), t); },
                           {name, "[3,2]", "[2]"});
  expect_error<ArgumentError>([&] { embedding_loss(a, a, t, 1.5); }, {name, "margin"});
}

}  // namespace unroll::testing
