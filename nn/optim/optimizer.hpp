#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/parameter.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace unroll::nn {

class UpdatePass;

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
  explicit Optimizer(std::vector<Parameter> parameters);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Throws ShapeError, DtypeError, or ArgumentError for a gradient that does not fit its
  /// parameter, before anything is changed.
  void step(const Gradients& gradients);

  /// At first NonFinite::keep. The check reads all gradients once more.
  void set_non_finite(NonFinite policy) { non_finite_ = policy; }

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Number of steps taken.
  std::int64_t steps() const { return steps_; }

 protected:
  /// Updates parameter `index` of parameters(), at once or by adding to `pass`, which is run when
  /// all parameters have had their turn.
  virtual void update(std::size_t index, const ParameterGradient& gradient, UpdatePass& pass) = 0;

 private:
  std::vector<Parameter> parameters_;
  std::unordered_map<const void*, std::size_t> index_;  // by identity
  std::int64_t steps_ = 0;
  NonFinite non_finite_ = NonFinite::keep;
};

}  // namespace unroll::nn
