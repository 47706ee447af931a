#include "predictor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lm {

Predictor::Predictor(const Model& model)
    : model_(model), logits_(static_cast<std::size_t>(model.vocabulary().size())) {}

void Predictor::read(Index symbol) {
  auto [outputs, after] =
      model_.hidden(unroll::Tensor::of<std::int64_t>({1, 1}, {symbol}), states_);
  states_ = unroll::nn::detach(after);
  hidden_ = outputs.value().contiguous();
  logits_ = model_.logits(outputs).value().to_vector<double>();
  if (!std::all_of(logits_.begin(), logits_.end(), [](double x) { return std::isfinite(x); }))
    throw unroll::Error("the model's output is not finite; its weights are too large");
}

void Predictor::reset() {
  states_ = {};
  std::fill(logits_.begin(), logits_.end(), 0.0);
}

std::vector<double> Predictor::log_probabilities() const {
  const double largest = *std::max_element(logits_.begin(), logits_.end());
  double sum = 0;
  for (const double logit : logits_) sum += std::exp(logit - largest);
  const double normalizer = largest + std::log(sum);
  std::vector<double> result(logits_);
  for (double& x : result) x -= normalizer;
  return result;
}

std::span<const float> Predictor::hidden() const {
  if (states_.empty()) return {};
  return {hidden_.data<float>(), static_cast<std::size_t>(hidden_.size())};
}

}  // namespace lm
