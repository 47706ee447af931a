#include <autograd/ops/index.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/layers/embedding.hpp>

#include <string>

namespace unroll::nn {
namespace {

Shape table_shape(Index count, Index size) {
  if (count < 1 || size < 1)
    throw ArgumentError("embedding: count and size must be at least 1, got " +
                        std::to_string(count) + " and " + std::to_string(size));
  return {count, size};
}

}  // namespace

Embedding::Embedding(Index count, Index size)
    : weight_(parameter("weight", normal(table_shape(count, size), 0.0, 1.0))) {}

Variable Embedding::operator()(const Tensor& indices) const {
  const Scope inside = scope();
  return embedding(weight_, indices);
}

}  // namespace unroll::nn
