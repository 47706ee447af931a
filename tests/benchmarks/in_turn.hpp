#pragma once

#include <functional>

namespace benchmarks {

/// One side of a comparison.
struct Contender {
  /// Runs so many steps; returns the seconds they took.
  std::function<double(int steps)> run;
  /// What one step does, in a unit that both sides share.
  double work = 1.0;
};

/// Times steps with the clock of this process.
Contender timed(std::function<void()> step, double work = 1.0);

/// How much time goes into a comparison.
struct Effort {
  double sample_seconds = 0.06;  ///< of one sample, at least one step
  double budget_seconds = 5.0;   ///< after which no round begins, once there are least_rounds
  int least_rounds = 5;
  int most_rounds = 15;

  static Effort quick() { return {0.01, 0.5, 2, 3}; }
};

struct Comparison {
  double ours = 0.0, other = 0.0;             ///< median seconds for a unit of work
  double ratio = 0.0, low = 0.0, high = 0.0;  ///< other / ours of a round: median and quartiles
  int rounds = 0;
};

/// Times both in turn, ours, the other, ours, ..., so that the machine's drift meets both, and
/// takes the ratio within each round.
Comparison in_turn(const Contender& ours, const Contender& other, const Effort& effort);

/// Median seconds for a unit of work, from few steps: to choose among settings.
double glance(const Contender& contender);

}  // namespace benchmarks
