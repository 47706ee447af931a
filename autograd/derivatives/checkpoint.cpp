#include <autograd/derivatives/checkpoint.hpp>
#include <autograd/derivatives/gradient_barrier.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tape/substitution.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/tensor/stack.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace {

/// Every level of checkpoints in checkpoints is a level of calls, forward and backward.
void check_stack() {
  constexpr std::size_t kNeeded = std::size_t{64} << 10;  // for the operations of f
  if (detail::stack_left() < kNeeded)
    throw TapeError(
        "checkpoint: checkpoints are nested so deeply that less than 64 KiB of the stack of this "
        "thread is left; nest fewer of them, or run on a thread with a larger stack");
}

/// What it takes to run f again and to find the gradients of its inputs and parameters.
class SecondRun {
 public:
  SecondRun(SeveralResults f, std::vector<Variable> inputs, const Generator& start)
      : f_(std::move(f)), inputs_(std::move(inputs)), start_(start) {}

  void uses(const Parameter& parameter) {
    parameters_.push_back({parameter, Variable(parameter).without_value(), parameter.value()});
  }
  void made(const Shape& shape) { shapes_.push_back(shape); }

  /// Runs a backward pass over a tape of its own, of which nothing is left afterwards.
  void pull(std::span<const Variable> gradients, BackwardPass& pass) const {
    Tape tape;
    std::vector<Variable> leaves;
    leaves.reserve(inputs_.size());
    for (const Variable& x : inputs_) leaves.push_back(x.recorded() ? tape.watch(x.value()) : x);
    const std::vector<Variable> results = run(leaves);
    const Gradients all = tape.gradients(results, gradients);
    add(all, leaves, pass);
    for (const ParameterGradient& entry : all.parameters()) {
      const Variable& leaf = leaf_of(entry.parameter);
      if (entry.dense.defined()) pass.add(leaf, entry.dense);
      for (const RowsTerm& rows : entry.rows) pass.add_rows(leaf, rows.indices, rows.values);
    }
  }

  /// The same on the tape that the backward pass is recorded on.
  void pull_recorded(std::span<const Variable> gradients, BackwardPass& pass) const {
    const detail::GradientBarrier barrier;
    std::vector<Variable> leaves;
    leaves.reserve(inputs_.size());
    for (const Variable& x : inputs_)
      leaves.push_back(x.recorded() ? barrier.pass("checkpoint", x) : x);
    const std::vector<Variable> results = run(leaves);
    std::vector<Variable> wanted;
    for (const Variable& leaf : leaves)
      if (leaf.recorded()) wanted.push_back(leaf);
    const Gradients all =
        extension::TapeAccess::recorder("checkpoint")
            .gradients(results, gradients, {.of = wanted, .differentiable = true});
    add(all, leaves, pass);
    for (const Used& used : parameters_) pass.add(used.leaf, all[used.parameter]);
  }

 private:
  struct Used {
    Parameter parameter;
    Variable leaf;
    Tensor value;
  };

  std::vector<Variable> run(const std::vector<Variable>& inputs) const {
    check_stack();
    for (const Used& used : parameters_)
      if (!used.value.shares_buffer(used.parameter.value()))
        throw TapeError("checkpoint: the parameter " + used.parameter.name() +
                        " was changed before the backward pass, which must run f again with what "
                        "it was; take the gradients first");
    const GeneratorScope rewound(start_);
    const Substitution inside(substitutions_);
    std::vector<Variable> results = f_(inputs);
    bool same = results.size() == shapes_.size();
    for (std::size_t k = 0; same && k < shapes_.size(); ++k)
      same = results[k].shape() == shapes_[k];
    if (!same)
      throw TapeError(
          "checkpoint: the second run of f gave other results than the first one; f must depend on "
          "its inputs, its parameters and default_generator() alone");
    return results;
  }

  void add(const Gradients& all, const std::vector<Variable>& leaves, BackwardPass& pass) const {
    for (std::size_t k = 0; k < leaves.size(); ++k)
      if (leaves[k].recorded()) pass.add(inputs_[k], all[leaves[k]]);
  }

  const Variable& leaf_of(const Parameter& parameter) const {
    const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                    [&](const Used& used) { return used.parameter == parameter; });
    if (found == parameters_.end())
      throw TapeError("checkpoint: the second run of f used the parameter " + parameter.name() +
                      ", the first one did not");
    return found->leaf;
  }

  SeveralResults f_;
  std::vector<Variable> inputs_;
  Generator start_;
  std::vector<Substitution::Entry> substitutions_ = Substitution::in_force();
  std::vector<Used> parameters_;
  std::vector<Shape> shapes_;
};

}  // namespace

std::vector<Variable> checkpoint(const SeveralResults& f, const std::vector<Variable>& inputs) {
  check_stack();
  if (!Tape::active()) return f(inputs);
  recording("checkpoint", std::span(inputs));  // refuses variables of another tape
  SecondRun second(f, inputs, default_generator());
  std::vector<Variable> results;
  std::vector<bool> depends;
  std::vector<Parameter> parameters;
  {
    // Recorded, though nothing of it is kept: so products and packing are those of f by itself,
    // and it turns out which parameters f uses.
    Tape tape;
    std::vector<Variable> leaves;
    leaves.reserve(inputs.size());
    for (const Variable& x : inputs) leaves.push_back(x.recorded() ? tape.watch(x.value()) : x);
    for (const Variable& result : f(leaves)) {
      depends.push_back(result.recorded());
      results.emplace_back(result.value());
    }
    parameters = tape.parameters();
  }
  if (std::find(depends.begin(), depends.end(), true) == depends.end()) return results;
  for (const Parameter& parameter : parameters) second.uses(parameter);
  for (const Variable& result : results) second.made(result.shape());
  std::vector<Variable> outputs = results;
  record("checkpoint", std::span<Variable>(outputs),
         [second = std::move(second)](std::span<const Variable> gradients, BackwardPass& pass) {
           if (pass.differentiable())
             second.pull_recorded(gradients, pass);
           else
             second.pull(gradients, pass);
         });
  for (std::size_t k = 0; k < results.size(); ++k)
    if (depends[k]) results[k] = outputs[k];
  return results;
}

}  // namespace unroll
