// Learned delays (lecture 001, "Learning time delays"): a softmax over all delays of a connection
// that converges to one-hot.
//
// Two signals reach two receivers, each on its way after a delay of its own and weakened or
// amplified: y_j(t) = sum_i w_ji x_i(t - d_ji) + noise. From x and y alone the layer finds the
// eight numbers w and d.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kSignals = 2, kReceivers = 2, kLongest = 20;
constexpr Index kDelay[kReceivers][kSignals] = {{3, 11}, {17, 7}};
constexpr float kWeight[kReceivers][kSignals] = {{1.5F, -0.8F}, {0.6F, 1.2F}};
constexpr double kNoise = 0.1;

/// What the receivers hear of x: [T,B,2].
Tensor heard(const Tensor& x) {
  // A time delay network with a weight for every delay of 1 to 20, of which four are not 0.
  std::vector<Index> delays;
  for (Index d = 1; d <= kLongest; ++d) delays.push_back(d);
  std::vector<float> weight(kReceivers * kLongest * kSignals);  // [O,D,I]
  for (Index j = 0; j < kReceivers; ++j)
    for (Index i = 0; i < kSignals; ++i)
      weight[static_cast<std::size_t>((j * kLongest + kDelay[j][i] - 1) * kSignals + i)] =
          kWeight[j][i];
  nn::TimeDelay truth(kSignals, kReceivers, {.delays = delays, .bias = false});
  truth.parameters()[0].set(Tensor::of({kReceivers, kLongest, kSignals}, weight));
  const Variable y = truth(x);
  return (y + normal(y.shape(), 0.0, kNoise)).value();
}

void program(const example::Options& options) {
  const Index updates = options.quick ? 30 : 1500;
  const Tensor x = normal({500, 8, kSignals}, 0.0, 1.0);  // [T,B,I]
  const Tensor y = heard(x);
  nn::LearnedDelay layer(kSignals, kReceivers, {.max_delay = kLongest, .bias = false});
  nn::Adam adam(layer.parameters(), {.learning_rate = 0.1});

  const auto probability = [&](Index j, Index i) {  // of the true delay
    return layer.distribution().value().at({j, kDelay[j][i] - 1, i});
  };
  std::vector<double> update, curves[kReceivers][kSignals];
  double loss = 0.0;
  for (Index k = 1; k <= updates; ++k) {
    update.push_back(static_cast<double>(k));
    for (Index j = 0; j < kReceivers; ++j)
      for (Index i = 0; i < kSignals; ++i) curves[j][i].push_back(probability(j, i));
    Tape tape;
    const Variable error = mean(square(layer(x) - y));
    adam.step(tape.gradients(error));
    loss = error.item();
  }

  fmt::print("connection   true delay   found  probability   true weight   found\n");
  const Tensor found = argmax(layer.distribution(), 1);  // [O,I], counted from 0
  double right = 0.0, least = 1.0, furthest = 0.0;
  for (Index j = 0; j < kReceivers; ++j)
    for (Index i = 0; i < kSignals; ++i) {
      const double delay = found.at({j, i}) + 1.0,
                   weight = layer.parameters()[0].value().at({j, i});
      fmt::print("x{} to y{}{:>15}{:>9}{:>13.3f}{:>12.1f}{:>10.3f}\n", i + 1, j + 1, kDelay[j][i],
                 delay, probability(j, i), kWeight[j][i], weight);
      right += delay == static_cast<double>(kDelay[j][i]) ? 1.0 : 0.0;
      least = std::min(least, probability(j, i));
      furthest = std::max(furthest, std::abs(weight - static_cast<double>(kWeight[j][i])));
    }
  fmt::print(
      "\nLook at the probabilities: all start at 1/{}, and each softmax ends as one-hot on the\n"
      "true delay. The error that is left is the noise.\n\n",
      kLongest);
  example::figure("delays found, of 4", right, {4, 4});
  example::figure("least probability of a true delay", least, {0.95, 1});
  example::figure("largest error of a weight", furthest, {0, 0.05});
  example::figure("root mean squared error", std::sqrt(loss), {0.09, 0.12});

  std::vector<double> delays;
  for (Index d = 1; d <= kLongest; ++d) delays.push_back(static_cast<double>(d));
  example::Panel learning("Probability of the true delay while learning", "update", "probability");
  learning.set("logscale x").set("xrange [1:2000]").set("yrange [0:1.05]").set("key top left");
  example::Panel learnt("The four softmaxes after learning", "delay (steps)", "probability");
  learnt.set("xrange [0:21]").set("yrange [0:1.05]").set("key off").set("xtics 1");
  for (Index j = 0; j < kReceivers; ++j)
    for (Index i = 0; i < kSignals; ++i) {
      const std::string name = fmt::format("x{} to y{}, delay {}", i + 1, j + 1, kDelay[j][i]);
      learning.curve(name, "with lines lw 2", {update, curves[j][i]});
      const Variable p = select(select(layer.distribution(), 0, j), -1, i);
      learnt.curve(name, "with linespoints lw 2 pt 7", {delays, p.value().to_vector<double>()});
    }
  example::draw(options.picture, {learning, learnt});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "learned_delays",
                      "A softmax over delays finds the true one of every connection.", program);
}
