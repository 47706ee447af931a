#pragma once

#include <autograd/tape/deep_copies.hpp>
#include <autograd/tensor/tensor.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace unroll {

/// A named value that outlives tapes and that optimizers change. A parameter is a handle: copies
/// refer to the same value, and `Parameter(p.name(), p.value())` is an independent one. It becomes
/// a leaf of whichever tape uses it. One that was moved from throws ArgumentError when it is used.
class Parameter {
 public:
  Parameter(std::string name, Tensor value);
  Parameter(const Parameter& other) : state_(other.state_) {
    if (detail::DeepCopies::active()) [[unlikely]]
      state_ = detail::DeepCopies::active()->of(state_);
  }
  Parameter(Parameter&&) = default;
  Parameter& operator=(const Parameter&) = default;
  Parameter& operator=(Parameter&&) = default;
  ~Parameter() = default;

  const std::string& name() const { return state().name; }
  const Tensor& value() const { return state().value; }
  const Shape& shape() const { return state().value.shape(); }
  Dtype dtype() const { return state().value.dtype(); }

  /// Replaces the value. Throws ShapeError when the shape differs, ArgumentError for an undefined
  /// value; the dtype may change.
  void set(Tensor value);

  /// The value for writing in place. It is copied first when a tape or a user still refers to it,
  /// so nobody's saved values change.
  Tensor& mutable_value();

  /// A frozen parameter is a constant to every tape, from its next use on: it gets no gradient, and
  /// none is computed for it. Optimizers leave it as it is.
  void freeze(bool on = true) { state().frozen = on; }
  bool frozen() const { return state().frozen; }

  /// Same value, not merely an equal one.
  friend bool operator==(const Parameter& a, const Parameter& b) { return a.state_ == b.state_; }
  /// Identifies the value in maps.
  const void* identity() const { return state_.get(); }

 private:
  friend class Tape;
  friend class Variable;
  struct State {
    State(std::string given_name, Tensor given_value)
        : name(std::move(given_name)), value(std::move(given_value)) {}
    State(const State& other)
        : name(other.name), value(other.value.clone()), frozen(other.frozen) {}
    std::string name;
    Tensor value;
    bool frozen = false;
    std::atomic<std::uint64_t> tape = 0;
  };
  State& state() const {
    if (!state_) [[unlikely]]
      throw_moved();
    return *state_;
  }
  [[noreturn]] static void throw_moved();
  /// The tape that has used it last, for the check that no other thread takes it for a constant.
  std::uint64_t tape() const { return state().tape.load(std::memory_order_relaxed); }
  void seen_by(std::uint64_t tape) const { state().tape.store(tape, std::memory_order_relaxed); }

  std::shared_ptr<State> state_;
};

}  // namespace unroll
