#include "neural_cache.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>

namespace lm {

NeuralCache::NeuralCache(const NeuralCacheOptions& options) : options_(options) {
  const auto require = [](bool fits, const char* what, double got) {
    if (!fits) throw unroll::ArgumentError(fmt::format("NeuralCache: {}, got {}", what, got));
  };
  require(options.size >= 0, "size: expected at least 0", static_cast<double>(options.size));
  require(options.theta >= 0 && std::isfinite(options.theta), "theta: expected a number from 0",
          options.theta);
  require(options.weight >= 0 && options.weight < 1, "weight: expected a number from 0 to below 1",
          options.weight);
}

void NeuralCache::check(std::span<const float> h) const {
  if (!symbols_.empty() && h.size() != hidden_)
    throw unroll::ShapeError(fmt::format(
        "NeuralCache: expected a hidden state of {} elements, got {}", hidden_, h.size()));
}

double NeuralCache::mix(std::span<const float> h, std::int32_t symbol, double model) const {
  check(h);
  if (symbols_.empty()) return model;
  std::vector<double> scores(symbols_.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    double product = 0;
    for (std::size_t k = 0; k < hidden_; ++k)
      product += static_cast<double>(h[k]) * static_cast<double>(states_[i * hidden_ + k]);
    scores[i] = options_.theta * product;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double all = 0, same = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double weight = std::exp(scores[i] - largest);
    all += weight;
    if (symbols_[i] == symbol) same += weight;
  }
  return (1 - options_.weight) * model + options_.weight * same / all;
}

void NeuralCache::add(std::span<const float> h, std::int32_t symbol) {
  check(h);
  if (options_.size == 0) return;
  if (static_cast<unroll::Index>(symbols_.size()) < options_.size) {
    hidden_ = h.size();
    states_.insert(states_.end(), h.begin(), h.end());
    symbols_.push_back(symbol);
    return;
  }
  std::copy(h.begin(), h.end(), states_.begin() + static_cast<std::ptrdiff_t>(next_ * hidden_));
  symbols_[next_] = symbol;
  next_ = (next_ + 1) % symbols_.size();
}

}  // namespace lm
