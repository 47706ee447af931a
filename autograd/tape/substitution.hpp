#pragma once

#include <autograd/tape/parameter.hpp>
#include <autograd/tape/variable.hpp>

#include <vector>

namespace unroll {

/// While it lives, parameters read as other variables on this thread: the same function with
/// weights that are themselves computed, such as weights with dropout, those that a hypernetwork
/// makes, or those after a step of an inner optimisation. Gradients flow to what the variables were
/// computed from. Substitutions nest; the innermost that has the parameter counts.
///
///     const Substitution inside({{weight, weight - 0.1 * slope}});
///     Variable y = model(x);   // whatever in it reads `weight`
class Substitution {
 public:
  /// A parameter and what it reads as.
  struct Entry {
    Parameter parameter;
    Variable value;
  };

  /// Throws ShapeError and DtypeError when a value is not of its parameter's shape and dtype. A
  /// parameter without elements is the place of a value of any shape and dtype.
  explicit Substitution(std::vector<Entry> entries);
  ~Substitution();
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

  /// What the parameter reads as on this thread; null when that is its own value.
  static const Variable* find(const Parameter& parameter) {
    return innermost_ ? search(parameter) : nullptr;
  }
  /// All that are in force on this thread, the outer ones first.
  static std::vector<Entry> in_force();

 private:
  static const Variable* search(const Parameter& parameter);

  static thread_local constinit const Substitution* innermost_;

  std::vector<Entry> entries_;
  const Substitution* outer_ = nullptr;
};

}  // namespace unroll
