#pragma once

#include <autograd/tape/tape.hpp>

#include <memory>

namespace unroll::detail {

/// Makes parts of a tape differentiable by themselves. What passes a doorway enters the part as a
/// leaf: a sweep ends there. When the doorways are gone, gradients pass through them to what was
/// computed before, so that derivatives of the derivatives are complete.
class Doorways {
 public:
  Doorways() = default;
  ~Doorways() { *closed_ = false; }
  Doorways(const Doorways&) = delete;
  Doorways& operator=(const Doorways&) = delete;

  /// `operation` is named when x belongs to another tape, which throws TapeError.
  Variable pass(const char* operation, const Variable& x) const {
    recording(operation, x);
    return record("input", x.value(),
                  [x = x.without_value(), closed = closed_](const Variable& g, BackwardPass& pass) {
                    if (!*closed) pass.add(x, g);
                  });
  }

 private:
  std::shared_ptr<bool> closed_ = std::make_shared<bool>(true);
};

}  // namespace unroll::detail
