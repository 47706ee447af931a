// The Mackey-Glass series, forecast by a NARX network (lecture 001, "NARX Networks"), in open and
// in closed loop.
//
//     dx/dt = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x(t),    x(0) = 1.2, x(t) = 0 before
//
// The task of many papers (Crowder, 1990; Jang, ANFIS, 1993): x(t+6) from x(t), x(t-6), x(t-12) and
// x(t-18), for t = 118 ... 617 to learn from and t = 618 ... 1117 to be tested on. That is a NARX
// network with Ty = 4 and no input over every sixth value. In open loop it reads the true values;
// in closed loop it reads its own output: fourteen of its steps are a forecast of 84. Beside
// it stands the same network with linear units.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <numbers>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kSpacing = 6, kDelays = 4, kAhead = 14;

/// x(0), x(1), ..., x(last), shifted and scaled to mean 0 and deviation 1, by the classical
/// Runge-Kutta method with steps of 0.1.
std::vector<double> mackey_glass(Index last) {
  constexpr std::size_t kDelay = 170;
  std::vector<double> x{1.2};  // every 0.1
  const auto slope = [](double now, double past) {
    return 0.2 * past / (1.0 + std::pow(past, 10)) - 0.1 * now;
  };
  for (std::size_t k = 0; k < static_cast<std::size_t>(last) * 10; ++k) {
    const double past = k < kDelay ? 0.0 : x[k - kDelay];
    const double next = k + 1 < kDelay ? 0.0 : x[k + 1 - kDelay], between = (past + next) / 2.0;
    const double k1 = slope(x[k], past), k2 = slope(x[k] + 0.05 * k1, between);
    const double k3 = slope(x[k] + 0.05 * k2, between), k4 = slope(x[k] + 0.1 * k3, next);
    x.push_back(x[k] + 0.1 / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4));
  }
  std::vector<double> whole;
  for (std::size_t k = 0; k < x.size(); k += 10) whole.push_back((x[k] - 0.93) / 0.23);
  return whole;
}

/// Every sixth value from each of these starts on, side by side: [T,B,1].
Tensor side_by_side(const std::vector<double>& x, const std::vector<Index>& starts, Index steps) {
  std::vector<double> values;
  for (Index t = 0; t < steps; ++t)
    for (const Index start : starts)
      values.push_back(x[static_cast<std::size_t>(start + t * kSpacing)]);
  return Tensor::of({steps, static_cast<Index>(starts.size()), 1}, values);
}

std::vector<Index> range(Index first, Index count) {
  std::vector<Index> all;
  for (Index k = 0; k < count; ++k) all.push_back(first + k);
  return all;
}

/// NRMSE of each step: root mean squared error over the batch, over the deviation of the series.
std::vector<double> nrmse(const Variable& y, const Variable& x, double deviation) {
  return (sqrt(mean(square(y - x), {1, 2})) / deviation).value().to_vector<double>();
}

nn::Recurrent trained(Index hidden, const nn::Activation& activation, const Tensor& learnt,
                      Index updates) {
  nn::Recurrent net(nn::NARX(1, hidden, 1, {.output_delays = kDelays, .activation = activation}));
  net.to(Dtype::float64);
  const Tensor nothing = zeros(learnt.shape(), Dtype::float64);
  nn::Adam adam(net.parameters(), {.learning_rate = 0.01});
  for (Index k = 0; k < updates; ++k) {
    const double done = static_cast<double>(k) / static_cast<double>(updates);
    adam.set_learning_rate(0.005 * (1.0 + std::cos(std::numbers::pi * done)));
    Tape tape;
    const Variable y = net(nothing, {}, {.targets = learnt}).outputs;
    // The first outputs have read fewer than four values.
    const Variable error = slice(y - learnt, 0, kDelays, learnt.size(0));
    const Variable loss = mean(square(error));
    adam.step(tape.gradients(loss));
    if (k % (updates / 4) == 0)
      fmt::print("{:>2} hidden, update {:>5}: mean squared error {:.2e}\n", hidden, k, loss.item());
  }
  return net;
}

void program(const example::Options& options) {
  const std::vector<double> series = mackey_glass(1300);
  // Six series, each every sixth value, hold all 500 patterns: the first value read is x(100).
  const Tensor learnt = side_by_side(series, range(100, kSpacing), 88);
  const nn::Recurrent net = trained(20, tanh, learnt, options.quick ? 32 : 20000);
  const nn::Recurrent linear = trained(1, nn::linear_activation, learnt, options.quick ? 32 : 2000);

  // 500 forecasts, from t = 618, 619, ...: four true values, then the loop is closed.
  const Tensor truth = side_by_side(series, range(600, 500), kDelays + kAhead);
  const double deviation = standard_deviation(slice(truth, 0, kDelays, kDelays + 1)).item();
  const Tensor none = zeros(truth.shape(), Dtype::float64);
  const Variable open = net(none, {}, {.targets = truth}).outputs;
  const Variable closed = net(none, {}, {.targets = truth.slice(0, 0, kDelays)}).outputs;
  const Variable straight = linear(none, {}, {.targets = truth.slice(0, 0, kDelays)}).outputs;
  const auto open_error = nrmse(open, truth, deviation);
  const auto closed_error = nrmse(closed, truth, deviation);
  const auto linear_error = nrmse(straight, truth, deviation);
  fmt::print(
      "\nLook at how the error grows in closed loop, where each step reads those before it, and "
      "at\n"
      "the linear one, which soon knows little more than the mean (1).\n\n");
  example::figure("NRMSE 6 ahead, open loop", open_error[kDelays], {0.0, 0.02});
  example::figure("NRMSE 84 ahead, closed loop", closed_error.back(), {0.0, 0.1});
  example::figure("NRMSE 6 ahead, linear", linear_error[kDelays], {0.4, 0.45});
  example::figure("NRMSE 84 ahead, linear", linear_error.back(), {0.65, 0.75});

  std::vector<double> ahead;
  for (Index k = 1; k <= kAhead; ++k) ahead.push_back(static_cast<double>(k * kSpacing));
  const auto tail = [](const std::vector<double>& all) {
    return std::vector<double>(all.begin() + kDelays, all.end());
  };
  const auto first = [&](const Variable& all) {
    return tail(select(select(all, 1, 0), -1, 0).value().to_vector<double>());
  };
  example::draw(
      options.picture,
      {example::Panel("Mackey-Glass series: the first of 500 forecasts", "time ahead (units of t)",
                      "x (standardised)")
           .set("key top left")
           .set("yrange [-2:2]")
           .curve("true", "with lines lw 2", {ahead, first(truth)})
           .curve("closed loop", "with points pt 6 ps 1.2 lw 2", {ahead, first(closed)}),
       example::Panel("Error over all 500 forecasts", "time ahead (units of t)", "NRMSE")
           .set("logscale y")
           .set("yrange [0.005:2]")
           .set("ytics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)")
           .set("key at graph 0.45, 0.65")
           .curve("linear, closed loop", "with linespoints lw 2 pt 9", {ahead, tail(linear_error)})
           .curve("closed loop", "with linespoints lw 2 pt 7", {ahead, tail(closed_error)})
           .curve("open loop, always 6 ahead", "with linespoints lw 2 pt 5",
                  {ahead, tail(open_error)})});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "mackey_glass",
                      "A chaotic series forecast by a NARX network, in open and in closed loop.",
                      program);
}
