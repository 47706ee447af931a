#include <autograd/ops/index.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/call.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace unroll::nn {

// Without elements: the place of a value of any shape.
PerCall::PerCall() : place_("per call", zeros({0})) { place_.freeze(); }

PerCall::operator Variable() const {
  if (const Variable* value = Substitution::find(place_)) return *value;
  throw ArgumentError(
      "cell: a per-call value was read where none is set; Cell::prepare must set it in every call, "
      "and steps must be run by a layer or a learning rule, or with the call in force");
}

void Call::put(const Parameter& parameter, const Variable& value) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const Substitution::Entry& entry) { return entry.parameter == parameter; });
  if (found == entries_.end())
    entries_.push_back({parameter, value});
  else
    found->value = value;
}

void Call::set(const PerCall& place, const Variable& value) {
  if (!value.defined() || value.rank() < 1 || value.size(0) != batch_)
    throw ShapeError("call: a per-call value is " + unroll::describe(value.value()) +
                     ", its first axis must be the batch, " + std::to_string(batch_) +
                     "; what is the same for all sequences is a parameter or a buffer");
  put(place.place_, value);
}

void Call::set(const Parameter& parameter, const Variable& value) {
  static_cast<void>(Substitution({{parameter, value}}));  // checks
  put(parameter, value);
}

Variable Call::value(const Parameter& parameter) const {
  for (const auto& [substituted, value] : entries_)
    if (substituted == parameter) return value;
  return parameter;
}

std::vector<Variable> Call::values() const {
  std::vector<Variable> all;
  all.reserve(entries_.size());
  for (const Substitution::Entry& entry : entries_) all.push_back(entry.value);
  return all;
}

Call Call::with(std::span<const Variable> values) const {
  Call other = *this;
  for (std::size_t k = 0; k < entries_.size(); ++k) other.entries_[k].value = values[k];
  return other;
}

Call Call::detached() const {
  Call other = *this;
  for (Substitution::Entry& entry : other.entries_) entry.value = detach(entry.value);
  return other;
}

Call Call::of_sequences(const std::vector<Index>& sequences) const {
  Call other = *this;
  other.batch_ = static_cast<Index>(sequences.size());
  const Tensor rows = Tensor::of({other.batch_}, sequences);
  for (auto& [place, value] : other.entries_)
    if (place.value().size() == 0) value = index_select(value, rows, 0);
  return other;
}

}  // namespace unroll::nn
