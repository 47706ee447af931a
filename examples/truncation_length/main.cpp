// How far must gradients flow back? (lecture 002, "Number of stages need to be decided")
//
// A stream of random bits; at every step the net is asked for the bit of `lag` steps before. It
// reads the stream in windows of k steps. The state goes on from window to window, the gradient
// stops at their edges: truncated backpropagation through time. With k up to the lag no gradient
// ever joins a question to the bit it asks for.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <utility>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kBatch = 16, kHidden = 24;

struct Net : nn::Module {
  nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::LSTM(1, kHidden)));
  nn::Linear readout = add("readout", nn::Linear(kHidden, 2));
};

/// Learns from a stream of this many steps in windows of k, and returns the error on the last
/// fifth of it, in bits: 1 is a guess, 0 is perfect.
double error(Index lag, Index k, Index steps, std::uint64_t first_weights) {
  seed(first_weights);
  const Tensor bits = bernoulli({steps + lag, kBatch, 1}, 0.5);
  const Tensor asked = bits.squeeze(-1).to(Dtype::int64);

  Net net;
  nn::Adam adam(net.parameters(), {.learning_rate = 5e-3});
  nn::State state;
  double sum = 0.0, windows = 0.0;
  for (Index t = 0; t + k <= steps; t += k) {
    Tape tape;
    auto [outputs, after] = net.rnn(bits.slice(0, lag + t, lag + t + k), state);
    const Variable loss = cross_entropy(net.readout(outputs), asked.slice(0, t, t + k));
    Gradients gradients = tape.gradients(loss);
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
    state = detach(after);  // the value goes on, the gradient does not
    if (t >= steps - steps / 5) {
      sum += loss.item() / std::log(2.0);
      windows += 1.0;
    }
  }
  return sum / windows;
}

void program(const example::Options& options) {
  const Index steps = options.quick ? 1500 : 20000;
  const std::uint64_t seeds = options.quick ? 1 : 3;
  const std::vector<Index> lags{4, 8};
  std::vector<double> lengths{1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 32};
  if (options.quick) lengths = {4, 8, 16};
  example::Panel panel("Recall of the bit of 'lag' steps before (median and range over the seeds)",
                       "truncation length k (steps)", "error (bits; 1 is a guess)");
  panel.set("logscale x 2").set("yrange [-0.05:1.1]").set("key bottom left");
  std::vector<std::pair<std::string, double>> guessed, learnt;
  fmt::print("Error in bits, median over {} seeds\nlag k=", seeds);
  for (const double k : lengths) fmt::print("{:>6}", k);
  fmt::print("\n");
  for (const Index lag : lags) {
    std::vector<std::vector<double>> runs;
    for (std::uint64_t s = 0; s < seeds; ++s) {
      runs.emplace_back();
      for (const double k : lengths)
        runs.back().push_back(error(lag, static_cast<Index>(k), steps, options.seed + s));
    }
    const auto errors = example::spread(lengths, runs);
    fmt::print("{:>5}", lag);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      fmt::print("{:>6.2f}", errors[1][i]);
      if (lengths[i] == static_cast<double>(lag))
        guessed.emplace_back(fmt::format("lag {}, k = {}: error in bits", lag, lag), errors[1][i]);
      if (lengths[i] == static_cast<double>(2 * lag))
        learnt.emplace_back(fmt::format("lag {}, k = {}: error in bits", lag, 2 * lag),
                            errors[1][i]);
    }
    fmt::print("\n");
    panel.curve(fmt::format("lag {}", lag), "with yerrorlines lw 2 pt 7", errors);
  }
  fmt::print(
      "\nLook at where each line falls: at k = lag + 1, the first k at which a gradient reaches "
      "from a\n"
      "question back to the bit it asks for. The state alone, carried on, does not teach.\n\n");
  for (const auto& [what, errors] : guessed) example::figure(what, errors, {0.8, 1.05});
  for (const auto& [what, errors] : learnt) example::figure(what, errors, {0.0, 0.1});
  example::draw(options.picture, {panel});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "truncation_length",
                      "What truncated backpropagation through time can and cannot learn.", program);
}
