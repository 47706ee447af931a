#include <nn/optim/best_metric.hpp>

namespace unroll::nn {

bool BestMetric::observe(double metric) {
  const double gain = goal_ == Goal::minimise ? value_ - metric : metric - value_;
  // An infinite best has no finite fraction: any metric on its better side beats it.
  const double margin = std::isfinite(value_) ? absolute_ + relative_ * std::abs(value_) : 0.0;
  const bool better = std::isnan(value_) ? !std::isnan(metric) : gain > margin;
  if (better) value_ = metric;
  since_ = better ? 0 : since_ + 1;
  return better;
}

void BestMetric::append_to(NamedTensors& state) const {
  state.emplace_back("best", saved_state::scalar(value_));
  state.emplace_back("since_best", saved_state::scalar(since_));
}

BestMetric BestMetric::read(saved_state::Reader& saved, BestMetric like) {
  like.value_ = saved.number("best");
  like.since_ = saved.count("since_best");
  return like;
}

}  // namespace unroll::nn
