#include <autograd/tensor/error.hpp>
#include <nn/saved_state.hpp>

#include <unordered_map>
#include <unordered_set>

namespace unroll::nn::saved_state {

Tensor scalar(double value) { return Tensor::of({}, {value}); }
Tensor scalar(std::int64_t value) { return Tensor::of({}, {value}); }

Reader::Reader(std::string owner, std::string kind, const NamedTensors& state)
    : owner_(std::move(owner)), kind_(std::move(kind)) {
  for (const auto& [name, value] : state) left_.emplace(name, &value);
}

const Tensor* Reader::take(const std::string& name, const Shape& shape) {
  const auto found = left_.extract(name);
  if (!found) {
    report(name + ": missing");
    return nullptr;
  }
  if (!found.mapped()->defined()) {
    report(name + ": undefined");
    return nullptr;
  }
  if (found.mapped()->shape() == shape) return found.mapped();
  report(name + ": " + to_string(found.mapped()->shape()) + " instead of " + to_string(shape));
  return nullptr;
}

double Reader::number(const std::string& name) {
  const Tensor* value = take(name, {});
  return value ? value->item() : 0.0;
}

std::int64_t Reader::count(const std::string& name) {
  const double value = number(name);
  if (value >= 0.0 && value < 0x1p53) return static_cast<std::int64_t>(value);
  report(name + ": " + std::to_string(value) + " is not a count");
  return 0;
}

void Reader::finish() {
  for (const auto& [name, value] : left_) report(name + ": not of this " + kind_);
  if (!wrong_.empty())
    throw FormatError(owner_ + ": the state is not one of this " + kind_ + ":" + wrong_);
}

std::vector<Parameter> distinct(const std::vector<Parameter>& parameters) {
  std::vector<Parameter> all;
  std::unordered_set<const void*> seen;
  for (const Parameter& parameter : parameters)
    if (seen.insert(parameter.identity()).second) all.push_back(parameter);
  return all;
}

std::vector<NamedIndex> named_in(const Module& module, const std::vector<Parameter>& parameters,
                                 const std::string& owner) {
  std::unordered_map<const void*, std::size_t> indices;
  for (std::size_t k = 0; k < parameters.size(); ++k)
    indices.try_emplace(parameters[k].identity(), k);
  std::vector<NamedIndex> all;
  std::unordered_set<const void*> named;
  for (const auto& [path, parameter] : module.named_parameters()) {
    const auto mine = indices.find(parameter.identity());
    if (mine != indices.end() && named.insert(parameter.identity()).second)
      all.push_back({path, mine->second});
  }
  for (const Parameter& parameter : parameters)
    if (!named.contains(parameter.identity()))
      throw ArgumentError(
          owner + ": the parameter " + parameter.name() +
          " is not in the module, so its state has no name; give the module that has all "
          "parameters");
  return all;
}

}  // namespace unroll::nn::saved_state
