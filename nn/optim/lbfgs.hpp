#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/parameter.hpp>
#include <nn/module.hpp>
#include <nn/saved_state.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace unroll::nn {

/// Options of LBFGS.
struct LBFGSOptions {
  double learning_rate = 1.0;        ///< first step length that a line search tries
  std::int64_t iterations = 20;      ///< of one step(), at most
  std::int64_t history = 100;        ///< number of changes that approximate the curvature
  double gradient_tolerance = 1e-7;  ///< stops when no |gradient| is larger
  double change_tolerance = 1e-9;    ///< stops when neither loss nor any weight changes by more
};

/// L-BFGS with a strong Wolfe line search (Nocedal and Wright, 2006, Algorithms 7.4 and 7.5), as
/// PyTorch's with `line_search_fn="strong_wolfe"`. For smooth losses of a whole data set: it
/// evaluates the loss several times a step, so it takes a function and is no Optimizer.
///
///     nn::LBFGS lbfgs(model.parameters());
///     lbfgs.step([&] {
///       Tape tape;
///       const Variable loss = mse_loss(model(x), y);
///       return std::pair{loss.item(), tape.gradients(loss)};
///     });
///
/// The function must return the same loss for the same weights: no dropout, one batch. It computes
/// in float64, whatever the dtype of the parameters. Frozen parameters stay as they are.
class LBFGS {
 public:
  /// Loss and gradients at the present weights.
  using Closure = std::function<std::pair<double, Gradients>()>;

  /// Throws ArgumentError for an option out of its range.
  explicit LBFGS(const std::vector<Parameter>& parameters, const LBFGSOptions& options = {});

  /// Takes up to `iterations` iterations and returns the loss at the weights reached, which is not
  /// larger than before. Throws ArgumentError when the loss or a gradient is not finite at the
  /// present weights. The weights stay those of the last iteration when the function throws.
  double step(const Closure& closure);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  double learning_rate() const { return options_.learning_rate; }
  /// Throws ArgumentError for a rate that is not positive and finite.
  void set_learning_rate(double rate);
  /// Number of calls of step().
  std::int64_t steps() const { return steps_; }
  /// Number of iterations in all of them.
  std::int64_t iterations() const { return iterations_; }

  /// For saving: counts, and the changes of each parameter and of its gradient, float64, under the
  /// path of the parameter in the module. Throws ArgumentError for a parameter that it lacks.
  NamedTensors state(const Module& module) const;
  /// Continues from such a state; options are not part of it. Throws FormatError, and changes
  /// nothing, for a state that does not fit.
  void set_state(const Module& module, const NamedTensors& state);

 private:
  using Flat = std::vector<double>;  // of all parameters, concatenated

  /// Of one iteration: s = w' - w and y = g' - g.
  struct Change {
    Flat weights;
    Flat gradient;
  };

  Flat weights() const;
  void set_weights(const Flat& from, double step, const Flat& direction);
  Flat flatten(const Gradients& gradients) const;
  Flat direction(const Flat& gradient) const;
  void remember(Change change);

  std::vector<Parameter> parameters_;
  std::vector<std::size_t> offsets_;  // of each parameter; the last is the number of weights
  LBFGSOptions options_;
  std::deque<Change> history_;
  std::int64_t steps_ = 0;
  std::int64_t iterations_ = 0;
};

}  // namespace unroll::nn
