#pragma once

#include <nn/learning/truncated_bptt.hpp>

#include <limits>
#include <utility>

namespace unroll::nn {

/// Backpropagation through time (Rumelhart, Hinton and Williams, 1986; Werbos, 1990): the whole
/// sequence is unrolled, and differentiated by one backward pass, when it ends.
///
///     dE/dW = sum_t sum_{k<=t} dE_t/dh_t dh_t/dh_k dh_k/dW
///
/// One update, from finish(). Remembers the sequence; the backward pass needs what its T steps
/// saved.
class BPTT : public TruncatedBPTT {
 public:
  explicit BPTT(Recurrent rnn, StepLoss loss, const LearningOptions& options = {})
      : TruncatedBPTT("bptt", std::move(rnn), std::move(loss),
                      {.k1 = std::numeric_limits<Index>::max(),
                       .k2 = std::numeric_limits<Index>::max(),
                       .teacher = options.teacher}) {}
};

}  // namespace unroll::nn
