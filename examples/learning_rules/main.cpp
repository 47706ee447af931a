// One task, every learning rule (lecture 001, "BPTT, Truncated BPTT, RTRL, Focused
// Backpropagation"; lecture 000, "Simple Backpropagation (Elman)").
//
// A stream of random bits; at every step an Elman network is asked for the bit of five steps
// before, so it must keep five. All rules read the same stream step by step, with the same first
// weights: what counts is how much of the stream a rule needs. Gradients that reach back five steps
// teach the network to keep a bit. Those that are cut sooner teach only the reading of what it
// happens to keep, and, changing the weights for what is asked now, in the end often destroy that.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kLag = 5, kBatch = 4, kHidden = 12, kStretch = 250;

using Make =
    std::function<std::unique_ptr<nn::LearningRule>(const nn::Recurrent&, const nn::StepLoss&)>;

struct Entry {
  std::string name;
  Make make;
  Index chunk;  ///< steps after which the sequence ends: for BPTT, which learns at the end only
  example::Range expected;
  std::string line;  ///< of the picture
};

template <class Rule, class... Options>
Make maker(Options... options) {
  return [=](const auto& rnn, const auto& loss) {
    return std::make_unique<Rule>(rnn, loss, options...);
  };
}

const std::vector<Entry>& entries() {
  constexpr Index endless = 1'000'000;
  using Window = nn::TruncatedBPTTOptions;
  static const std::vector<Entry> all{
      {"BPTT, sequences of 25", maker<nn::BPTT>(), 25, {0.0, 0.05}, "lc rgb '#000000'"},
      {"truncated BPTT, k1 = 1, k2 = 10",
       maker<nn::TruncatedBPTT>(Window{.k1 = 1, .k2 = 10}),
       endless,
       {0.0, 0.05},
       "lc rgb '#d95f02'"},
      {"RTRL", maker<nn::RTRL>(), endless, {0.0, 0.05}, "dt 2 lc rgb '#1b9e77'"},
      {"truncated BPTT, k1 = k2 = 5",
       maker<nn::TruncatedBPTT>(Window{.k1 = 5, .k2 = 5}),
       endless,
       {0.6, 1.1},
       "lc rgb '#66a61e'"},
      {"focused backpropagation",
       maker<nn::FocusedBackpropagation>(),
       endless,
       {0.6, 1.1},
       "lc rgb '#7570b3'"},
      {"simple backpropagation",
       maker<nn::SimpleBackpropagation>(),
       endless,
       {0.6, 1.1},
       "lc rgb '#e7298a'"},
  };
  return all;
}

/// The error in bits over each stretch of the stream.
std::vector<double> learn(const Entry& entry, Index steps, std::uint64_t first_weights) {
  seed(first_weights);
  const Tensor bits = bernoulli({steps + kLag, kBatch, 1}, 0.5);
  nn::Recurrent rnn(nn::Elman(1, kHidden));
  nn::Linear readout(kHidden, 2);
  std::vector<Parameter> parameters = rnn.parameters();
  for (const Parameter& p : readout.parameters()) parameters.push_back(p);
  // The large epsilon keeps the steps small where the gradients of a learned task vanish.
  nn::Adam adam(parameters, {.learning_rate = 5e-3, .epsilon = 1e-3});

  double error = 0.0;
  const auto rule = entry.make(rnn, [&](const Variable& h, const Tensor& target) {
    return cross_entropy(readout(h), target);
  });
  std::vector<double> errors;
  const auto use = [&](std::optional<nn::Update> update) {
    if (!update) return;
    error += update->loss;
    nn::clip_by_global_norm(update->gradients, 1.0);
    adam.step(update->gradients);
  };
  for (Index t = 0; t < steps; ++t) {
    use(rule->step(bits.select(0, t + kLag), bits.select(0, t).squeeze(-1).to(Dtype::int64)));
    if ((t + 1) % entry.chunk == 0) {
      use(rule->finish());
      rule->start(rule->state());
    }
    if ((t + 1) % kStretch == 0)
      errors.push_back(std::exchange(error, 0.0) / (double(kStretch) * std::log(2.0)));
  }
  return errors;
}

void program(const example::Options& options) {
  const Index steps = options.quick ? 500 : 10'000;
  std::vector<double> read;
  for (Index t = kStretch; t <= steps; t += kStretch) read.push_back(double(t));
  fmt::print(
      "Look at which curves fall: those of the rules whose gradients reach back {} steps. RTRL "
      "and\n"
      "the window of 10 steps learn at every step; BPTT, which learns at the end of a sequence,\n"
      "needs more of the stream.\n\n",
      kLag);
  example::Panel panel(fmt::format("Recall of the bit of {} steps before, Elman network", kLag),
                       "steps of the stream", "error (bits; 1 is a guess)");
  panel.set("yrange [-0.05:1.15]").set("xtics 2000").set("key at graph 0.98, 0.76");
  for (const Entry& entry : entries()) {
    const std::vector<double> errors = learn(entry, steps, options.seed);
    panel.curve(entry.name, "with lines lw 2 " + entry.line, {read, errors});
    example::figure(entry.name + ": bits", errors.back(), entry.expected);
  }
  example::draw(options.picture, {panel});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "learning_rules", "One task learned with every learning rule.",
                      program);
}
