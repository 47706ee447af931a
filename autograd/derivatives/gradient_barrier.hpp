#pragma once

#include <autograd/tape/record.hpp>

#include <memory>

namespace unroll::detail {

/// Makes a part of a tape differentiable on its own. A variable that crosses the barrier enters the
/// part as a leaf: gradients stop there. When the barrier is gone, gradients pass to what was
/// computed before, and derivatives of the derivatives are complete.
class GradientBarrier {
 public:
  GradientBarrier() = default;
  ~GradientBarrier() { *closed_ = false; }
  GradientBarrier(const GradientBarrier&) = delete;
  GradientBarrier& operator=(const GradientBarrier&) = delete;

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
