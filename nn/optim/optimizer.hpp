#pragma once

#include <autograd/gradient.hpp>
#include <autograd/parameter.hpp>

#include <vector>

namespace unroll::nn {

class UpdatePass;

/// Changes parameters along their gradients: `adam.step(tape.gradients(loss))`. Gradients of other
/// parameters are ignored; parameters without a gradient stay as they are.
class Optimizer {
 public:
  explicit Optimizer(std::vector<Parameter> parameters);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void step(const Gradients& gradients);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Number of steps taken.
  std::int64_t steps() const { return steps_; }

 protected:
  /// Updates parameter `index` of parameters(), at once or by adding to `pass`, which is run when
  /// all parameters have had their turn.
  virtual void update(std::size_t index, const ParameterGradient& gradient, UpdatePass& pass) = 0;

 private:
  std::vector<Parameter> parameters_;
  std::int64_t steps_ = 0;
};

}  // namespace unroll::nn
