#include <autograd/tensor/error.hpp>
#include <nn/optim/lbfgs.hpp>
#include <nn/optim/line_search.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>

namespace unroll::nn {
namespace {

/// Below, s^T y says nothing about the curvature.
constexpr double kLeastCurvature = 1e-10;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// y += factor x
void add(std::vector<double>& y, double factor, const std::vector<double>& x) {
  for (std::size_t k = 0; k < y.size(); ++k) y[k] += factor * x[k];
}

double largest(const std::vector<double>& x) {
  double result = 0.0;
  for (const double value : x) result = std::max(result, std::abs(value));
  return result;
}

bool is_finite(const LinePoint& point) {
  return std::isfinite(point.loss) &&
         std::all_of(point.gradient.begin(), point.gradient.end(),
                     [](double value) { return std::isfinite(value); });
}

std::string entry(const std::string& path, const char* what, std::size_t index) {
  return path + '.' + what + '.' + std::to_string(index);
}

constexpr const char* kWeights = "weight_change";
constexpr const char* kGradient = "gradient_change";

}  // namespace

LBFGS::LBFGS(const std::vector<Parameter>& parameters, const LBFGSOptions& options)
    : parameters_(saved_state::distinct(parameters)), options_(options) {
  set_learning_rate(options.learning_rate);
  if (options.iterations < 1 || options.history < 1)
    throw ArgumentError("LBFGS: iterations and history must be at least 1, they are " +
                        std::to_string(options.iterations) + " and " +
                        std::to_string(options.history));
  if (!(options.gradient_tolerance >= 0.0 && options.change_tolerance >= 0.0))
    throw ArgumentError("LBFGS: the tolerances must not be negative");
  offsets_.push_back(0);
  for (const Parameter& parameter : parameters_)
    offsets_.push_back(offsets_.back() + static_cast<std::size_t>(parameter.value().size()));
}

void LBFGS::set_learning_rate(double rate) {
  if (!(rate > 0.0 && std::isfinite(rate)))
    throw ArgumentError("LBFGS: the learning rate must be positive and finite, it is " +
                        std::to_string(rate));
  options_.learning_rate = rate;
}

LBFGS::Flat LBFGS::weights() const {
  Flat all;
  for (const Parameter& parameter : parameters_) {
    const auto values = parameter.value().to_vector<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

void LBFGS::set_weights(const Flat& from, double step, const Flat& direction) {
  Flat at = from;
  if (step != 0.0) add(at, step, direction);
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    Parameter& parameter = parameters_[k];
    if (parameter.frozen()) continue;
    const std::span<const double> own(at.data() + offsets_[k], offsets_[k + 1] - offsets_[k]);
    parameter.set(Tensor::of(parameter.shape(), own).to(parameter.dtype()));
  }
}

LBFGS::Flat LBFGS::flatten(const Gradients& gradients) const {
  Flat all(offsets_.back(), 0.0);
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const Parameter& parameter = parameters_[k];
    if (parameter.frozen()) continue;
    const Tensor gradient = gradients[parameter].value();
    if (gradient.shape() != parameter.shape())
      throw ShapeError("LBFGS: the gradient of " + parameter.name() + " is " + describe(gradient) +
                       ", the parameter " + describe(parameter.value()));
    const auto values = gradient.to_vector<double>();
    std::copy(values.begin(), values.end(), all.begin() + static_cast<Index>(offsets_[k]));
  }
  return all;
}

LBFGS::Flat LBFGS::direction(const Flat& gradient) const {
  // Algorithm 7.4, with the scaling of eq. 7.20 for the first Hessian.
  Flat q = gradient;
  for (double& value : q) value = -value;
  Flat shares(history_.size());
  for (std::size_t k = history_.size(); k-- > 0;) {
    const auto& [s, y] = history_[k];
    shares[k] = dot(s, q) / dot(y, s);
    add(q, -shares[k], y);
  }
  if (!history_.empty()) {
    const auto& [s, y] = history_.back();
    const double scale = dot(y, s) / dot(y, y);
    for (double& value : q) value *= scale;
  }
  for (std::size_t k = 0; k < history_.size(); ++k) {
    const auto& [s, y] = history_[k];
    add(q, shares[k] - dot(y, q) / dot(y, s), s);
  }
  // The history may be older than the freezing.
  for (std::size_t k = 0; k < parameters_.size(); ++k)
    if (parameters_[k].frozen())
      std::fill(q.begin() + static_cast<Index>(offsets_[k]),
                q.begin() + static_cast<Index>(offsets_[k + 1]), 0.0);
  return q;
}

void LBFGS::remember(Change change) {
  if (dot(change.gradient, change.weights) <= kLeastCurvature) return;
  if (history_.size() == static_cast<std::size_t>(options_.history)) history_.pop_front();
  history_.push_back(std::move(change));
}

double LBFGS::step(const Closure& closure) {
  Flat from = weights();
  Flat direction(from.size(), 0.0);
  const auto evaluate = [&](double step) {
    auto [loss, gradients] = closure();
    Flat gradient = flatten(gradients);
    const double slope = dot(gradient, direction);
    return LinePoint{step, loss, slope, std::move(gradient)};
  };
  const auto move_and_evaluate = [&](double step) {
    set_weights(from, step, direction);
    return evaluate(step);
  };

  LinePoint now = evaluate(0.0);
  if (!is_finite(now))
    throw ArgumentError("LBFGS: the loss (" + std::to_string(now.loss) +
                        ") or a gradient is not finite at the present weights; start from others");
  ++steps_;
  for (std::int64_t k = 0; k < options_.iterations; ++k) {
    if (largest(now.gradient) <= options_.gradient_tolerance) break;
    direction = this->direction(now.gradient);
    now.step = 0.0;
    now.slope = dot(now.gradient, direction);
    if (now.slope > -options_.change_tolerance) break;
    double first = options_.learning_rate;
    if (iterations_ == 0) {  // nothing is known of the curvature
      double sum = 0.0;
      for (const double value : now.gradient) sum += std::abs(value);
      first *= std::min(1.0, 1.0 / sum);
    }
    LinePoint next;
    try {
      next = strong_wolfe(move_and_evaluate, now, first,
                          options_.change_tolerance / largest(direction));
    } catch (...) {
      set_weights(from, 0.0, direction);
      throw;
    }
    set_weights(from, next.step, direction);
    ++iterations_;

    Change change{direction, next.gradient};
    for (double& value : change.weights) value *= next.step;
    add(change.gradient, -1.0, now.gradient);
    const double moved = largest(change.weights);
    const double gained = std::abs(next.loss - now.loss);
    remember(std::move(change));
    from = weights();
    now = std::move(next);
    if (moved <= options_.change_tolerance || gained < options_.change_tolerance) break;
  }
  return now.loss;
}

NamedTensors LBFGS::state(const Module& module) const {
  NamedTensors all{{"steps", saved_state::scalar(steps_)},
                   {"iterations", saved_state::scalar(iterations_)},
                   {"changes", saved_state::scalar(static_cast<std::int64_t>(history_.size()))}};
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, "LBFGS")) {
    const auto part = [&, k = index](const Flat& flat) {
      return Tensor::of(parameters_[k].shape(), std::span<const double>(flat).subspan(
                                                    offsets_[k], offsets_[k + 1] - offsets_[k]));
    };
    for (std::size_t k = 0; k < history_.size(); ++k) {
      all.emplace_back(entry(path, kWeights, k), part(history_[k].weights));
      all.emplace_back(entry(path, kGradient, k), part(history_[k].gradient));
    }
  }
  return all;
}

void LBFGS::set_state(const Module& module, const NamedTensors& state) {
  saved_state::Reader saved("LBFGS", "optimizer and module", state);
  const std::int64_t steps = saved.count("steps");
  const std::int64_t iterations = saved.count("iterations");
  const std::int64_t changes = saved.count("changes");
  // A damaged count must not become an allocation: every change has entries.
  if (changes > static_cast<std::int64_t>(state.size())) saved.report("changes: more than entries");
  const auto count = std::min(static_cast<std::size_t>(changes), state.size());
  std::deque<Change> history(count, {Flat(offsets_.back()), Flat(offsets_.back())});
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, "LBFGS")) {
    const auto read = [&, k = index, &path = path](const char* what, std::size_t change,
                                                   Flat& flat) {
      const Tensor* value = saved.take(entry(path, what, change), parameters_[k].shape());
      if (!value) return;
      const auto values = value->to_vector<double>();
      std::copy(values.begin(), values.end(), flat.begin() + static_cast<Index>(offsets_[k]));
    };
    for (std::size_t k = 0; k < count; ++k) {
      read(kWeights, k, history[k].weights);
      read(kGradient, k, history[k].gradient);
    }
  }
  saved.finish();
  steps_ = steps;
  iterations_ = iterations;
  history_ = std::move(history);
}

}  // namespace unroll::nn
