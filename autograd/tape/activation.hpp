#pragma once

#include <autograd/tape/tape.hpp>

#include <utility>

namespace unroll {

/// Chooses what records on this thread for a while: a tape, or nothing with null.
class Tape::Activation {
 public:
  explicit Activation(Tape* tape)
      : previous_(std::exchange(active_, tape)), resumes_(previous_ && previous_->resumes_) {}
  ~Activation() {
    const Tape* alive = innermost_;
    while (alive && alive != previous_) alive = alive->outer_;
    active_ = alive ? previous_ : resumes_ ? innermost_ : nullptr;
  }
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

 private:
  Tape* previous_;  // what runs meanwhile may destroy it
  bool resumes_;
};

}  // namespace unroll
