#pragma once

#include <autograd/tensor/tensor.hpp>
#include <nn/module.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {

/// A state for saving, such as that of an optimizer: tensors by name.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// What the state() and set_state() of optimizers and schedules share.
namespace saved_state {

/// A float64 or int64 scalar `[]`.
Tensor scalar(double value);
Tensor scalar(std::int64_t value);

/// Takes the entries of a state one by one, collects what does not fit and reports it all at once.
/// Values that were taken are used only after finish() has returned.
class Reader {
 public:
  /// `owner` begins the message, `kind` ends "not of this": `optimizer and module`. The state must
  /// outlive the reader.
  Reader(std::string owner, std::string kind, const NamedTensors& state);

  /// Whether an entry is there and was not taken.
  bool contains(const std::string& name) const { return left_.contains(name); }
  /// Null when it is missing, undefined or of another shape.
  const Tensor* take(const std::string& name, const Shape& shape);
  /// 0 when it is missing or of another shape. A count must not be negative.
  double number(const std::string& name);
  std::int64_t count(const std::string& name);
  /// For what only the owner can see to be wrong.
  void report(const std::string& what) { wrong_.append("\n  ").append(what); }
  /// Throws FormatError for entries that are missing, left over or of another shape.
  void finish();

 private:
  std::string owner_;
  std::string kind_;
  std::map<std::string, const Tensor*> left_;
  std::string wrong_;
};

/// The list without repetitions, so that each parameter has one entry and one name.
std::vector<Parameter> distinct(const std::vector<Parameter>& parameters);

/// A parameter of a list with its path in a module.
struct NamedIndex {
  std::string path;
  std::size_t index = 0;
};

/// Every parameter of the list once, in the order of the module. Throws ArgumentError, beginning
/// with `owner`, for a parameter that the module lacks.
std::vector<NamedIndex> named_in(const Module& module, const std::vector<Parameter>& parameters,
                                 const std::string& owner);

}  // namespace saved_state
}  // namespace unroll::nn
