#include <nn/learning/focused_backpropagation.hpp>

#include <utility>

namespace unroll::nn {

FocusedBackpropagation::FocusedBackpropagation(Recurrent rnn, StepLoss loss,
                                               const LearningOptions& options)
    : ForwardRule("focused_backpropagation", std::move(rnn), std::move(loss), options) {}

void FocusedBackpropagation::carry(const Tensor& jacobian, const Tensor& before,
                                   Tensor& after) const {
  const std::vector<Index>& sizes = cell().state_sizes();
  const Index n = jacobian.size(0);
  const Index columns = before.size(1);
  dispatch_floating(after.dtype(), [&]<class T>(T) {
    const T* j = jacobian.data<T>();
    const T* p = before.data<T>();
    T* q = after.in_place<T>();
    Index to = 0;
    for (Index to_size : sizes) {
      Index from = 0;
      for (Index from_size : sizes) {
        if (from_size == to_size)
          for (Index k = 0; k < to_size; ++k) {
            const T kept = j[(to + k) * n + from + k];
            for (Index c = 0; c < columns; ++c)
              q[(to + k) * columns + c] += kept * p[(from + k) * columns + c];
          }
        from += from_size;
      }
      to += to_size;
    }
  });
}

}  // namespace unroll::nn
