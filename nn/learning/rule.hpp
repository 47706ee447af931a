#pragma once

#include <autograd/tape/gradient.hpp>
#include <nn/recurrent/recurrent.hpp>

#include <functional>
#include <optional>

namespace unroll::nn {

/// Readout and loss of one time step: the cell's output `[B,O]` and the target of the step,
/// `[B,...]` of any dtype, to a scalar. The loss of a sequence is the sum over its steps.
/// Parameters that the function uses are trained like those of the cell.
///
///     const auto loss = [&](const Variable& h, const Tensor& d) {
///       return cross_entropy(readout(h), d);
///     };
using StepLoss = std::function<Variable(const Variable& output, const Tensor& target)>;

/// Teacher forcing: what the cell reads at the next step in place of its output, `[B,O]`, made of
/// the target of the step. `[](const Tensor& d) { return d; }` where the target has that form.
using Teacher = std::function<Tensor(const Tensor& target)>;

struct LearningOptions {
  Teacher teacher = nullptr;  ///< none: the cell reads its own output
};

/// What a rule has learned from some steps.
struct Update {
  Gradients gradients;  ///< of the loss, with respect to every parameter of cell and readout
  double loss = 0.0;    ///< summed over the steps
  Index steps = 0;      ///< whose losses these are
};

/// A learning rule: reads a sequence step by step and decides when gradients are computed, and how
/// far they reach. Any rule works with any cell and readout: switching rules changes one type name.
/// A rule object reads one sequence and holds what it needs to remember of it; it shares the
/// parameters with `rnn`.
///
///     nn::Recurrent rnn(nn::Elman(2, 16));
///     nn::Linear readout(16, 1);
///     nn::RTRL rule(rnn, loss);                       // or nn::BPTT rule(rnn, loss);
///     rule.learn(x, targets, [&](Update& update) { adam.step(update.gradients); });
///
/// A stream without end is read with step():
///
///     if (auto update = rule.step(x_t, target_t)) adam.step(update->gradients);
///
/// The sequences of a batch must not see each other in the cell.
class LearningRule {
 public:
  virtual ~LearningRule() = default;
  LearningRule(const LearningRule&) = delete;
  LearningRule& operator=(const LearningRule&) = delete;

  /// Begins a sequence and forgets the one before. `state`: constants of the cell's sizes, or empty
  /// for the cell's initial state, whose parameters then get gradients too. Throws TapeError for a
  /// recorded state.
  void start(const State& state = {});

  /// Reads one step, `x: [B,I]` and its target, undefined where there is none; gives gradients when
  /// the rule has some. The first step after start() or finish() begins a sequence. Throws
  /// ShapeError and DtypeError when they, or the state given, do not fit the cell or the steps
  /// before.
  std::optional<Update> step(const Tensor& x, const Tensor& target);

  /// Ends the sequence: gradients of the steps whose losses are not yet in any update.
  std::optional<Update> finish();

  /// Reads a whole sequence, `x: [T,B,I]` and `targets: [T,B,...]`, and calls `use` with every
  /// update: there the optimizer steps. The loss summed over the steps is returned. Throws
  /// ShapeError for lengths that differ and for T = 0, and what start() and step() throw.
  double learn(const Tensor& x, const Tensor& targets, const std::function<void(Update&)>& use,
               const State& state = {});

  /// The same with the updates added up: the gradients of a sequence, nothing changed in between.
  Update gradients(const Tensor& x, const Tensor& targets, const State& state = {});

  /// The state after the steps that are in updates, as constants; also after finish(), where it
  /// can start what continues the sequence.
  const State& state() const { return state_; }

 protected:
  LearningRule(const char* name, Recurrent rnn, StepLoss loss, Teacher teacher);

  const Recurrent& rnn() const { return rnn_; }
  const Cell& cell() const { return rnn_.cell(); }
  const char* name() const { return name_; }
  bool forced() const { return teacher_ != nullptr; }
  /// What the cell draws for the sequence: for UnrollOptions::draws and prepared(), so that every
  /// part of the sequence is read under the same masks.
  const Generator& draws() const { return draws_; }
  /// The loss of a step; undefined when it has no target or the function returned nothing.
  Variable loss_of(const Variable& output, const Tensor& target) const;
  /// The forced output made of a target.
  Tensor teach(const Tensor& target) const;

  State state_;

 private:
  // What a rule of one's own implements (docs/learning_rules.md).

  /// A sequence begins, from `state`; empty for the initial state.
  virtual void begin(const State& state, Index batch, Dtype dtype) = 0;
  /// Reads a checked step. Sets state_ when it returns an update.
  virtual std::optional<Update> read(const Tensor& x, const Tensor& target) = 0;
  /// The sequence ends: the update of the steps that are in none.
  virtual std::optional<Update> rest() { return std::nullopt; }
  void check_step(const Tensor& x, const Tensor& target) const;

  const char* name_;
  Recurrent rnn_;
  StepLoss loss_;
  Teacher teacher_;
  State given_;  // where the sequence that is to begin starts
  Generator draws_;
  Index batch_ = 0;  // of the sequence that is being read; 0 between sequences
  Dtype dtype_ = Dtype::float32;
};

}  // namespace unroll::nn
