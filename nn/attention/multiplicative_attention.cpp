#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <nn/attention/multiplicative_attention.hpp>
#include <nn/init.hpp>

namespace unroll::nn {

MultiplicativeAttention::MultiplicativeAttention(Index queries, Index source)
    : Attention(queries, source),
      weight_(parameter("weight", init::pytorch_default({queries, source}, source))) {}

Variable MultiplicativeAttention::keys(const Variable& source) const {
  return linear(source, weight_);
}

Variable MultiplicativeAttention::scores(const Variable& queries, const Variable& keys) const {
  return matmul(queries, transpose(keys));
}

}  // namespace unroll::nn
