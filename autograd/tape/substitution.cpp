#include <autograd/tape/substitution.hpp>
#include <autograd/tensor/error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace unroll {

constinit thread_local const Substitution* Substitution::innermost_ = nullptr;

Substitution::Substitution(std::vector<Entry> entries) : entries_(std::move(entries)) {
  for (const Entry& entry : entries_) {
    const Tensor& own = entry.parameter.value();
    const Variable& value = entry.value;
    const auto what = [&] {
      return "substitution: parameter " + entry.parameter.name() + " is " + describe(own) +
             ", its substitute " + describe(value.value());
    };
    if (value.defined() && own.size() == 0) continue;
    if (!value.defined() || value.shape() != own.shape())
      throw ShapeError(what() + "; both must have one shape");
    if (value.dtype() != own.dtype()) throw DtypeError(what() + "; both must have one dtype");
  }
  if (entries_.empty()) return;
  outer_ = innermost_;
  innermost_ = this;
}

Substitution::~Substitution() {
  if (!entries_.empty()) innermost_ = outer_;
}

const Variable* Substitution::search(const Parameter& parameter) {
  for (const Substitution* one = innermost_; one; one = one->outer_)
    for (const Entry& entry : one->entries_)
      if (entry.parameter == parameter) return &entry.value;
  return nullptr;
}

std::vector<Substitution::Entry> Substitution::in_force() {
  std::vector<Entry> all;
  for (const Substitution* one = innermost_; one; one = one->outer_)
    all.insert(all.begin(), one->entries_.begin(), one->entries_.end());
  return all;
}

}  // namespace unroll
