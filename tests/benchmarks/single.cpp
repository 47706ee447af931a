#include "single.hpp"

#include "every_cell.hpp"
#include "ours.hpp"
#include "report.hpp"

#include <autograd/autograd.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace benchmarks {
namespace {

using unroll::Tensor;
using unroll::Variable;

/// Nanoseconds that a scalar operation costs forward, recording included, and backward: medians.
struct TapeCost {
  double forward, backward;
};

TapeCost tape_cost() {
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  constexpr int kOperations = 2000;
  constexpr int kTapes = 201;
  const Tensor factor = unroll::full({}, 0.999);
  const Tensor term = unroll::full({}, 0.001);
  std::vector<double> forward;
  std::vector<double> backward;
  for (int i = 0; i < kTapes; ++i) {
    unroll::Tape tape;
    const Variable a = tape.watch(factor);
    const Variable b = tape.watch(term);
    Variable y = a;
    const auto start = Clock::now();
    for (int k = 0; k < kOperations / 2; ++k) y = y * a + b;
    const auto middle = Clock::now();
    const unroll::Gradients gradients = tape.gradients(y);
    const auto end = Clock::now();
    forward.push_back(Nanoseconds(middle - start).count() / kOperations);
    backward.push_back(Nanoseconds(end - middle).count() / kOperations);
  }
  const auto median = [](std::vector<double>& times) {
    std::nth_element(times.begin(), times.begin() + kTapes / 2, times.end());
    return times[kTapes / 2];
  };
  return {median(forward), median(backward)};
}

/// Blocks that a step gets from the system once its kind has run before.
Figure allocations(Step& step) {
  constexpr int kSteps = 10;
  for (int i = 0; i < 3; ++i) step.run();
  const auto before = unroll::memory::statistics().allocations;
  for (int i = 0; i < kSteps; ++i) step.run();
  const auto after = unroll::memory::statistics().allocations;
  return {static_cast<double>(after - before) / kSteps, "blocks"};
}

}  // namespace

void register_figures() {
  group("tape", "one recorded operation on scalars");
  figure("forward_and_record", 100.0, [] { return Figure{tape_cost().forward, "ns"}; });
  figure("backward", 100.0, [] { return Figure{tape_cost().backward, "ns"}; });

  group("allocations", "blocks got from the system in a training step, in steady state");
  for (const char* layer :
       {"lstm", "gru", "elman", "plain_lstm", "layer_norm_lstm", "bidirectional"})
    figure(layer, 0.0, [layer] { return allocations(*cell_training_step(layer, {35, 8, 64})); });
  figure("word_model", 0.0, [] { return allocations(*word_model_step()); });
}

}  // namespace benchmarks
