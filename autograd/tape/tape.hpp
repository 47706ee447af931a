#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/packing.hpp>
#include <autograd/tape/variable.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
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
  /// Records the backward pass too, so that gradients of gradients can be taken. The tape is kept.
  bool differentiable = false;
  /// Keeps what the operations saved, so that gradients can be taken from this tape again.
  bool retain = false;
};

struct TapeStatistics {
  std::size_t operations = 0;  ///< nodes recorded
  std::size_t saved = 0;       ///< nodes that still hold what their vjp needs
  std::size_t bytes = 0;       ///< of the record itself, without the tensors that it refers to
};

class Tape;

namespace detail {

/// Sees every operation as a tape records it, and chooses the value that the program goes on with:
/// so gradcheck runs a single operation by itself. A tape without one pays a test for null.
class TapeObserver {
 public:
  TapeObserver() = default;
  TapeObserver(const TapeObserver&) = delete;
  TapeObserver& operator=(const TapeObserver&) = delete;
  virtual ~TapeObserver() = default;

  /// Operation `node` has put `value` at `slot`. Returns it, or another of its shape and dtype.
  virtual Tensor recorded(const char* operation, std::size_t node, std::uint32_t slot,
                          const Tensor& value) = 0;
  /// detach() makes a constant of `value`. Returns it, or another of its shape and dtype.
  virtual Tensor detached(const Tensor& value) = 0;

  // For tools that only look (autograd/inspect).

  /// A Scope has opened, of a module or of a time step; and the last one opened has closed.
  virtual void entered(std::string_view /*module*/, std::optional<Index> /*time_step*/) {}
  virtual void left() noexcept {}
  /// `operation` will be recorded next, with these inputs.
  virtual void uses(const char* /*operation*/, std::span<const Variable* const> /*inputs*/) {}
  /// Operation `node` stands on the tape with all its outputs; undefined those that nobody wanted.
  virtual void appended(const Tape& /*tape*/, const char* /*operation*/, std::size_t /*node*/,
                        std::span<const Variable> /*outputs*/) {}
  /// The rule of `node` is about to run on the gradients of its outputs; and has run, or thrown.
  virtual void vjp_begins(const Tape& /*tape*/, const char* /*operation*/, std::size_t /*node*/,
                          std::span<const Variable> /*gradients*/) {}
  virtual void vjp_ended() noexcept {}
  /// The gradient of a leaf is complete; undefined when it is kept as rows.
  virtual void gathered(const Tape& /*tape*/, std::uint32_t /*slot*/,
                        const Variable& /*gradient*/) {}
  virtual void ended(const Tape& /*tape*/) noexcept {}
};

/// What an operation leaves on the tape: the values that its vjp needs, and the vjp.
class Closure {
 public:
  explicit Closure(std::size_t bytes) : bytes_(bytes) {}
  Closure(const Closure&) = delete;
  Closure& operator=(const Closure&) = delete;
  virtual ~Closure() = default;
  /// Adds the terms of the inputs, given the gradients of the outputs (undefined where there is
  /// none).
  virtual void backward(std::span<const Variable> gradients, BackwardPass& pass) = 0;

  void destroy() noexcept {
    const std::size_t bytes = bytes_;
    this->~Closure();
    memory::release(this, bytes);
  }
  std::size_t bytes() const { return bytes_; }
  /// The user's lambda, where the rule runs one again: for what it has captured.
  virtual std::span<const std::byte> lambda() const { return {}; }

 private:
  std::size_t bytes_;
};

template <class Rule>
class RuleClosure final : public Closure {
 public:
  static constexpr bool takes_output =
      std::is_invocable_v<Rule&, const Variable&, const Variable&, BackwardPass&>;

  explicit RuleClosure(Rule&& rule) : Closure(sizeof(RuleClosure)), rule_(std::move(rule)) {}

  static RuleClosure* make(Rule&& rule) {
    return new (memory::allocate(sizeof(RuleClosure))) RuleClosure(std::move(rule));
  }

  void keep_output(const Variable& output) {
    if constexpr (takes_output) output_ = output;
  }

  void backward(std::span<const Variable> gradients, BackwardPass& pass) override {
    if constexpr (takes_output)
      rule_(output_, gradients[0], pass);
    else if constexpr (std::is_invocable_v<Rule&, const Variable&, BackwardPass&>)
      rule_(gradients[0], pass);
    else
      rule_(gradients, pass);
  }

 private:
  struct Nothing {};
  Rule rule_;
  [[no_unique_address]] std::conditional_t<takes_output, Variable, Nothing> output_;
};

}  // namespace detail

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

  TapeStatistics statistics() const;
  /// The parameters that this tape has seen, in the order of first use.
  std::vector<Parameter> parameters() const;

  /// The tape that records on this thread, if any.
  static Tape* active() { return active_; }
  /// The same. Throws TapeError naming `operation` when there is none.
  static Tape& recorder(const char* operation) {
    if (!active_) throw_not_recording(operation);
    return *active_;
  }

  /// The packed form of the matrix `b`, or of its transpose, that a product of `rows` rows should
  /// use; null for BLAS.
  static const kernels::PackedMatrix* packed(const Variable& b, bool transposed, Index rows);

  /// For tools that look inside. The observer sees what is recorded from now on; null ends that.
  void observe(detail::TapeObserver* observer) { observer_ = observer; }
  static detail::TapeObserver* observer() { return active_ ? active_->observer_ : nullptr; }
  /// The same for this thread: its scopes, and the tapes that it makes from now on.
  static void observe_thread(detail::TapeObserver* observer) { thread_observer_ = observer; }
  static detail::TapeObserver* thread_observer() { return thread_observer_; }
  /// Identity of this tape, and of the one that a variable is on; 0 for a constant. Never used
  /// twice.
  std::uint64_t id() const { return id_; }
  static std::uint64_t id(const Variable& x) { return x.tape_; }
  /// The place of a recorded variable on its tape; that of its base when it is a view.
  static std::uint32_t slot(const Variable& x) { return x.slot_; }
  /// Where a view begins in its base, counted in elements; 0 when x is no view.
  static Index offset(const Variable& x) { return x.offset_; }
  /// The shape of the variable that x shows a part of; that of x when it is no view.
  const Shape& base_shape(const Variable& x) const {
    return x.base_ == 0 ? x.shape() : bases_[x.base_ - 1].shape;
  }
  /// The parameter whose leaf has this slot; null when there is none.
  const Parameter* parameter(std::uint32_t slot) const;
  /// What the rule of operation `node` by itself adds to the gradients of its inputs, by slot,
  /// given the gradients of its outputs; recorded if it is to be differentiable. Nothing is freed.
  std::vector<std::pair<std::uint32_t, Variable>> pull(std::size_t node,
                                                       std::span<const Variable> gradients,
                                                       bool differentiable = false);

  /// The lambda that operation `node` runs again in its rule; empty when there is none.
  struct Lambda {
    const char* operation;
    std::span<const std::byte> bytes;
  };
  Lambda lambda(std::size_t node) const;

  /// Refuses an input that another thread's tape has recorded, where no tape records.
  static void check_unrecorded(const char* operation, const Variable& x) {
    if (x.tape_ != 0 && !innermost_) [[unlikely]]
      check_not_elsewhere(operation, x.tape_);
  }
  /// Implementation of `recording` and `record` below.
  bool tracks(const char* operation, const Variable& x) const {
    if (x.tape_ == 0) return false;
    if (x.tape_ != id_) throw_stale(operation, x);
    return true;
  }
  void tell_uses(const char* operation, std::span<const Variable* const> inputs) const {
    if (observer_) [[unlikely]]
      observer_->uses(operation, inputs);
  }
  void append(const char* operation, std::span<Variable> outputs, detail::Closure* closure);

  /// True when tensors that share x's buffer can be views of it on the tape: when its elements lie
  /// in memory as in its base.
  static bool can_view(const Variable& x) { return x.base_ != 0 || x.value().is_contiguous(); }
  /// `y`, which shows elements of x's buffer, each at most once, as a variable. It is no operation
  /// of its own: what it adds to the gradient goes to its place in that of x.
  Variable view(const Variable& x, Tensor y);

  /// Says that the gradient of `output` is added to `x`, of the same shape, as it is. When x is a
  /// step of a sequence, the gradient of `output` is then computed at its place in the sequence's.
  void pass_gradient(const Variable& output, const Variable& x);

 private:
  friend class Variable;
  friend class BackwardPass;

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
  class ObservedRule;

  struct Home;
  static Home& home();
  void check_thread(const char* operation) const;
  static void check_not_elsewhere(const char* operation, std::uint64_t tape);
  Variable leaf(const Parameter& parameter);
  void check_output(const Variable& output, const Variable& seed) const;
  void backward(BackwardPass& pass, const GradientOptions& options, Gradients& result);
  [[noreturn]] static void throw_not_recording(const char* operation);
  [[noreturn]] void throw_stale(const char* operation, const Variable& x) const;

  static thread_local Tape* active_;     // what records
  static thread_local Tape* innermost_;  // the newest alive, recording or in a backward pass
  static thread_local detail::TapeObserver* thread_observer_;

  std::uint64_t id_;
  Home* home_;  // the thread that this tape was made on; null when that has ended
  Tape* next_alive_ = nullptr;
  Tape* previous_alive_ = nullptr;
  BackwardPass* pass_ = nullptr;  // the newest that runs
  Tape* outer_;
  bool resumes_;  // something recorded when this tape was made, and will again when it ends
  detail::TapeObserver* observer_ = thread_observer_;
  std::uint32_t slots_ = 0;
  PooledVector<Node> nodes_;
  Packing packing_;
  PooledVector<Base> bases_;        // of views
  PooledVector<Passing> passings_;  // in the order of the outputs
  // Leaves, without their values, so that an optimizer can update a parameter in place.
  PooledVector<Variable> watched_;
  PooledVector<std::pair<Parameter, Variable>> parameters_;
  std::size_t latest_ = 0;  // the index of the parameter asked for last
  std::unordered_map<const void*, std::size_t, std::hash<const void*>, std::equal_to<>,
                     memory::Allocator<std::pair<const void* const, std::size_t>>>
      parameter_index_;
};

/// True when a tape is alive and one of the inputs is on it: the operation must then be recorded.
/// Throws TapeError when an input belongs to another tape.
template <class... Inputs>
bool recording(const char* operation, const Inputs&... inputs) {
  const Tape* tape = Tape::active();
  if (!tape) {
    (Tape::check_unrecorded(operation, inputs), ...);
    return false;
  }
  if ((static_cast<unsigned>(tape->tracks(operation, inputs)) | ... | 0U) == 0) return false;
  tape->tell_uses(operation, std::array<const Variable*, sizeof...(Inputs)>{
                                 &static_cast<const Variable&>(inputs)...});
  return true;
}
bool recording(const char* operation, std::span<const Variable> inputs);
bool recording(const char* operation, std::span<const Variable* const> inputs);

/// Puts an operation on the tape: its output and its vjp, `rule(const Variable& gradient,
/// BackwardPass&)`, or `rule(const Variable& output, const Variable& gradient, BackwardPass&)` when
/// the derivative is easiest in terms of the output. The rule is written with operations on
/// variables, so that it can itself be differentiated; one that cannot be should throw when
/// pass.differentiable(). It may run several times (GradientOptions::retain), so it must not use up
/// its captures. Do not capture the output: as a constant it would make second derivatives wrong.
template <class Rule>
Variable record(const char* operation, Tensor output, Rule rule) {
  Tape& tape = Tape::recorder(operation);
  Variable result(std::move(output));
  auto* closure = detail::RuleClosure<Rule>::make(std::move(rule));
  tape.append(operation, {&result, 1}, closure);
  closure->keep_output(result);
  return result;
}

/// The same with several outputs; the rule takes `std::span<const Variable> gradients`, undefined
/// where an output has none.
template <class Rule>
void record(const char* operation, std::span<Variable> outputs, Rule rule) {
  Tape& tape = Tape::recorder(operation);
  tape.append(operation, outputs, detail::RuleClosure<Rule>::make(std::move(rule)));
}

}  // namespace unroll
