#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/parameter.hpp>
#include <nn/module.hpp>
#include <nn/optim/update_pass.hpp>
#include <nn/saved_state.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unroll::nn {

/// What an optimizer does with gradients of which one is a NaN or an infinity.
enum class NonFinite {
  keep,   ///< uses them like any others; nothing is checked
  skip,   ///< leaves parameters and moments as they are and does not count the step
  raise,  ///< throws ArgumentError and changes nothing
};

/// What is different for some parameters of an optimizer.
struct GroupOptions {
  double rate = 1.0;                        ///< factor of the learning rate
  std::optional<double> weight_decay = {};  ///< in place of the optimizer's own
};

/// Changes parameters along their gradients: `adam.step(tape.gradients(loss))`. Gradients of other
/// parameters are ignored; parameters without a gradient, such as frozen ones, stay as they are.
class Optimizer {
 public:
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
  /// Lets some of the parameters have a rate and a weight decay of their own. Throws ArgumentError
  /// for a parameter of another optimizer and for a negative number.
  ///
  ///     adam.set_group({norm.parameters()}, {.weight_decay = 0.0});
  void set_group(const std::vector<Parameter>& some, const GroupOptions& options);

  /// Number of steps taken.
  std::int64_t steps() const { return steps_; }

  /// What the optimizer remembers, for saving: under the path of each parameter in the module, a
  /// dot and a name, such as `weight_ih_l0.first`, and `steps`. A parameter that has not had a
  /// gradient yet has no entries. Throws ArgumentError for a parameter that the module lacks.
  NamedTensors state(const Module& module) const;
  /// Continues from such a state. Learning rate, groups and options are not part of it. Changes
  /// nothing unless all fits. Throws ArgumentError as state() does, FormatError for entries that
  /// are missing, left over or of another shape.
  void set_state(const Module& module, const NamedTensors& state);

 protected:
  /// What is remembered of one parameter between steps: tensors of its shape and dtype, zeros at
  /// first, contiguous and with no other owner.
  struct Memory {
    std::vector<Tensor> tensors;
    std::int64_t steps = 0;  ///< the present one included
  };

  /// One parameter's turn.
  struct Turn {
    const ParameterGradient& gradient;
    Tensor& weight;  ///< for writing
    Memory& memory;
    double rate;          ///< of this parameter
    double weight_decay;  ///< of this parameter
    UpdatePass& pass;
  };

  /// `name` begins the messages of errors; `remembered` names the tensors of a Memory. Throws
  /// ArgumentError for a negative learning rate or weight decay.
  Optimizer(std::string name, std::vector<Parameter> parameters, double learning_rate,
            double weight_decay = 0.0, std::vector<std::string> remembered = {});

  /// Changes a parameter, at once or by adding to `turn.pass`, which is run when all parameters
  /// have had their turn.
  virtual void update(const Turn& turn) = 0;

  /// Of parameters()[index].
  const Memory& memory(std::size_t index) const { return held_[index].memory; }

  /// Throws ArgumentError, beginning with the optimizer's name, unless it holds.
  void require(bool holds, const char* what) const;

 private:
  struct Held {
    Memory memory;
    GroupOptions group;
  };

  std::string name_;
  std::vector<Parameter> parameters_;
  std::vector<Held> held_;  // as many
  std::vector<std::string> remembered_;
  double learning_rate_ = 0.0;
  double weight_decay_;
  std::unordered_map<const void*, std::size_t> index_;  // by identity
  std::int64_t steps_ = 0;
  NonFinite non_finite_ = NonFinite::keep;
};

}  // namespace unroll::nn
