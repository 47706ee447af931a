#pragma once

#include <nn/learning/truncated_bptt.hpp>

#include <utility>

namespace unroll::nn {

/// Simple backpropagation (Elman, Finding structure in time, 1990): the context is an input like
/// any other, so nothing flows back through it. For h = f_hid(W_in x + W_rec c), y = f_out(W_out
/// h), with steps downhill:
///
///     g_out  = f_out'(b) (d - y)       g_hid  = f_hid'(a) W_out^T g_out
///     dW_in  = g_hid x^T               dW_rec = g_hid c^T               dW_out = g_out h^T
///
/// An update at every step. Remembers one state.
class SimpleBackpropagation : public TruncatedBPTT {
 public:
  explicit SimpleBackpropagation(Recurrent rnn, StepLoss loss, const LearningOptions& options = {})
      : TruncatedBPTT("simple_backpropagation", std::move(rnn), std::move(loss),
                      {.k1 = 1, .k2 = 1, .teacher = options.teacher}) {}
};

}  // namespace unroll::nn
