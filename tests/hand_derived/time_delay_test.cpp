// Time delay neural networks, 001_7fa6a7ec02051579.txt, "Time Delay Neural Networks": a connection
// from i to j has a weight for each of its delays, and x is 0 before the first step.
//
//   y_j(t) = b_j + sum_i sum_n w_jni x_i(t - D_n)
//
// With L = sum_t <g(t), y(t)> and C_jdi = sum_t g_j(t) x_i(t - d):
//
//   dw_jni = C_j,D_n,i    db_j = sum_t g_j(t)    dx_i(t) = sum_j sum_n w_jni g_j(t + D_n)
//
// "Learning time delays": the weight of the delay d is w_ji p_jdi with p_jdi = softmax_d(v_jdi), so
//
//   dw_ji = sum_d p_jdi C_jdi    dv_jdi = w_ji p_jdi (C_jdi - sum_e p_jei C_jei)
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/time_delay.hpp>
#include <nn/optim/adam.hpp>

#include "hand_derived/plain.hpp"
#include "support/expect.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kOutputs = 2;
constexpr Index kSteps = 9;
constexpr Index kBatch = 2;

const std::vector<Matrix>& inputs() {
  static const std::vector<Matrix> x = samples(kSteps, kBatch, kInputs, 1);
  return x;
}
const std::vector<Matrix>& slopes() {
  static const std::vector<Matrix> g = samples(kSteps, kBatch, kOutputs, 2);
  return g;
}

/// C_jdi, summed over the batch.
double correlation(Index j, Index d, Index i) {
  double total = 0.0;
  for (Index t = d; t < kSteps; ++t)
    for (Index n = 0; n < kBatch; ++n)
      total += slopes()[static_cast<std::size_t>(t)](n, j) *
               inputs()[static_cast<std::size_t>(t - d)](n, i);
  return total;
}

/// The lecture's sum, w as rows j and columns (n, i).
std::vector<Matrix> forward(const Matrix& w, const Matrix& b, const std::vector<Index>& delays) {
  std::vector<Matrix> y;
  for (Index t = 0; t < kSteps; ++t) {
    y.push_back(Matrix(kBatch, kOutputs));
    for (Index m = 0; m < kBatch; ++m)
      for (Index j = 0; j < kOutputs; ++j) {
        y.back()(m, j) = b(j);
        for (std::size_t n = 0; n < delays.size(); ++n)
          for (Index i = 0; i < kInputs && t >= delays[n]; ++i)
            y.back()(m, j) += w(j, static_cast<Index>(n) * kInputs + i) *
                              inputs()[static_cast<std::size_t>(t - delays[n])](m, i);
      }
  }
  return y;
}

void check_steps(const Variable& actual, const std::vector<Matrix>& expected, const char* name) {
  for (Index t = 0; t < kSteps; ++t)
    check_close(actual.value().select(0, t), expected[static_cast<std::size_t>(t)], name);
}

void check_network(const std::vector<Index>& delays, const Matrix& exists) {
  const Index columns = static_cast<Index>(delays.size()) * kInputs;
  const Matrix b = sample(kOutputs, 1, 4);
  const Matrix w = sample(kOutputs, columns, 3);
  const Matrix used = hadamard(w, exists);

  nn::TimeDelay layer(
      kInputs, kOutputs,
      {.delays = delays,
       .connections = tensor(exists, {kOutputs, static_cast<Index>(delays.size()), kInputs})});
  const Parameter weight = set(layer, "weight", w);
  const Parameter bias = set(layer, "bias", b);
  Tape tape;
  const Variable x = tape.watch(sequence(inputs()));
  const Variable y = layer(x);
  check_steps(y, forward(used, b, delays), "y(t)");

  Matrix dw(kOutputs, columns);
  Matrix db(kOutputs, 1);
  std::vector<Matrix> dx(kSteps, Matrix(kBatch, kInputs));
  for (Index j = 0; j < kOutputs; ++j) {
    for (const Matrix& g : slopes())
      for (Index m = 0; m < kBatch; ++m) db(j) += g(m, j);
    for (std::size_t n = 0; n < delays.size(); ++n)
      for (Index i = 0; i < kInputs; ++i) {
        const Index column = static_cast<Index>(n) * kInputs + i;
        dw(j, column) = exists(j, column) * correlation(j, delays[n], i);
        for (Index t = 0; t + delays[n] < kSteps; ++t)
          for (Index m = 0; m < kBatch; ++m)
            dx[static_cast<std::size_t>(t)](m, i) +=
                used(j, column) * slopes()[static_cast<std::size_t>(t + delays[n])](m, j);
      }
  }
  const Gradients gradients = tape.gradients(sum(y * Variable(sequence(slopes()))));
  check_close(gradients[weight].value(), dw, "w");
  check_close(gradients[bias].value(), db, "b");
  check_steps(gradients[x], dx, "x(t)");
}

Matrix all_of(const std::vector<Index>& delays) {
  return map([](double) { return 1.0; },
             Matrix(kOutputs, static_cast<Index>(delays.size()) * kInputs));
}

/// What is called a convolution: the kernel [O,I,K] slides over x, which has K - 1 zeros in front.
std::vector<Matrix> convolution(const std::vector<double>& kernel, Index width) {
  std::vector<Matrix> y;
  for (Index t = 0; t < kSteps; ++t) {
    y.push_back(Matrix(kBatch, kOutputs));
    for (Index m = 0; m < kBatch; ++m)
      for (Index j = 0; j < kOutputs; ++j)
        for (Index i = 0; i < kInputs; ++i)
          for (Index k = 0; k < width; ++k) {
            const Index at = t + k - (width - 1);
            if (at >= 0)
              y.back()(m, j) += kernel[static_cast<std::size_t>((j * kInputs + i) * width + k)] *
                                inputs()[static_cast<std::size_t>(at)](m, i);
          }
  }
  return y;
}

/// The kernel that holds at a distance D_n from its end the weights of the delay D_n.
std::vector<double> kernel_of(const Matrix& w, const std::vector<Index>& delays, Index width) {
  std::vector<double> kernel(static_cast<std::size_t>(kOutputs * kInputs * width));
  for (Index j = 0; j < kOutputs; ++j)
    for (Index i = 0; i < kInputs; ++i)
      for (std::size_t n = 0; n < delays.size(); ++n)
        kernel[static_cast<std::size_t>((j * kInputs + i) * width + width - 1 - delays[n])] =
            w(j, static_cast<Index>(n) * kInputs + i);
  return kernel;
}

}  // namespace

TEST_CASE("a time delay layer has the gradients derived by hand, for any delays") {
  for (const std::vector<Index>& delays :
       {std::vector<Index>{0}, {0, 1, 2}, {0, 2, 5}, {7, 0, 3}}) {
    CAPTURE(delays.size());
    check_network(delays, all_of(delays));
  }
}

TEST_CASE("a time delay layer whose connections have delays of their own, by hand") {
  const std::vector<Index> delays{0, 1, 4, 6};
  Matrix exists = all_of(delays);
  for (std::size_t k = 0; k < exists.values.size(); ++k) exists.values[k] = k % 3 == 0 ? 0.0 : 1.0;
  check_network(delays, exists);
}

TEST_CASE("with D_n = n the layer is a one-dimensional convolution") {
  const std::vector<Index> delays{0, 1, 2, 3};
  nn::TimeDelay layer(kInputs, kOutputs, {.delays = delays, .bias = false});
  const Matrix w = sample(kOutputs, 4 * kInputs, 5);
  set(layer, "weight", w);
  check_steps(layer(sequence(inputs())), convolution(kernel_of(w, delays, 4), 4), "y(t)");
}

TEST_CASE("with D_n = n the layer is the operation conv1d, and so are its gradients") {
  const nn::TimeDelay layer(kInputs, kOutputs, {.delays = {0, 1, 2, 3}});
  const Parameter weight = set(layer, "weight", sample(kOutputs, 4 * kInputs, 5));
  const Parameter bias = set(layer, "bias", sample(kOutputs, 1, 4));
  const auto convolved = [&](const Variable& x) {                   // [T,B,I]
    const Variable kernel = flip(permute(weight, {0, 2, 1}), {2});  // [O,I,K], newest last
    const Variable past = pad(permute(x, {1, 2, 0}), 2, 3, 0);      // [B,I,3+T]
    return permute(conv1d(past, kernel, bias), {2, 0, 1});          // [T,B,O]
  };
  const auto results = [&](const auto& f) {  // y, and the gradients of sum <g, y>
    Tape tape;
    const Variable x = tape.watch(sequence(inputs()));
    const Variable y = f(x);
    const Gradients gradients = tape.gradients(sum(y * Variable(sequence(slopes()))));
    return std::vector<Tensor>{y.value(), gradients[x].value(), gradients[weight].value(),
                               gradients[bias].value()};
  };
  const std::vector<Tensor> ours = results(layer);
  const std::vector<Tensor> theirs = results(convolved);
  for (std::size_t k = 0; k < ours.size(); ++k) testing::expect_close(ours[k], theirs[k]);
}

TEST_CASE("a convolution as wide as the longest delay represents the time delay layer") {
  const std::vector<Index> delays{0, 2, 5};
  nn::TimeDelay layer(kInputs, kOutputs, {.delays = delays, .bias = false});
  const Matrix w = sample(kOutputs, 3 * kInputs, 6);
  set(layer, "weight", w);
  for (Index width : {6, 8})
    check_steps(layer(sequence(inputs())), convolution(kernel_of(w, delays, width), width), "y(t)");
}

TEST_CASE("learned delays have the gradients derived by hand") {
  const Index longest = 4;
  nn::LearnedDelay layer(kInputs, kOutputs, {.max_delay = longest, .bias = false});
  const Matrix w = sample(kOutputs, kInputs, 7);
  const Matrix v = sample(kOutputs, longest * kInputs, 8);
  Matrix p(kOutputs, longest * kInputs);
  Matrix effective = p;
  Matrix dw(kOutputs, kInputs);
  Matrix dv = p;
  for (Index j = 0; j < kOutputs; ++j)
    for (Index i = 0; i < kInputs; ++i) {
      double total = 0.0;
      for (Index d = 0; d < longest; ++d) total += std::exp(v(j, d * kInputs + i));
      for (Index d = 0; d < longest; ++d) {
        const Index column = d * kInputs + i;
        p(j, column) = std::exp(v(j, column)) / total;
        effective(j, column) = w(j, i) * p(j, column);
        dw(j, i) += p(j, column) * correlation(j, d + 1, i);
      }
      for (Index d = 0; d < longest; ++d) {
        const Index column = d * kInputs + i;
        dv(j, column) = w(j, i) * p(j, column) * (correlation(j, d + 1, i) - dw(j, i));
      }
    }
  const Parameter weight = set(layer, "weight", w);
  const Parameter delay = set(layer, "delay", v);
  check_close(layer.distribution().value(), p, "p");
  Tape tape;
  const Variable y = layer(sequence(inputs()));
  const std::vector<Matrix> expected =
      forward(effective, Matrix(kOutputs, 1), std::vector<Index>{1, 2, 3, 4});
  for (Index t = 1; t < kSteps; ++t)  // at t = 0 there is nothing to look back at
    check_close(y.value().select(0, t), expected[static_cast<std::size_t>(t)], "y(t)");
  const Gradients gradients = tape.gradients(sum(y * Variable(sequence(slopes()))));
  check_close(gradients[weight].value(), dw, "w");
  check_close(gradients[delay].value(), dv, "v");
}

TEST_CASE("learned delays find the true ones: the softmax converges to one-hot") {
  // y(t) = 1.5 x_0(t - 3) - 0.8 x_1(t - 6), from several first weights, their signs right or wrong.
  for (std::uint64_t start : {1, 2, 3, 4, 5}) {
    CAPTURE(start);
    seed(start);
    const Tensor x = normal({100, 2, 2}, 0.0, 1.0);
    nn::TimeDelay truth(2, 1, {.delays = {3, 6}, .bias = false});
    truth.parameters()[0].set(Tensor::of({1, 2, 2}, {1.5F, 0.0F, 0.0F, -0.8F}));
    const Variable wanted = truth(x);
    nn::LearnedDelay layer(2, 1, {.max_delay = 8, .bias = false});
    nn::Adam adam(layer.parameters(), {.learning_rate = 0.1});
    for (int k = 0; k < 1000; ++k) {
      Tape tape;
      adam.step(tape.gradients(mean(square(layer(x) - wanted))));
    }
    CHECK(mean(square(layer(x) - wanted)).item() < 1e-3);
    const Tensor p = layer.distribution().value();
    CHECK(p.at({0, 2, 0}) > 0.95);
    CHECK(p.at({0, 5, 1}) > 0.95);
    CHECK(layer.parameters()[0].value().at({0, 0}) == doctest::Approx(1.5).epsilon(0.05));
    CHECK(layer.parameters()[0].value().at({0, 1}) == doctest::Approx(-0.8).epsilon(0.05));
  }
}
