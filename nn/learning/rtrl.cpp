#include <autograd/kernels/gemm.hpp>
#include <nn/learning/rtrl.hpp>

#include <utility>

namespace unroll::nn {

RTRL::RTRL(Recurrent rnn, StepLoss loss, const LearningOptions& options)
    : ForwardRule("rtrl", std::move(rnn), std::move(loss), options) {}

void RTRL::carry(const Tensor& jacobian, const Tensor& before, Tensor& after) const {
  kernels::gemm(jacobian, before, after, 1.0);
}

}  // namespace unroll::nn
