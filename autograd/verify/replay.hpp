#pragma once

#include <autograd/tape/tape.hpp>
#include <autograd/verify/varied.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace unroll::detail {

/// An operation that a run of f recorded.
struct Operation {
  std::string name;
  std::uint32_t first_slot = 0;
  std::vector<Tensor> outputs;  ///< undefined where nobody wanted one
};

/// A run of f, and further runs compared with it operation by operation.
///
/// What an operation computes by itself is found without a word of it: f runs again, and each time
/// an operation has been recorded, its result is replaced by that of the first run, or by a value
/// near it. Every operation then computes from inputs that are chosen here, whatever the others do.
/// So one run tells for all operations how they respond when all their inputs move.
class Replay {
 public:
  Replay(const Varied& f, const Point& point);

  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<Tensor>& detached() const { return detached_; }
  const Tensor& result() const { return result_; }
  /// The values by slot: of what is varied, and of every operation's outputs.
  const std::map<std::uint32_t, Tensor>& values() const { return values_; }
  /// "input 0", "weight", "the result of tanh (operation 3)".
  std::string describe(std::uint32_t slot) const;
  /// "tanh (operation 3)".
  std::string describe_operation(std::size_t node) const;

  using Values = std::map<std::uint32_t, Tensor>;
  using Outputs = std::vector<std::vector<Tensor>>;
  /// What every operation computes from the values of the first run, those in `changed` excepted.
  /// `freeze`: detach() returns what it returned in the first run.
  Outputs isolated(const Values& changed, bool freeze = false) const;

  /// A run with nothing replaced but what detach() returns, for the calls that `freeze` names.
  struct Free {
    Outputs outputs;
    Tensor result;
  };
  Free free(const Point& point, const std::function<bool(std::size_t)>& freeze) const;

  /// Runs f again and calls `visit` with the tape.
  void visit(const std::function<void(Tape&)>& visit) const;

  /// How many operations there were before call number k of detach().
  std::size_t operations_before_detached(std::size_t k) const { return detached_after_[k]; }
  /// The same in words.
  std::string describe_detached(std::size_t k) const;

 private:
  class Watcher;
  Variable run(Watcher& watcher, const Point& point,
               const std::function<void(Tape&)>& at_end = {}) const;

  const Varied& f_;
  Point point_;
  std::vector<Operation> operations_;
  std::vector<Tensor> detached_;
  std::vector<std::size_t> detached_after_;
  std::vector<std::uint32_t> leaves_;
  Values values_;
  Tensor result_;
};

}  // namespace unroll::detail
