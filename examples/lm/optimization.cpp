#include "optimization.hpp"

#include "specification.hpp"

#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>

namespace lm {
namespace {

namespace nn = unroll::nn;
using unroll::Index;

struct Ask {
  Specification& o;
  const std::vector<unroll::Parameter>& parameters;
  double rate, decay;
};
using Made = std::unique_ptr<nn::Optimizer>;

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

const std::map<std::string, Made (*)(const Ask&)>& optimizers() {
  static const std::map<std::string, Made (*)(const Ask&)> all = {
      {"sgd",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::SGD>(a.parameters,
                                          nn::SGDOptions{.learning_rate = a.rate,
                                                         .momentum = a.o.get("momentum", 0.0),
                                                         .nesterov = a.o.get("nesterov", false),
                                                         .weight_decay = a.decay});
       }},
      {"asgd",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::ASGD>(a.parameters,
                                           nn::ASGDOptions{.learning_rate = a.rate,
                                                           .lambda = a.o.get("lambda", 1e-4),
                                                           .alpha = a.o.get("alpha", 0.75),
                                                           .start = a.o.get("start", 1e6),
                                                           .weight_decay = a.decay});
       }},
      {"rmsprop",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::RMSprop>(
             a.parameters, nn::RMSpropOptions{.learning_rate = a.rate,
                                              .alpha = a.o.get("alpha", 0.99),
                                              .epsilon = a.o.get("epsilon", 1e-8),
                                              .momentum = a.o.get("momentum", 0.0),
                                              .centered = a.o.get("centered", false),
                                              .weight_decay = a.decay});
       }},
      {"adagrad",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::Adagrad>(
             a.parameters, nn::AdagradOptions{.learning_rate = a.rate,
                                              .rate_decay = a.o.get("rate_decay", 0.0),
                                              .epsilon = a.o.get("epsilon", 1e-10),
                                              .weight_decay = a.decay});
       }},
      {"adadelta",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::Adadelta>(
             a.parameters, nn::AdadeltaOptions{.learning_rate = a.rate,
                                               .rho = a.o.get("rho", 0.9),
                                               .epsilon = a.o.get("epsilon", 1e-6),
                                               .weight_decay = a.decay});
       }},
      {"adam",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::Adam>(a.parameters,
                                           nn::AdamOptions{.learning_rate = a.rate,
                                                           .beta1 = a.o.get("beta1", 0.9),
                                                           .beta2 = a.o.get("beta2", 0.999),
                                                           .epsilon = a.o.get("epsilon", 1e-8),
                                                           .weight_decay = a.decay});
       }},
      {"nadam",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::NAdam>(
             a.parameters, nn::NAdamOptions{.learning_rate = a.rate,
                                            .beta1 = a.o.get("beta1", 0.9),
                                            .beta2 = a.o.get("beta2", 0.999),
                                            .epsilon = a.o.get("epsilon", 1e-8),
                                            .momentum_decay = a.o.get("momentum_decay", 4e-3),
                                            .weight_decay = a.decay});
       }},
      {"radam",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::RAdam>(a.parameters,
                                            nn::RAdamOptions{.learning_rate = a.rate,
                                                             .beta1 = a.o.get("beta1", 0.9),
                                                             .beta2 = a.o.get("beta2", 0.999),
                                                             .epsilon = a.o.get("epsilon", 1e-8),
                                                             .weight_decay = a.decay});
       }},
      {"lion",
       [](const Ask& a) -> Made {
         return std::make_unique<nn::Lion>(a.parameters,
                                           nn::LionOptions{.learning_rate = a.rate,
                                                           .beta1 = a.o.get("beta1", 0.9),
                                                           .beta2 = a.o.get("beta2", 0.99),
                                                           .weight_decay = a.decay});
       }},
  };
  return all;
}

/// Schedules that know only how much of the run is done count in so many parts of it.
constexpr double kParts = 1e6;

std::int64_t steps_of(double epochs, const RunLength& length) {
  return std::max<std::int64_t>(1, std::llround(epochs * length.steps_per_epoch));
}

using Scheduler = nn::Schedule (*)(Specification&, const RunLength&);

const std::map<std::string, Scheduler>& schedules() {
  static const std::map<std::string, Scheduler> all = {
      {"constant", [](Specification&, const RunLength&) { return nn::schedule::constant(); }},
      {"cosine",
       [](Specification& o, const RunLength&) {
         return nn::schedule::cosine(static_cast<std::int64_t>(kParts), o.get("floor", 0.05));
       }},
      {"exponential",
       [](Specification& o, const RunLength& length) {
         return nn::schedule::exponential(
             std::pow(o.get("factor", 0.9), 1.0 / length.steps_per_epoch));
       }},
      {"step",
       [](Specification& o, const RunLength& length) {
         return nn::schedule::step(steps_of(o.get("every", 1.0), length), o.get("factor", 0.5));
       }},
      {"zaremba",
       [](Specification& o, const RunLength& length) {
         return nn::schedule::zaremba(steps_of(o.get("flat", 4.0), length),
                                      steps_of(o.get("every", 1.0), length), o.get("factor", 0.5));
       }},
      {"plateau", [](Specification&, const RunLength&) { return nn::schedule::constant(); }},
  };
  return all;
}

nn::Schedule make_schedule(Specification& options, const RunLength& length) {
  const auto found = schedules().find(options.name());
  if (found == schedules().end()) options.refuse_name("schedule", names_of(schedules()));
  return found->second(options, length);
}

}  // namespace

std::unique_ptr<nn::Optimizer> make_optimizer(const std::string& specification,
                                              const std::vector<unroll::Parameter>& parameters,
                                              double learning_rate, double weight_decay) {
  Specification options("--optimizer", specification);
  const auto found = optimizers().find(options.name());
  if (found == optimizers().end()) options.refuse_name("optimizer", names_of(optimizers()));
  Made made = found->second({options, parameters, learning_rate, weight_decay});
  options.check_all_known();
  return made;
}

LearningRate::LearningRate(const std::string& specification, const RunLength& length)
    : schedule_(nn::schedule::constant()) {
  Specification options("--schedule", specification);
  schedule_ = make_schedule(options, length);
  by_fraction_ = options.name() == "cosine";
  if (options.name() == "plateau")
    plateau_.emplace(nn::PlateauOptions{.factor = options.get("factor", 0.25),
                                        .patience = options.get("patience", Index{0})});
  warmup_ = options.get("warmup", 0.0);
  options.check_all_known();
}

double LearningRate::factor(std::int64_t step, double fraction_done) const {
  const auto at = by_fraction_ ? static_cast<std::int64_t>(kParts * fraction_done) : step;
  double factor = schedule_(at);
  if (static_cast<double>(step) < warmup_) factor *= static_cast<double>(step + 1) / warmup_;
  return plateau_ ? factor * plateau_->factor() : factor;
}

void LearningRate::observe(double loss) {
  if (plateau_) plateau_->observe(loss);
}

}  // namespace lm
