#include <autograd/ops/index.hpp>
#include <autograd/random.hpp>
#include <nn/embedding.hpp>

namespace unroll::nn {

Embedding::Embedding(Index count, Index size)
    : weight_(parameter("weight", normal({count, size}, 0.0, 1.0))) {}

Variable Embedding::operator()(const Tensor& indices) const { return embedding(weight_, indices); }

}  // namespace unroll::nn
