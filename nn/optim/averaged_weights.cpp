#include <autograd/tensor/error.hpp>
#include <nn/optim/averaged_weights.hpp>
#include <nn/optim/update_pass.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace unroll::nn {

AveragedWeights::AveragedWeights(const std::vector<Parameter>& parameters,
                                 const AveragedWeightsOptions& options)
    : parameters_(saved_state::distinct(parameters)), options_(options) {
  if (!(options.decay >= 0.0 && options.decay < 1.0))
    throw ArgumentError("AveragedWeights: the decay must lie in [0, 1), it is " +
                        std::to_string(options.decay));
  for (const Parameter& parameter : parameters_) averages_.push_back(parameter.value().clone());
}

double AveragedWeights::share() const {
  const auto t = static_cast<double>(updates_ + 1);
  const double rest = 1.0 - options_.decay;
  if (options_.averaging == Averaging::equal) return 1.0 / t;
  // m_t / (1 - decay^t), written as a step from the debiased average before.
  if (options_.averaging == Averaging::debiased) return rest / (1.0 - std::pow(options_.decay, t));
  return rest;
}

void AveragedWeights::update() {
  const double share = this->share();
  UpdatePass pass;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const Tensor& weight = parameters_[k].value();
    Tensor& average = averages_[k];
    if (share == 1.0) {  // the difference to the old average would round
      average = weight.clone();
      continue;
    }
    average = average.to(weight.dtype());
    pass.add([share](auto w, auto a) { return a + share * (w - a); }, weight, average);
  }
  pass.run();
  ++updates_;
}

std::vector<Substitution::Entry> AveragedWeights::averages() const {
  std::vector<Substitution::Entry> all;
  for (std::size_t k = 0; k < parameters_.size(); ++k)
    all.push_back({parameters_[k], averages_[k].to(parameters_[k].dtype())});
  return all;
}

NamedTensors AveragedWeights::state(const Module& module) const {
  NamedTensors all{{"updates", saved_state::scalar(updates_)}};
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, "AveragedWeights"))
    all.emplace_back(path + ".average", averages_[index].clone());
  return all;
}

void AveragedWeights::set_state(const Module& module, const NamedTensors& state) {
  saved_state::Reader saved("AveragedWeights", "average and module", state);
  const std::int64_t updates = saved.count("updates");
  std::vector<Tensor> averages = averages_;
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, "AveragedWeights"))
    if (const Tensor* value = saved.take(path + ".average", parameters_[index].shape()))
      averages[index] = value->to(parameters_[index].dtype()).clone();
  saved.finish();
  updates_ = updates;
  averages_ = std::move(averages);
}

}  // namespace unroll::nn
