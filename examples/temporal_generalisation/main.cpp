// Temporal generalisation: brown-yellow(n)-blue (lecture 001, "Temporal Generalization").
//
// A sequence is right when it is one brown, n yellows, one blue. Half of the sequences are, the
// others have one colour before the blue exchanged. At the blue the net says which it was. It
// learns from n of 1 to 8 and is then asked about n up to 1000. A net that looks through a window
// of the last ten colours sees all of every sequence it learns from; the LSTM sees one colour at a
// time and has to remember.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

enum Colour { brown, yellow, blue, colours };
constexpr Index kWindow = 10, kLongestLearnt = 8, kHidden = 12;

struct Batch {
  Tensor x;       // [T,B,3], one-hot; before the sequence kWindow steps of nothing
  Tensor answer;  // [B], 1 for right
};

Batch sequences(Index n, Index count) {
  const Index start = kWindow, steps = start + n + 2;
  std::vector<float> x(static_cast<std::size_t>(steps * count * colours));
  std::vector<Index> answer;  // right and wrong in turn
  for (Index b = 0; b < count; ++b) {
    const Index wrong_at = example::below(n + 1);
    for (Index t = 0; t < n + 2; ++t) {
      Index colour = t == 0 ? brown : t <= n ? yellow : blue;
      if (b % 2 == 1 && t == wrong_at) colour = (colour + 1 + example::below(2)) % colours;
      x[static_cast<std::size_t>(((start + t) * count + b) * colours + colour)] = 1.0F;
    }
    answer.push_back(1 - b % 2);
  }
  return {Tensor::of({steps, count, colours}, x), Tensor::of({count}, answer)};
}

struct LSTMNet : nn::Module {
  nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::LSTM(colours, kHidden)));
  nn::Linear readout = add("readout", nn::Linear(kHidden, 2));

  Variable operator()(const Variable& x) const { return readout(rnn(x).state[0]); }  // [B,2]
};

struct WindowNet : nn::Module {  // a time delay network with the delays 0, 1, ..., 9
  nn::TimeDelay window = add(
      "window", nn::TimeDelay(colours, kHidden, {.delays = arange(kWindow).to_vector<Index>()}));
  nn::Linear readout = add("readout", nn::Linear(kHidden, 2));

  Variable operator()(const Variable& x) const {
    const Index steps = x.size(0);  // only the last output is wanted: no step before the window
    return readout(tanh(select(window(slice(x, 0, steps - kWindow, steps)), 0, -1)));
  }
};

/// Trains a new net and returns its accuracy at each length.
template <class Net>
std::vector<double> accuracies(const std::vector<double>& lengths, int updates,
                               std::uint64_t first_weights) {
  seed(first_weights);
  Net net;
  nn::Adam adam(net.parameters(), {.learning_rate = 5e-3});
  for (int k = 0; k < updates; ++k) {
    const Index n = 1 + example::below(kLongestLearnt);
    const Batch batch = sequences(n, 32);
    Tape tape;
    Gradients gradients = tape.gradients(cross_entropy(net(batch.x), batch.answer));
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
  }
  std::vector<double> result;
  for (const double n : lengths) {
    const Batch batch = sequences(static_cast<Index>(n), 200);
    const Tensor correct = eq(argmax(net(batch.x), -1), batch.answer);
    result.push_back(mean(correct.to(Dtype::float32)).item());
  }
  return result;
}

double found_the_rule(const std::vector<std::vector<double>>& runs) {
  return static_cast<double>(
      std::count_if(runs.begin(), runs.end(), [](auto& run) { return run.back() >= 0.99; }));
}

void program(const example::Options& options) {
  const std::uint64_t seeds = options.quick ? 1 : 8;
  const int updates = options.quick ? 600 : 6000;
  const std::vector<double> lengths{1, 2, 4, 6, 8, 9, 10, 12, 16, 25, 50, 100, 200, 500, 1000};
  std::vector<std::vector<double>> lstm_runs, window_runs;
  for (std::uint64_t k = 0; k < seeds; ++k) {
    lstm_runs.push_back(accuracies<LSTMNet>(lengths, updates, options.seed + k));
    window_runs.push_back(accuracies<WindowNet>(lengths, updates, options.seed + k));
  }
  const auto lstm = example::spread(lengths, lstm_runs),
             window = example::spread(lengths, window_runs);
  std::vector<double> bound;  // of the wrong sequences, 9 / (n + 1) have their error in the window
  for (const double n : lengths)
    bound.push_back(0.5 + 0.5 * std::min(1.0, (kWindow - 1) / (n + 1)));

  fmt::print("     n   LSTM  window   best that ten colours allow (medians over {} seeds)\n",
             seeds);
  for (std::size_t k = 0; k < lengths.size(); ++k)
    fmt::print("{:>6}{:>7.3f}{:>8.3f}{:>8.3f}\n", lengths[k], lstm[1][k], window[1][k], bound[k]);
  fmt::print(
      "\nLook at n up to 8, which was taught: both nets know it. Beyond it the window guesses,\n"
      "and most LSTMs do not notice a difference: they hold a rule, not the examples.\n\n");
  example::figure("LSTM, median accuracy at n = 8", lstm[1][4], {0.99, 1});
  example::figure("window, median accuracy at n = 8", window[1][4], {0.99, 1});
  example::figure("LSTM, median accuracy at n = 1000", lstm[1].back(), {0.99, 1});
  example::figure("window, median accuracy at n = 1000", window[1].back(), {0.45, 0.55});
  example::figure(fmt::format("LSTMs of {} that found the rule", seeds), found_the_rule(lstm_runs),
                  {5, 8});
  example::Panel panel("brown-yellow(n)-blue, learnt from n = 1 ... 8 (medians; thin: each seed)",
                       "number of yellows n", "accuracy (fraction of sequences)");
  panel.set("logscale x").set("yrange [0.4:1.05]").set("key at graph 0.29, 0.6");
  panel.set("arrow from 8.5, graph 0 to 8.5, graph 1 nohead dt 2");
  panel.set("label 'learnt' at 7.5, 0.43 right").set("label 'never seen' at 9.5, 0.43");
  for (const auto& run : lstm_runs) panel.curve("", "with lines lc rgb '#9ecae1'", {lengths, run});
  panel.curve("LSTM", "with linespoints lw 2 pt 7 lc rgb '#08519c'", {lengths, lstm[1]});
  panel.curve("window of ten", "with linespoints lw 2 pt 5 lc rgb '#d95f02'", {lengths, window[1]});
  panel.curve("best such window", "with lines dt 3 lw 2 lc rgb '#555555'", {lengths, bound});
  example::draw(options.picture, {panel});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "temporal_generalisation",
                      "An LSTM learns the rule brown-yellow(n)-blue, a window does not.", program);
}
