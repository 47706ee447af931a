#pragma once

#include <autograd/tape/observer.hpp>
#include <autograd/tape/tape.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace unroll::extension {

/// What operations, tools and checks need of a tape and users do not: the places of variables, the
/// nodes, views, and the observers.
class TapeAccess {
 public:
  /// The tape that records on this thread. Throws TapeError naming `operation` when there is none.
  static Tape& recorder(const char* operation) {
    if (!Tape::active_) throw_not_recording(operation);
    return *Tape::active_;
  }

  /// What chooses the tape that records (activation.hpp).
  using Activation = Tape::Activation;

  /// The observer sees what is recorded from now on; null ends that.
  static void observe(Tape& tape, TapeObserver* observer) { tape.observer_ = observer; }
  /// The observer of the tape that records on this thread, if any.
  static TapeObserver* observer() { return Tape::active_ ? Tape::active_->observer_ : nullptr; }
  /// The same for this thread: its scopes, and the tapes that it makes from now on.
  static void observe_thread(TapeObserver* observer) { Tape::thread_observer_ = observer; }
  static TapeObserver* thread_observer() { return Tape::thread_observer_; }

  /// Identity of a tape, and of the one that a variable is on; 0 for a constant. Never used twice.
  static std::uint64_t id(const Tape& tape) { return tape.id_; }
  static std::uint64_t id(const Variable& x) { return x.tape_; }
  /// The place of a recorded variable on its tape; that of its base when it is a view.
  static std::uint32_t slot(const Variable& x) { return x.slot_; }
  /// Where a view begins in its base, counted in elements; 0 when x is no view.
  static Index offset(const Variable& x) { return x.offset_; }
  /// The shape of the variable that x shows a part of; that of x when it is no view.
  static const Shape& base_shape(const Tape& tape, const Variable& x) {
    return x.base_ == 0 ? x.shape() : tape.bases_[x.base_ - 1].shape;
  }
  /// The parameter whose leaf has this slot; null when there is none.
  static const Parameter* parameter(const Tape& tape, std::uint32_t slot);
  /// The terms that the vjp of operation `node` adds to the gradients of its inputs, by slot,
  /// given the gradients of its outputs; recorded if `differentiable`. Nothing is freed. Throws
  /// TapeError when the operation's saved values have been freed.
  static std::vector<std::pair<std::uint32_t, Variable>> pull(Tape& tape, std::size_t node,
                                                              std::span<const Variable> gradients,
                                                              bool differentiable = false) {
    return tape.pull(node, gradients, differentiable);
  }

  /// The lambda that operation `node` runs again in its vjp; empty when there is none.
  struct Lambda {
    const char* operation;
    std::span<const std::byte> bytes;
  };
  static Lambda lambda(const Tape& tape, std::size_t node);

  /// Puts an operation on the tape. Owns the closure from here on.
  static void append(Tape& tape, const char* operation, std::span<Variable> outputs,
                     detail::Closure* closure);
  /// True when x is on this tape. Throws TapeError when it is on another one.
  static bool tracks(const Tape& tape, const char* operation, const Variable& x) {
    if (x.tape_ == 0) return false;
    if (x.tape_ != tape.id_) tape.throw_stale(operation, x);
    return true;
  }
  /// Throws TapeError for an input that another thread's tape has recorded, where no tape records.
  static void check_unrecorded(const char* operation, const Variable& x) {
    if (x.tape_ != 0 && !Tape::innermost_) [[unlikely]]
      Tape::check_not_elsewhere(operation, x.tape_);
  }
  /// Reports to the observer that `operation` will be recorded with these inputs.
  static void announce(const Tape& tape, const char* operation,
                       std::span<const Variable* const> inputs) {
    if (tape.observer_) [[unlikely]]
      tape.observer_->uses(operation, inputs);
  }

  /// True when tensors that share x's buffer can be views of it on the tape: when its elements lie
  /// in memory as in its base.
  static bool can_view(const Variable& x) { return x.base_ != 0 || x.value().is_contiguous(); }
  /// `y`, which shows elements of x's buffer, each at most once, as a variable. It is no operation
  /// of its own: its gradient is added to the part of x's gradient that it shows.
  static Variable view(Tape& tape, const Variable& x, Tensor y);
  /// Declares that the gradient of `output` is added unchanged to `x`, of the same shape. When x is
  /// a step of a sequence, a GradientDestination of `output` is then part of the sequence's.
  static void pass_gradient(Tape& tape, const Variable& output, const Variable& x);

  /// The packed form of the matrix `b`, or of its transpose, that a product of `rows` rows should
  /// use; null for BLAS.
  static const kernels::PackedMatrix* packed(const Variable& b, bool transposed, Index rows);

 private:
  [[noreturn]] static void throw_not_recording(const char* operation);
};

}  // namespace unroll::extension
