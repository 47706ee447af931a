#include "run_history.hpp"

#include <utility>
#include <variant>

namespace lm {

void ThinnedCurve::add(double x, double y) {
  constexpr std::size_t kMostPoints = 2048;
  sum_x_ += x;
  sum_y_ += y;
  if (++pending_ < stride_) return;
  const auto count = static_cast<double>(stride_);
  x_.push_back(std::exchange(sum_x_, 0.0) / count);
  y_.push_back(std::exchange(sum_y_, 0.0) / count);
  pending_ = 0;
  if (x_.size() < kMostPoints) return;
  for (std::vector<double>* values : {&x_, &y_}) {
    for (std::size_t k = 0; k < kMostPoints / 2; ++k)
      (*values)[k] = ((*values)[2 * k] + (*values)[2 * k + 1]) / 2;
    values->resize(kMostPoints / 2);
  }
  stride_ *= 2;
}

unroll::nn::Curve ThinnedCurve::curve(const std::string& label) const {
  unroll::nn::Curve curve{label, x_, y_};
  if (pending_ > 0) {
    curve.x.push_back(sum_x_ / static_cast<double>(pending_));
    curve.y.push_back(sum_y_ / static_cast<double>(pending_));
  }
  return curve;
}

void RunHistory::add(std::int64_t step, const unroll::nn::RunValues& values) {
  last_step = step;
  for (const auto& [name, value] : values) {
    const double* number = std::get_if<double>(&value);
    const std::string* text = std::get_if<std::string>(&value);
    if (text && name == "sample") samples.push_back({step, *text});
    if (!number) continue;
    const auto x = static_cast<double>(step);
    if (name == "loss") loss.add(x, *number);
    if (name == "learning_rate") learning_rate.add(x, *number);
    if (name == "gradient_norm") gradient_norm.add(x, *number);
    if (name != "validation_loss") continue;
    validation.add(x, *number);
    if (!best || *number < best->nats) best = Validation{step, *number};
  }
}

std::vector<unroll::nn::Curve> RunHistory::losses() const {
  std::vector<unroll::nn::Curve> curves{loss.curve("training")};
  if (validation.empty()) return curves;
  curves.push_back(validation.curve("validation"));
  constexpr std::size_t kMostDots = 100;
  curves.back().points = curves.back().x.size() <= kMostDots;
  return curves;
}

RunHistory read_history(const std::string& log) {
  RunHistory history;
  for (const unroll::nn::RunRecord& record : unroll::nn::read_run_log(log).records)
    history.add(record.step, record.values);
  return history;
}

}  // namespace lm
