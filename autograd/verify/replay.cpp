#include <autograd/tape/access.hpp>
#include <autograd/verify/replay.hpp>

#include <utility>

namespace unroll::detail {

/// Sees a run, and replaces what it is told to.
class Replay::Watcher final : public extension::TapeObserver {
 public:
  Tensor recorded(const char* operation, std::size_t node, std::uint32_t slot,
                  const Tensor& value) override {
    if (node == operations.size()) {
      operations.push_back({operation, slot, {}});
    }
    operations[node].outputs.push_back(value);
    const Tensor other = replace ? replace(slot) : Tensor();
    // A program that took another turn than the first run is left alone.
    return other.defined() && other.shape() == value.shape() && other.dtype() == value.dtype()
               ? other
               : value;
  }
  Tensor detached(const Tensor& value) override {
    detached_after.push_back(operations.size());
    detached_values.push_back(value);
    const Tensor other = replace_detached ? replace_detached(detached_values.size() - 1) : Tensor();
    return other.defined() && other.shape() == value.shape() && other.dtype() == value.dtype()
               ? other
               : value;
  }

  std::vector<Operation> operations;
  std::vector<Tensor> detached_values;
  std::vector<std::size_t> detached_after;
  std::function<Tensor(std::uint32_t)> replace;
  std::function<Tensor(std::size_t)> replace_detached;
  std::vector<Variable> leaves;
};

Variable Replay::run(Watcher& watcher, const Point& point,
                     const std::function<void(Tape&)>& at_end) const {
  Tape tape;
  extension::TapeAccess::observe(tape, &watcher);
  Variable result = f_(point, &watcher.leaves);
  extension::TapeAccess::observe(tape, nullptr);
  if (at_end) at_end(tape);
  return result;
}

Replay::Replay(const Varied& f, const Point& point) : f_(f), point_(point) {
  Watcher watcher;
  result_ = run(watcher, point).value();
  operations_ = std::move(watcher.operations);
  detached_ = std::move(watcher.detached_values);
  detached_after_ = std::move(watcher.detached_after);
  for (std::size_t k = 0; k < watcher.leaves.size(); ++k) {
    leaves_.push_back(extension::TapeAccess::slot(watcher.leaves[k]));
    values_[leaves_.back()] = point[k];
  }
  for (const Operation& operation : operations_)
    for (std::size_t k = 0; k < operation.outputs.size(); ++k)
      if (operation.outputs[k].defined())
        values_[operation.first_slot + static_cast<std::uint32_t>(k)] = operation.outputs[k];
}

std::string Replay::describe_operation(std::size_t node) const {
  return operations_[node].name + " (operation " + std::to_string(node) + ")";
}

std::string Replay::describe(std::uint32_t slot) const {
  for (std::size_t k = 0; k < leaves_.size(); ++k)
    if (leaves_[k] == slot) return f_.name(k);
  for (std::size_t node = 0; node < operations_.size(); ++node) {
    const Operation& operation = operations_[node];
    if (slot < operation.first_slot || slot - operation.first_slot >= operation.outputs.size())
      continue;
    if (operation.outputs.size() == 1) return "the result of " + describe_operation(node);
    return "result " + std::to_string(slot - operation.first_slot) + " of " +
           describe_operation(node);
  }
  return "a parameter that is not checked";
}

std::string Replay::describe_detached(std::size_t k) const {
  if (detached_after_[k] == 0) return "before the first operation";
  return "after " + describe_operation(detached_after_[k] - 1);
}

Replay::Outputs Replay::isolated(const Values& changed, bool freeze) const {
  Watcher watcher;
  watcher.replace = [&](std::uint32_t slot) {
    const auto found = changed.find(slot);
    if (found != changed.end()) return found->second;
    const auto first = values_.find(slot);
    return first == values_.end() ? Tensor() : first->second;
  };
  if (freeze)
    watcher.replace_detached = [&](std::size_t k) {
      return k < detached_.size() ? detached_[k] : Tensor();
    };
  Point point = point_;
  for (std::size_t k = 0; k < leaves_.size(); ++k)
    if (const auto found = changed.find(leaves_[k]); found != changed.end())
      point[k] = found->second;
  run(watcher, point);
  Outputs outputs;
  for (Operation& operation : watcher.operations) outputs.push_back(std::move(operation.outputs));
  // As many as the first run had, whatever this one did.
  outputs.resize(operations_.size());
  for (std::size_t node = 0; node < outputs.size(); ++node)
    if (outputs[node].size() != operations_[node].outputs.size())
      outputs[node] = operations_[node].outputs;
  return outputs;
}

Replay::Free Replay::free(const Point& point,
                          const std::function<bool(std::size_t)>& freeze) const {
  Watcher watcher;
  watcher.replace_detached = [&](std::size_t k) {
    return k < detached_.size() && freeze(k) ? detached_[k] : Tensor();
  };
  Free all;
  all.result = run(watcher, point).value();
  for (Operation& operation : watcher.operations)
    all.outputs.push_back(std::move(operation.outputs));
  return all;
}

void Replay::visit(const std::function<void(Tape&)>& visit) const {
  Watcher watcher;
  run(watcher, point_, visit);
}

}  // namespace unroll::detail
