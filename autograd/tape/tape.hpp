#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/packing.hpp>
#include <autograd/tape/variable.hpp>

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unroll {

struct GradientOptions {
  /// d result / d loss, of the loss's shape; 1 when left out, and then the loss must have one
  /// element.
  Variable seed = {};
  /// Variables inside the graph whose gradient is wanted beside those of the leaves.
  std::vector<Variable> of = {};
  /// Records the backward pass too, for gradients of gradients. The tape is kept.
  bool differentiable = false;
  /// Keeps what the operations saved: gradients can then be taken from this tape again.
  bool retain = false;
};

struct TapeStatistics {
  std::size_t operations = 0;  ///< nodes recorded
  std::size_t saved = 0;       ///< nodes that still hold what their vjp needs
  std::size_t bytes = 0;       ///< of the record itself, without the tensors that it refers to
};

namespace extension {
class TapeObserver;
}

/// The record of the operations of a scope, in the order of execution. While a tape is alive,
/// operations on the same thread that depend on its leaves are recorded; with none alive nothing
/// is. Tapes nest; the innermost records. On a thread without a tape of its own, using a variable
/// of another thread's tape, or a parameter that such a tape has seen, throws TapeError: what is
/// computed there would be a constant. A tape may end on another thread, but not while the thread
/// that made it computes: that would be a data race.
///
///     Tape tape;
///     Variable x = tape.watch(value);
///     Variable loss = sum(x * x);
///     Tensor slope = tape.gradients(loss)[x].value();
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Makes a leaf: a variable whose gradient is wanted. Throws DtypeError for an int64 value, and
  /// TapeError on another thread than the tape was made on.
  Variable watch(const Tensor& value);

  /// The gradients of `loss` with respect to every leaf that this tape has seen. What each
  /// operation that the loss depends on saved is freed when the pass has used it, unless the
  /// options say otherwise. Throws ShapeError when loss has several elements and no seed is given,
  /// and TapeError when it is not on this tape, when gradients were already taken through the same
  /// operations, and on another thread than the tape was made on.
  Gradients gradients(const Variable& loss, const GradientOptions& options = {});
  /// The gradients of sum_k <seeds[k], outputs[k]>, for which options.seed is not used. An output
  /// with an undefined seed and one that is a constant add nothing.
  Gradients gradients(std::span<const Variable> outputs, std::span<const Variable> seeds,
                      const GradientOptions& options = {});

  /// What the tape holds at present.
  TapeStatistics statistics() const;
  /// The parameters that this tape has seen, in the order of first use, frozen ones among them.
  std::vector<Parameter> parameters() const;

  /// The tape that records on this thread, if any.
  static Tape* active() { return active_; }

 private:
  friend class Variable;
  friend class BackwardPass;
  friend class extension::GradientDestination;
  friend class extension::TapeAccess;

  struct Node {
    const char* operation;
    detail::Closure* closure;
    std::uint32_t first_slot;
    std::uint32_t outputs;
  };
  struct Base {
    std::uint32_t slot;
    Shape shape;
  };
  struct Passing {
    std::uint32_t output;
    Variable to;
  };
  class Activation;
  class ObservedVjp;

  struct Home;
  static Home& home();
  void check_thread(const char* operation) const;
  static void check_not_elsewhere(const char* operation, std::uint64_t tape);
  Variable leaf(const Parameter& parameter);
  void check_output(const Variable& output, const Variable& seed) const;
  void backward(BackwardPass& pass, const GradientOptions& options, Gradients& result);
  std::vector<std::pair<std::uint32_t, Variable>> pull(std::size_t node,
                                                       std::span<const Variable> gradients,
                                                       bool differentiable);
  [[noreturn]] void throw_stale(const char* operation, const Variable& x) const;

  static thread_local Tape* active_;     // what records
  static thread_local Tape* innermost_;  // the newest alive, recording or in a backward pass
  static thread_local extension::TapeObserver* thread_observer_;

  std::uint64_t id_;
  Home* home_;  // the thread that this tape was made on; null when that has ended
  Tape* next_alive_ = nullptr;
  Tape* previous_alive_ = nullptr;
  BackwardPass* pass_ = nullptr;  // the newest that runs
  Tape* outer_;
  bool resumes_;  // something recorded when this tape was made, and will again when it ends
  extension::TapeObserver* observer_ = thread_observer_;
  std::uint32_t slots_ = 0;
  memory::Vector<Node> nodes_;
  detail::Packing packing_;
  memory::Vector<Base> bases_;        // of views
  memory::Vector<Passing> passings_;  // in the order of the outputs
  // Leaves, without their values, so that an optimizer can update a parameter in place.
  memory::Vector<Variable> watched_;
  memory::Vector<std::pair<Parameter, Variable>> parameters_;
  std::size_t latest_ = 0;  // the index of the parameter asked for last
  std::unordered_map<const void*, std::size_t, std::hash<const void*>, std::equal_to<>,
                     memory::Allocator<std::pair<const void* const, std::size_t>>>
      parameter_index_;
};

}  // namespace unroll
