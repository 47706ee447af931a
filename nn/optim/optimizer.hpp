#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/parameter.hpp>
#include <nn/optim/update_pass.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace unroll::nn {

/// What an optimizer does with gradients of which one is a NaN or an infinity.
enum class NonFinite {
  keep,   ///< uses them like any others; nothing is checked
  skip,   ///< leaves parameters and moments as they are and does not count the step
  raise,  ///< throws ArgumentError and changes nothing
};

/// Changes parameters along their gradients: `adam.step(tape.gradients(loss))`. Gradients of other
/// parameters are ignored; parameters without a gradient stay as they are.
class Optimizer {
 public:
  /// `name` begins the messages of errors. Throws ArgumentError for a negative learning rate.
  Optimizer(std::string name, std::vector<Parameter> parameters, double learning_rate);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Throws ShapeError, DtypeError, or ArgumentError for a gradient that does not fit its
  /// parameter, before anything is changed.
  void step(const Gradients& gradients);

  /// At first NonFinite::keep. The check reads all gradients once more.
  void set_non_finite(NonFinite policy) { non_finite_ = policy; }

  const std::vector<Parameter>& parameters() const { return parameters_; }
  double learning_rate() const { return learning_rate_; }
  /// For schedules: the rate of the steps to come. Throws ArgumentError for a negative rate.
  void set_learning_rate(double rate);

  /// Number of steps taken.
  std::int64_t steps() const { return steps_; }

 protected:
  /// Updates parameter `index` of parameters(), at once or by adding to `pass`, which is run when
  /// all parameters have had their turn.
  virtual void update(std::size_t index, const ParameterGradient& gradient, UpdatePass& pass) = 0;

 private:
  std::string name_;
  std::vector<Parameter> parameters_;
  double learning_rate_ = 0.0;
  std::unordered_map<const void*, std::size_t> index_;  // by identity
  std::int64_t steps_ = 0;
  NonFinite non_finite_ = NonFinite::keep;
};

}  // namespace unroll::nn
