#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

namespace unroll::nn {

/// A learned vector for each of `count` symbols. Parameter `weight: [count,size]`, standard normal
/// at first, as in PyTorch. Its gradient stays a list of rows.
class Embedding : public Module {
 public:
  /// Throws ArgumentError when a size is below 1.
  Embedding(Index count, Index size);

  /// `indices: [...]` int64, result `[...,size]`. Throws ArgumentError for an index outside
  /// 0..count-1.
  Variable operator()(const Tensor& indices) const;

  const Parameter& weight() const { return weight_; }

 private:
  Parameter weight_;
};

}  // namespace unroll::nn
