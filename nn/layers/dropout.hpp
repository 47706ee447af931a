#pragma once

#include <autograd/tape/variable.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/module.hpp>

namespace unroll::nn {

/// In training mode `dropout` of x (autograd/ops/dropout.hpp), otherwise x. Throws ArgumentError
/// unless 0 <= rate <= 1.
class Dropout : public Module {
 public:
  explicit Dropout(double rate);

  Variable operator()(const Variable& x, Generator& generator = default_generator()) const;

  double rate() const { return rate_; }

 private:
  double rate_;
};

}  // namespace unroll::nn
