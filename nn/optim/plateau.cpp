#include <autograd/tensor/error.hpp>
#include <nn/optim/plateau.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace unroll::nn {

Plateau::Plateau(const PlateauOptions& options)
    : options_(options), best_(options.goal, 0.0, options.threshold) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw ArgumentError(std::string("Plateau: ") + what);
  };
  require(options.factor >= 0.0 && options.factor < 1.0, "the factor must lie in [0, 1)");
  require(options.patience >= 0, "the patience must not be negative");
  require(options.threshold >= 0.0 && std::isfinite(options.threshold),
          "the threshold must be finite and not negative");
  require(options.cooldown >= 0, "the cooldown must not be negative");
  require(options.min_factor >= 0.0 && options.min_factor <= 1.0,
          "the least factor must lie in [0, 1]");
}

double Plateau::observe(double metric) {
  worse_ = best_.observe(metric) ? 0 : worse_ + 1;
  if (cooling_ > 0) {
    --cooling_;
    worse_ = 0;
  }
  if (worse_ > options_.patience) {
    factor_ = std::max(factor_ * options_.factor, options_.min_factor);
    cooling_ = options_.cooldown;
    worse_ = 0;
  }
  return factor_;
}

NamedTensors Plateau::state() const {
  NamedTensors state{{"factor", saved_state::scalar(factor_)},
                     {"worse", saved_state::scalar(worse_)},
                     {"cooling", saved_state::scalar(cooling_)}};
  best_.append_to(state);
  return state;
}

void Plateau::set_state(const NamedTensors& state) {
  saved_state::Reader saved("Plateau", "plateau", state);
  Plateau next = *this;
  next.factor_ = saved.number("factor");
  next.worse_ = saved.count("worse");
  next.cooling_ = saved.count("cooling");
  next.best_ = BestMetric::read(saved, best_);
  if (!(next.factor_ >= 0.0 && next.factor_ <= 1.0)) saved.report("factor: not in [0, 1]");
  saved.finish();
  *this = next;
}

}  // namespace unroll::nn
