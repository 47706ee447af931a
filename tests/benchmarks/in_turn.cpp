#include "in_turn.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The threads of OpenBLAS and of OpenMP spin for a while after their work: up to 2^26 cycles.
constexpr std::chrono::milliseconds kSpinsDown{40};

int steps_of(const Contender& contender, const Effort& effort) {
  constexpr double kLong = 1.0;
  if (contender.run(1) > kLong) return 1;  // the first use of memory, which short steps would show
  int steps = 1;
  for (;;) {
    const double seconds = contender.run(steps);
    if (seconds > effort.sample_seconds / 4.0)
      return std::max(1, static_cast<int>(std::lround(effort.sample_seconds / seconds * steps)));
    steps *= 2;
  }
}

double sample(const Contender& contender, int steps) {
  std::this_thread::sleep_for(kSpinsDown);
  if (steps > 1) contender.run((steps + 7) / 8);  // caches and clock frequency as in a long run
  return contender.run(steps) / steps / contender.work;
}

/// Linear between neighbours.
double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

Contender timed(std::function<void()> step, double work) {
  return {[step = std::move(step)](int steps) {
            const auto start = Clock::now();
            for (int i = 0; i < steps; ++i) step();
            return seconds_since(start);
          },
          work};
}

Comparison in_turn(const Contender& ours, const Contender& other, const Effort& effort) {
  const int our_steps = steps_of(ours, effort);
  const int other_steps = steps_of(other, effort);
  std::vector<double> our_times;
  std::vector<double> other_times;
  std::vector<double> ratios;
  const auto start = Clock::now();
  for (int round = 0; round < effort.most_rounds; ++round) {
    if (round >= effort.least_rounds && seconds_since(start) > effort.budget_seconds) break;
    our_times.push_back(sample(ours, our_steps));
    other_times.push_back(sample(other, other_steps));
    ratios.push_back(other_times.back() / our_times.back());
  }
  return {quantile(our_times, 0.5), quantile(other_times, 0.5), quantile(ratios, 0.5),
          quantile(ratios, 0.25),   quantile(ratios, 0.75),     static_cast<int>(ratios.size())};
}

double glance(const Contender& contender) {
  constexpr int kMost = 15;
  constexpr double kSeconds = 0.1;
  std::this_thread::sleep_for(kSpinsDown);
  contender.run(1);
  std::vector<double> times;
  const auto start = Clock::now();
  do {
    times.push_back(contender.run(1));
  } while (times.size() < kMost && seconds_since(start) < kSeconds);
  return quantile(times, 0.5) / contender.work;
}

}  // namespace benchmarks
