#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/variable.hpp>

namespace unroll::detail {

/// A stack of tensors that are made one after the other, like the steps of a sequence.
class StackBuilder {
 public:
  /// `count`: of the tensors, at least 1.
  explicit StackBuilder(Index count, int axis = 0);

  /// Copies x to position k. Returns x; with its elements in the stack, if they lie there as they
  /// do in x, so that the memory in which x was computed can be used again.
  Variable put(Index k, const Variable& x);
  /// The stack. Throws ArgumentError unless every position has been put; each can be put once.
  Variable finish();

 private:
  memory::Vector<Variable> parts_;
  int axis_;
  Tensor whole_;  // made with the first part
};

}  // namespace unroll::detail
