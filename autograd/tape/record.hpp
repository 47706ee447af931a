#pragma once

#include <autograd/tape/access.hpp>
#include <autograd/tape/gradient.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

/// How an operation of one's own goes on the tape: its value and its vjp (docs/ops.md).
namespace unroll {

namespace detail {

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
  /// The user's lambda, where the vjp runs one again: for what it has captured.
  virtual std::span<const std::byte> lambda() const { return {}; }

 private:
  std::size_t bytes_;
};

/// The closure of a vjp that is a function object. `Several`: the operation has a span of
/// outputs. A vjp that takes the outputs is given them on the tape.
template <class Vjp, bool Several>
class VjpClosure final : public Closure {
  using Values = std::conditional_t<Several, std::span<const Variable>, const Variable&>;
  using Kept = std::conditional_t<Several, memory::Vector<Variable>, Variable>;
  struct Nothing {};

 public:
  static constexpr bool takes_outputs = std::is_invocable_v<Vjp&, Values, Values, BackwardPass&>;
  static_assert(takes_outputs || std::is_invocable_v<Vjp&, Values, BackwardPass&>,
                "a vjp takes the gradient of the output and a BackwardPass&, or the output, "
                "its gradient and a BackwardPass&; for several outputs each is a "
                "std::span<const Variable>");

  explicit VjpClosure(Vjp&& vjp) : Closure(sizeof(VjpClosure)), vjp_(std::move(vjp)) {}

  static VjpClosure* make(Vjp&& vjp) {
    return new (memory::allocate(sizeof(VjpClosure))) VjpClosure(std::move(vjp));
  }

  void keep(Values outputs) {
    if constexpr (takes_outputs && Several)
      outputs_.assign(outputs.begin(), outputs.end());
    else if constexpr (takes_outputs)
      outputs_ = outputs;
  }

  void backward(std::span<const Variable> gradients, BackwardPass& pass) override {
    const auto values = [&]() -> Values {
      if constexpr (Several)
        return gradients;
      else
        return gradients[0];
    };
    if constexpr (takes_outputs)
      vjp_(outputs_, values(), pass);
    else
      vjp_(values(), pass);
  }

 private:
  Vjp vjp_;
  [[no_unique_address]] std::conditional_t<takes_outputs, Kept, Nothing> outputs_;
};

}  // namespace detail

/// True when a tape is alive and one of the inputs is on it: the operation must then be recorded.
/// Throws TapeError when an input belongs to another tape.
template <class... Inputs>
bool recording(const char* operation, const Inputs&... inputs) {
  using extension::TapeAccess;
  const Tape* tape = Tape::active();
  if (!tape) {
    (TapeAccess::check_unrecorded(operation, inputs), ...);
    return false;
  }
  if ((static_cast<unsigned>(TapeAccess::tracks(*tape, operation, inputs)) | ... | 0U) == 0)
    return false;
  TapeAccess::announce(
      *tape, operation,
      std::array<const Variable*, sizeof...(Inputs)>{&static_cast<const Variable&>(inputs)...});
  return true;
}
bool recording(const char* operation, std::span<const Variable> inputs);
bool recording(const char* operation, std::span<const Variable* const> inputs);

/// Puts an operation on the tape: its output and its vjp, `vjp(const Variable& gradient,
/// BackwardPass&)`, or `vjp(const Variable& output, const Variable& gradient, BackwardPass&)` when
/// the derivative is easiest in terms of the output. Write the vjp with operations on variables:
/// then it can be differentiated too. A vjp that cannot be should throw when
/// pass.differentiable(). It may run several times (GradientOptions::retain) and must not use up
/// its captures. Do not capture the output: it would be a constant, and second derivatives wrong.
template <class Vjp>
Variable record(const char* operation, Tensor output, Vjp vjp) {
  Tape& tape = extension::TapeAccess::recorder(operation);
  Variable result(std::move(output));
  auto* closure = detail::VjpClosure<Vjp, false>::make(std::move(vjp));
  extension::TapeAccess::append(tape, operation, {&result, 1}, closure);
  closure->keep(result);
  return result;
}

/// The same with several outputs, which become variables of the tape: the vjp is
/// `vjp(std::span<const Variable> gradients, BackwardPass&)`, or `vjp(std::span<const Variable>
/// outputs, std::span<const Variable> gradients, BackwardPass&)`. A gradient is undefined where the
/// loss does not depend on that output.
template <class Vjp>
void record(const char* operation, std::span<Variable> outputs, Vjp vjp) {
  Tape& tape = extension::TapeAccess::recorder(operation);
  auto* closure = detail::VjpClosure<Vjp, true>::make(std::move(vjp));
  extension::TapeAccess::append(tape, operation, outputs, closure);
  closure->keep(outputs);
}

}  // namespace unroll
