#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// log softmax of one row, by the definition, in long double.
std::vector<double> log_softmax_of(const std::vector<double>& row) {
  long double total = 0.0L;
  for (double x : row) total += std::exp(static_cast<long double>(x));
  std::vector<double> result;
  for (double x : row) result.push_back(static_cast<double>(x - std::log(total)));
  return result;
}

Tensor classes(const Shape& shape, std::initializer_list<std::int64_t> values) {
  return Tensor::of<std::int64_t>(shape, values);
}

}  // namespace

TEST_CASE("cross entropy is the mean of minus log softmax at the targets") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor logits = random({2, 3, 5}, 1, -3.0, 3.0).to(dtype);
    const std::vector<std::int64_t> targets{4, 0, 2, 1, 1, 3};
    double expected = 0.0;
    for (std::size_t k = 0; k < 6; ++k) {
      const auto row = logits.reshape({6, 5}).select(0, static_cast<Index>(k));
      expected -= log_softmax_of(row.to_vector<double>())[static_cast<std::size_t>(targets[k])] / 6;
    }
    const Variable loss = cross_entropy(logits, Tensor::of({2, 3}, targets));
    CHECK(loss.shape() == Shape{});
    CHECK(loss.dtype() == dtype);
    CHECK(loss.item() == doctest::Approx(expected).epsilon(dtype == Dtype::float32 ? 1e-6 : 1e-14));
  }
}

TEST_CASE("equal logits cost the logarithm of the number of classes") {
  const Tensor targets = Tensor::of<std::int64_t>({4}, {0, 5, 99, 3});
  CHECK(cross_entropy(zeros({4, 100}, Dtype::float64), targets).item() ==
        doctest::Approx(std::log(100.0)));
}

TEST_CASE("cross entropy takes views of logits and of targets") {
  const Tensor logits = random({5, 4}, 1);
  const Tensor targets = Tensor::of<std::int64_t>({4, 2}, {1, 0, 4, 0, 2, 0, 3, 0}).select(1, 0);
  const Tensor packed = logits.transpose(0, 1).contiguous();
  CHECK(cross_entropy(logits.transpose(0, 1), targets).item() ==
        cross_entropy(packed, targets.contiguous()).item());
}

TEST_CASE("the gradient of cross entropy is the probabilities less the targets, over the rows") {
  Tape tape;
  const Tensor value = random({3, 4}, 1);
  const Variable logits = tape.watch(value);
  const Variable loss = cross_entropy(logits, Tensor::of<std::int64_t>({3}, {2, 0, 3}));
  Tensor expected = softmax(value).value().clone();
  expected.mutable_data<double>()[2] -= 1.0;
  expected.mutable_data<double>()[4] -= 1.0;
  expected.mutable_data<double>()[11] -= 1.0;
  expect_close(tape.gradients(loss)[logits].value(), (Variable(expected) / 3.0).value());
}

TEST_CASE("huge logits neither overflow nor lose digits of the cross entropy") {
  const Variable apart = Tensor::of<double>({1, 2}, {0.0, 800.0});
  CHECK(cross_entropy(apart, classes({1}, {0})).item() == 800.0);
  const Tensor small = random({3, 4}, 5).to(Dtype::float32);
  const Tensor targets = classes({3}, {1, 3, 0});
  // 2^20 is added exactly to numbers of few bits.
  const Variable rounded = round(small * 8.0);
  for (double smoothing : {0.0, 0.5})
    CHECK(cross_entropy(rounded + 1048576.0, targets, {.label_smoothing = smoothing}).item() ==
          doctest::Approx(cross_entropy(rounded, targets, {.label_smoothing = smoothing}).item())
              .epsilon(1e-6));
}

TEST_CASE("rows longer than a block agree with the definition, smoothed and weighted or not") {
  // 2500 classes are three blocks of the kernel; the maximum moves from one to the next.
  const Index n = 2500;
  Tensor x = random({1, n}, 6);
  for (Index place : {3, 1200, 2400}) x.mutable_data<double>()[place] = double(place) / 500.0;
  const Tensor weights = random({n}, 7, 0.1, 2.0);
  const auto log_p = log_softmax_of(x.to_vector<double>());
  const auto w = weights.to_vector<double>();
  double spread = 0.0;
  for (std::size_t c = 0; c < w.size(); ++c) spread -= w[c] * log_p[c] / double(n);

  const Tensor target = classes({1}, {1200});
  CHECK(cross_entropy(x, target).item() == doctest::Approx(-log_p[1200]).epsilon(1e-13));
  const double own = -w[1200] * log_p[1200];
  CHECK(cross_entropy(x, target,
                      {.weights = weights, .label_smoothing = 0.25, .reduction = Reduction::sum})
            .item() == doctest::Approx(0.75 * own + 0.25 * spread).epsilon(1e-13));

  Tape tape;
  const Variable logits = tape.watch(x);
  const Gradients gradients = tape.gradients(cross_entropy(logits, target));
  std::vector<double> expected;
  for (double e : log_p) expected.push_back(std::exp(e));
  expected[1200] -= 1.0;
  expect_values(gradients[logits].value(), expected, 1e-14);
}

TEST_CASE("classes that are ruled out by minus infinity do not disturb, in whatever block") {
  const double none = -std::numeric_limits<double>::infinity();
  Tensor x = random({1, 2500}, 8);
  std::fill_n(x.mutable_data<double>(), 1300, none);
  x.mutable_data<double>()[2499] = none;
  const double expected = -log_softmax_of(x.to_vector<double>())[2000];
  Tape tape;
  const Variable logits = tape.watch(x);
  const Variable loss = cross_entropy(logits, classes({1}, {2000}));
  CHECK(loss.item() == doctest::Approx(expected).epsilon(1e-13));
  const Tensor slope = tape.gradients(loss)[logits].value();
  CHECK(slope.at({0, 7}) == 0.0);
  CHECK(slope.at({0, 2000}) == doctest::Approx(std::exp(-expected) - 1.0));
  CHECK(cross_entropy(x, classes({1}, {5})).item() == -none);
}

TEST_CASE("a not-a-number among the logits shows in the loss") {
  for (Index place : {0, 7, 19}) {
    Tensor x = zeros({1, 20}, Dtype::float64);
    x.mutable_data<double>()[place] = std::nan("");
    CHECK(std::isnan(cross_entropy(x, classes({1}, {3})).item()));
  }
}

TEST_CASE("rows that are ignored count neither in the loss, nor in the mean, nor in the gradient") {
  const Tensor value = random({4, 3}, 9);
  const Tensor kept = concat({value.slice(0, 0, 1), value.slice(0, 2, 3)}, 0).value();
  for (bool from_logits : {true, false}) {
    const auto loss_of = [&](const Variable& x, const Tensor& targets, Index ignored) {
      return from_logits ? cross_entropy(x, targets, {.ignore_index = ignored})
                         : nll_loss(log_softmax(x), targets, {.ignore_index = ignored});
    };
    Tape tape;
    const Variable x = tape.watch(value);
    // A class may be the one to ignore.
    const Variable loss = loss_of(x, classes({4}, {2, 1, 0, 1}), 1);
    CHECK(loss.item() ==
          doctest::Approx(loss_of(kept, classes({2}, {2, 0}), -100).item()).epsilon(1e-14));
    const Tensor slope = tape.gradients(loss)[x].value();
    for (Index c = 0; c < 3; ++c) {
      CHECK(slope.at({1, c}) == 0.0);
      CHECK(slope.at({0, c}) != 0.0);
    }
  }
}

TEST_CASE("a row that is ignored may hold anything, for derivatives of any order") {
  const double none = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::of<double>({2, 2}, {1.0, 1.0, -none, std::nan("")});
  const Tensor targets = classes({2}, {0, -100});
  expect_values(cross_entropy(x, targets, {.reduction = Reduction::none}).value(),
                {std::log(2.0), 0.0});
  expect_values(nll_loss(x, targets, {.reduction = Reduction::none}).value(), {-1.0, 0.0});

  Tape tape;
  const Variable logits = tape.watch(x);
  const Variable slope =
      tape.gradients(cross_entropy(logits, targets), {.differentiable = true})[logits];
  expect_values(slope.value(), {-0.5, 0.5, 0.0, 0.0});
  expect_values(tape.gradients(sum(square(slope)))[logits].value(), {-0.5, 0.5, 0.0, 0.0});
}

TEST_CASE("the mean of weighted rows is divided by the weights of their targets") {
  const Tensor x = zeros({3, 2}, Dtype::float64);
  const Tensor weights = Tensor::of<double>({2}, {1.0, 3.0});
  const Tensor targets = classes({3}, {0, 1, 1});
  expect_values(
      cross_entropy(x, targets, {.weights = weights, .reduction = Reduction::none}).value(),
      {std::log(2.0), 3.0 * std::log(2.0), 3.0 * std::log(2.0)});
  CHECK(cross_entropy(x, targets, {.weights = weights}).item() == doctest::Approx(std::log(2.0)));
  CHECK(nll_loss(log_softmax(x), targets, {.weights = weights}).item() ==
        doctest::Approx(std::log(2.0)));
}

TEST_CASE("cross entropy saves nothing of the size of the logits") {
  Tape tape;
  const Variable logits = tape.watch(zeros({64, 1000}));
  const Tensor targets = zeros({64}, Dtype::int64);
  const Index before = bytes_in_use();
  const Variable loss = cross_entropy(logits, targets);
  CHECK(bytes_in_use() - before < 64 * 1000);  // the logits have four times as many bytes
  CHECK(loss.recorded());
}

TEST_CASE("rows have the same losses and gradients for any number of threads") {
  const int before = threads();
  const Tensor value = random({300, 700}, 10);
  std::vector<std::vector<double>> results;
  for (int count : {1, 2, 3}) {
    set_threads(count);
    Tape tape;
    const Variable x = tape.watch(value);
    const Variable loss =
        cross_entropy(x, zeros({300}, Dtype::int64)) + mean(softmax(x)) + mean(log_softmax(x) * x);
    results.push_back(tape.gradients(loss)[x].value().to_vector<double>());
    results.back().push_back(loss.item());
  }
  set_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("losses over classes refuse what makes no sense, and say what it is") {
  const Variable x = zeros({3, 4}, Dtype::float64);
  const Tensor targets = classes({3}, {1, 2, 3});
  const auto weights = [](const Shape& shape, Dtype dtype = Dtype::float64) {
    return ones(shape, dtype);
  };
  expect_error<ShapeError>([&] { cross_entropy(x, targets, {.weights = weights({3})}); },
                           {"cross_entropy", "weights", "[3]", "[4]"});
  expect_error<ShapeError>(
      [&] { cross_entropy(x, targets, {.weights = weights({4}, Dtype::int64)}); },
      {"weights", "int64", "floating"});
  for (double smoothing : {-0.1, 1.1, std::nan("")})
    expect_error<ArgumentError>([&] { cross_entropy(x, targets, {.label_smoothing = smoothing}); },
                                {"cross_entropy", "label_smoothing", "0..1"});
  for (const char* name : {"cross_entropy", "nll_loss"}) {
    const auto loss = [&](const Tensor& t, Index ignored = -100, const Tensor& w = {}) {
      return name == std::string("nll_loss")
                 ? nll_loss(x, t, {.weights = w, .ignore_index = ignored})
                 : cross_entropy(x, t, {.weights = w, .ignore_index = ignored});
    };
    expect_error<ShapeError>([&] { loss(classes({2}, {1, 2})); }, {name, "[3,4]", "[2]", "[3]"});
    expect_error<ArgumentError>(
        [&] {
          loss(classes({3}, {-100, 1, 4}));
        },
        {name, "holds 4", "position 2", "0..3"});
    expect_error<ArgumentError>([&] { loss(classes({3}, {-100, 1, 2}), 3); }, {"holds -100"});
    expect_error<DtypeError>([&] { loss(zeros({3})); }, {name, "int64"});
    expect_error<ArgumentError>(
        [&] {
          loss(classes({3}, {7, 7, 7}), 7);
        },
        {name, "none of the 3 rows", "Reduction::sum"});
    expect_error<ArgumentError>([&] { loss(targets, -100, zeros({4}, Dtype::float64)); },
                                {name, "weight 0"});
  }
  expect_error<DtypeError>([&] { nll_loss(arange(3), targets); }, {"nll_loss", "log_p", "int64"});
  expect_error<ShapeError>([&] { nll_loss(zeros({}), targets); }, {"nll_loss", "[]"});
  CHECK(cross_entropy(x, classes({3}, {7, 7, 7}), {.ignore_index = 7, .reduction = Reduction::sum})
            .item() == 0.0);
}

}  // namespace unroll::testing
