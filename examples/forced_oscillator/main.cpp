// The forced oscillator m s'' = -k s + A cos t under Euler's method, as a recurrent network
// (lecture 004, "Example"):
//
//     s' = s + h v,    v' = v + h (A/m cos t - k/m s)
//
// Its two parameters, k/m and A/m, are set, positions are observed with noise, and a second network
// that starts elsewhere finds the parameters from them by gradient descent through time.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr double kStep = 0.02, kNoise = 0.05;
constexpr double kStiffness = 2.5, kForce = 0.8;  // the k/m and A/m to be found

/// The right-hand side: ds/dt = v, dv/dt = A/m cos t - k/m s.
class ForcedOscillator : public nn::Module {
 public:
  ForcedOscillator(double stiffness, double force)
      : stiffness_(parameter("stiffness", full({}, stiffness, Dtype::float64))),
        force_(parameter("force", full({}, force, Dtype::float64))) {}

  Variable operator()(const Variable& state, const Variable& t, const Variable&) const {
    auto [s, v] = split<2>(state);  // [B,1] each
    return concat({v, Variable(force_) * cos(t) - Variable(stiffness_) * s});
  }
  double stiffness() const { return stiffness_.value().item(); }
  double force() const { return force_.value().item(); }

 private:
  Parameter stiffness_, force_;
};

/// Positions [T,B,1] from the starts [B,2], each a position and a velocity.
Variable positions(const ForcedOscillator& oscillator, const Tensor& starts, Index steps) {
  const nn::Recurrent network(nn::Euler(1, 2, oscillator, {.step = kStep}));
  const Index batch = starts.size(0);
  const Tensor no_input = zeros({steps, batch, 1}, Dtype::float64);
  const Tensor time = zeros({batch, 1}, Dtype::float64);
  return slice(network(no_input, {starts, time}).outputs, -1, 0, 1);
}

/// The first oscillator of the batch over time.
std::vector<double> first_of(const Variable& s) {
  return select(select(s, 1, 0), -1, 0).value().to_vector<double>();
}

void program(const example::Options& options) {
  const Index steps = options.quick ? 50 : 300, updates = options.quick ? 20 : 400;
  const Tensor starts = normal({4, 2}, 0.0, 1.0, Dtype::float64);  // four experiments
  const Variable exact = positions(ForcedOscillator(kStiffness, kForce), starts, steps);
  const Variable observed = exact + normal(exact.shape(), 0.0, kNoise, Dtype::float64);

  ForcedOscillator model(1.5, 0.0);
  const std::vector<double> before = first_of(positions(model, starts, steps));
  nn::Adam adam(model.parameters(), {.learning_rate = 0.03});
  std::vector<double> update, stiffness, force;
  fmt::print("update    k/m     A/m   mean squared error\n");
  for (Index k = 0; k <= updates; ++k) {
    Tape tape;
    const Variable loss = mean(square(positions(model, starts, steps) - observed));
    update.push_back(static_cast<double>(k));
    stiffness.push_back(model.stiffness());
    force.push_back(model.force());
    if (k % (updates / 4) == 0)
      fmt::print("{:>6}{:>8.4f}{:>8.4f}   {:.5f}\n", k, stiffness.back(), force.back(),
                 loss.item());
    adam.step(tape.gradients(loss));
  }
  const Variable fitted = positions(model, starts, steps);
  fmt::print(
      "\nLook at the error: it falls to the noise of the observations, {:.4f} = {} squared, and\n"
      "the trajectory found lies on the exact one, which the fit has never seen.\n\n",
      kNoise * kNoise, kNoise);
  example::figure("k/m", stiffness.back(), {kStiffness - 0.01, kStiffness + 0.01});
  example::figure("A/m", force.back(), {kForce - 0.02, kForce + 0.02});
  example::figure("root mean squared error of the noisy positions",
                  std::sqrt(mean(square(fitted - observed)).item()), {0.045, 0.055});
  example::figure("root mean squared error of the exact positions",
                  std::sqrt(mean(square(fitted - exact)).item()), {0, 0.01});

  std::vector<double> time;
  for (Index t = 1; t <= steps; ++t) time.push_back(static_cast<double>(t) * kStep);
  example::draw(options.picture,
                {example::Panel("Forced oscillator, one of the four experiments", "time t (s)",
                                "position s (m)")
                     .set("key bottom left")
                     .curve("observed", "with points pt 7 ps 0.3 lc rgb '#999999'",
                            {time, first_of(observed)})
                     .curve("before the fit", "with lines lw 2 dt 2", {time, before})
                     .curve("after the fit", "with lines lw 2", {time, first_of(fitted)}),
                 example::Panel("Parameters found by gradient descent through time", "update",
                                "k/m (1/s^2), A/m (m/s^2)")
                     .set("key at graph 0.98, 0.72")
                     .curve("k/m", "with lines lw 2", {update, stiffness})
                     .curve("A/m", "with lines lw 2", {update, force})
                     .curve("true k/m", "with lines dt 2 lc rgb '#666666'",
                            {{0, update.back()}, {kStiffness, kStiffness}})
                     .curve("true A/m", "with lines dt 3 lc rgb '#666666'",
                            {{0, update.back()}, {kForce, kForce}})});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "forced_oscillator",
                      "Euler's method as a recurrent network, and its parameters from data.",
                      program);
}
