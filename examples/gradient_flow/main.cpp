// Do gradients vanish or explode? (lecture 002, "Issues in gradient")
//
// The influence of the state h_k on a later one h_t is a product of Jacobians, and its norm is at
// most (lambda_W lambda_phi)^(t-k). Here it is measured, for cells as they are before training,
// over all lags of a sequence of random numbers; and, of a loss that asks for the first input after
// the last step, the norm of its gradient with respect to the state at each step: what is left of
// the message when it arrives where it is needed.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kInputs = 2, kHidden = 32, kBatch = 4;

Parameter named(const nn::Module& module, const std::string& name) {
  for (const nn::Module::Named& each : module.named_parameters())
    if (each.name == name) return each.parameter;
  throw ArgumentError("there is no parameter " + name);
}

/// ReLU units that copy themselves, with small weights from the input (Le, Jaitly and Hinton, A
/// simple way to initialize recurrent networks of rectified linear units, 2015).
nn::Elman identity_relu() {
  nn::Elman cell(kInputs, kHidden, {.activation = relu});
  std::vector<float> identity(kHidden * kHidden, 0.0F);
  for (std::size_t k = 0; k < kHidden; ++k) identity[k * (kHidden + 1)] = 1.0F;
  named(cell, "weight_ih").set(normal({kHidden, kInputs}, 0.0, 0.001));
  named(cell, "weight_hh").set(Tensor::of({kHidden, kHidden}, identity));
  named(cell, "bias_ih").set(zeros({kHidden}));
  named(cell, "bias_hh").set(zeros({kHidden}));
  return cell;
}

/// An LSTM whose forget gates begin open: sigmoid(4) = 0.98.
nn::LSTM remembering_lstm() {
  nn::LSTM cell(kInputs, kHidden);
  std::vector<float> bias = named(cell, "bias_hh").value().to_vector<float>();
  std::fill_n(bias.begin() + kHidden, kHidden, 4.0F);  // rows in the order i, f, g, o
  named(cell, "bias_hh").set(Tensor::of({4 * kHidden}, bias));
  return cell;
}

/// lambda_W lambda_phi; the slopes of tanh and ReLU are at most 1.
double lambda(const nn::Elman& cell) {
  return nn::spectral_norm(named(cell, "weight_hh").value()) * 1.0;
}

struct Measured {
  std::string name, colour;
  nn::GradientFlow flow;
  example::Range rate;  ///< expected
};

/// The largest of the batch, for each lag.
std::vector<double> largest(const Tensor& norms) {
  return max(Variable(norms), {1}).value().to_vector<double>();
}

template <class C>
Measured measure(const std::string& name, const std::string& colour, C cell, double lambda,
                 const Tensor& x, const example::Range& rate) {
  cell.to(Dtype::float64);
  nn::Linear readout(cell.outputs(), kInputs);
  readout.to(Dtype::float64);
  const Index last = x.size(0) - 1;
  // Only the last step has a loss; its target is the first input.
  const auto loss = [&, t = Index{0}](const Variable& h, const Tensor& target) mutable {
    return t++ == last ? sum(square(readout(h) - Variable(target))) : Variable();
  };
  const Tensor targets = x.slice(0, 0, 1).broadcast_to(x.shape());
  return {name, colour,
          nn::gradient_flow(cell, x, {.loss = loss, .targets = targets, .spectral_bound = lambda}),
          rate};
}

void program(const example::Options& options) {
  const Index steps = options.quick ? 20 : 100;
  const Tensor x = uniform({steps, kBatch, kInputs}, 0.0, 1.0, Dtype::float64);
  const nn::Elman elman(kInputs, kHidden), relus = identity_relu();
  const std::vector<Measured> all{
      measure("Elman", "#d95f02", elman, lambda(elman), x, {0.5, 0.75}),
      measure("identity ReLU", "#1b9e77", relus, lambda(relus), x, {0.999, 1.001}),
      measure("GRU", "#7570b3", nn::GRU(kInputs, kHidden), 0.0, x, {0.55, 0.8}),
      measure("LSTM", "#e7298a", nn::LSTM(kInputs, kHidden), 0.0, x, {0.55, 0.8}),
      measure("LSTM, bias 4", "#000000", remembering_lstm(), 0.0, x, {0.97, 1.05}),
  };

  fmt::print("Norm of dh_T/dh_(T-lag), and the bound in brackets\n   lag");
  for (const Measured& cell : all) fmt::print("{:>18}", cell.name);
  for (Index lag = 0; lag <= steps; lag += steps / 10) {
    fmt::print("\n{:>6}", lag);
    for (const Measured& cell : all)
      fmt::print("{:>10.0e} {:>7}", largest(cell.flow.spectral)[std::size_t(lag)],
                 fmt::format("({:.0e})", cell.flow.bound[std::size_t(lag)]));
  }
  fmt::print(
      "\n\nLook at the slopes: a straight line down is a gradient that vanishes exponentially. No\n"
      "curve is above its bound, and most are far below. Gates alone do not help: as they begin,\n"
      "half open, they forget half of the state in a step. Held open by a bias of 4 they keep it, "
      "as\n"
      "the ReLUs do that copy themselves.\n\n");

  example::Panel norms(
      fmt::format("Influence of a state on the last of {} steps (dotted: its bound)", steps),
      "lag t - k (steps)", "norm of dh_t/dh_k");
  example::Panel losses("What of a loss at the last step reaches the steps before", "time step k",
                        "norm of dE/dh_k");
  for (example::Panel* panel : {&norms, &losses})
    panel->set("logscale y").set("format y '10^{%T}'");
  norms.set("key bottom left").set("yrange [1e-24:1e6]");
  losses.set("key bottom right");
  std::vector<double> lags, times;
  for (Index lag = 0; lag <= steps; ++lag) {
    lags.push_back(double(lag));
    times.push_back(double(steps - lag));
  }
  for (const Measured& cell : all) {
    const std::string line = "with lines lw 2 lc rgb '" + cell.colour + "'";
    norms.curve(cell.name, line, {lags, largest(cell.flow.spectral)});
    norms.curve("", line + " dt 3", {lags, cell.flow.bound});
    losses.curve(cell.name, line, {times, largest(cell.flow.loss_gradient)});
    example::figure(cell.name + ": factor in a step", cell.flow.rate(), cell.rate);
  }
  example::draw(options.picture, {norms, losses});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "gradient_flow",
                      "How far gradients flow back through recurrent networks.", program);
}
