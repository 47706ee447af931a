#include "filters.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>

namespace lm {
namespace {

void require(bool fits, const char* argument, const char* expected, double got) {
  if (!fits)
    throw unroll::ArgumentError(
        fmt::format("filter: {}: expected a number {}, got {}", argument, expected, got));
}

void check(std::span<const double> logits, const FilterOptions& options) {
  if (logits.empty()) throw unroll::ArgumentError("filter: no logits");
  for (const double logit : logits)
    require(std::isfinite(logit), "logits", "that is finite", logit);
  require(options.repetition_penalty > 0 && std::isfinite(options.repetition_penalty),
          "repetition_penalty", "above 0", options.repetition_penalty);
  require(options.temperature >= 0 && std::isfinite(options.temperature), "temperature", "from 0",
          options.temperature);
  require(options.top_k >= 0, "top_k", "from 0", static_cast<double>(options.top_k));
  require(options.top_p > 0 && options.top_p <= 1, "top_p", "above 0 to 1", options.top_p);
  require(options.min_p >= 0 && options.min_p <= 1, "min_p", "from 0 to 1", options.min_p);
}

void penalise(std::vector<double>& logits, std::span<const std::int32_t> seen, double penalty) {
  constexpr double kMost = 1e300;
  if (penalty == 1) return;
  std::vector<bool> done(logits.size());
  for (const std::int32_t symbol : seen) {
    const auto k = static_cast<std::size_t>(symbol);
    if (symbol < 0 || k >= logits.size())
      throw unroll::ArgumentError(
          fmt::format("filter: seen: {} is not one of {} symbols", symbol, logits.size()));
    if (!done[k])
      logits[k] = std::clamp(logits[k] > 0 ? logits[k] / penalty : logits[k] * penalty, -kMost,
                             kMost);  // stays finite
    done[k] = true;
  }
}

/// How many of the most probable weights, given in falling order, reach the fraction p of the sum.
std::size_t nucleus(const std::vector<double>& weights, const std::vector<std::size_t>& order,
                    std::size_t kept, double p) {
  if (p == 1) return kept;  // rounding of the sum must not remove anything
  double total = 0;
  for (std::size_t i = 0; i < kept; ++i) total += weights[order[i]];
  double sum = 0;
  for (std::size_t i = 0; i < kept; ++i)
    if ((sum += weights[order[i]]) >= p * total) return i + 1;
  return kept;
}

}  // namespace

std::vector<double> filter(std::span<const double> logits, std::span<const std::int32_t> seen,
                           const FilterOptions& options) {
  check(logits, options);
  std::vector<double> values(logits.begin(), logits.end());
  penalise(values, seen, options.repetition_penalty);

  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  const double largest = values[order[0]];
  std::vector<double> weights(values.size());
  for (std::size_t k = 0; k < values.size(); ++k)
    weights[k] = options.temperature > 0 ? std::exp((values[k] - largest) / options.temperature)
                                         : (k == order[0] ? 1.0 : 0.0);

  std::size_t kept = values.size();
  if (options.top_k > 0) kept = std::min(kept, static_cast<std::size_t>(options.top_k));
  kept = nucleus(weights, order, kept, options.top_p);
  while (kept > 1 && weights[order[kept - 1]] < options.min_p) --kept;
  for (std::size_t i = kept; i < order.size(); ++i) weights[order[i]] = 0;
  return weights;
}

}  // namespace lm
