#include <autograd/kernels/gemm.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/learning/forward_rule.hpp>
#include <nn/learning/joined_state.hpp>
#include <nn/recurrent/cell_checks.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// One row of a batch, as a batch of one; nothing of nothing.
Tensor row(const Tensor& x, Index b) { return x.defined() ? x.slice(0, b, b + 1) : x; }

/// Gradients of element (b, j) of `y: [B,n]`; `last` frees the tape.
Gradients gradients_of(Tape& tape, const Variable& y, Index b, Index j, bool last) {
  Tensor seed = zeros(y.shape(), y.dtype());
  dispatch_floating(y.dtype(), [&]<class T>(T) { seed.in_place<T>()[b * y.size(1) + j] = T(1); });
  return tape.gradients(y, {.seed = seed, .retain = !last});
}

void copy_row(const Tensor& values, Tensor target) {
  const Tensor packed = values.contiguous();
  dispatch_floating(target.dtype(), [&]<class T>(T) {
    std::copy_n(packed.data<T>(), packed.size(), target.in_place<T>());
  });
}

/// The state as what it is a function of: its value, and to first order, by its influences, of the
/// parameters. So the gradients of a loss of it, taken by the tape, are dE/dS P and what the loss
/// itself adds, for parameters that both use too.
Variable linearised(const Tensor& values, const std::vector<Influence>& influences) {
  if (influences.empty()) return values;
  struct Term {
    Variable parameter;
    Tensor matrix;  // [B n,|theta|]
  };
  memory::Vector<Term> terms;
  for (const Influence& influence : influences)
    terms.push_back({Variable(influence.parameter).without_value(),
                     influence.matrix.reshape({-1, influence.matrix.size(2)})});
  return record("influence", values, [terms](const Variable& g, BackwardPass& pass) {
    const Variable slope = reshape(g, {1, -1});
    for (const Term& term : terms)
      pass.add(term.parameter, reshape(matmul(slope, term.matrix), term.parameter.shape()));
  });
}

/// The influences of rows begin .. end of what a step computes.
std::vector<Influence> part_of(const std::vector<Influence>& all, Index begin, Index end) {
  std::vector<Influence> part;
  part.reserve(all.size());
  for (const Influence& influence : all)
    part.push_back({influence.parameter, influence.matrix.slice(1, begin, end).contiguous()});
  return part;
}

}  // namespace

ForwardRule::ForwardRule(const char* name, Recurrent rnn, StepLoss loss,
                         const LearningOptions& options)
    : LearningRule(name, std::move(rnn), std::move(loss), options.teacher) {}

/// The influences on a parameter that was not met before are zero.
Tensor& ForwardRule::matrix_of(std::vector<Influence>& influences, const Parameter& parameter,
                               Index rows) const {
  for (Influence& influence : influences)
    if (influence.parameter == parameter) return influence.matrix;
  const Tensor matrix = zeros({values_.size(0), rows, parameter.value().size()}, values_.dtype());
  return influences.emplace_back(Influence{parameter, matrix}).matrix;
}

void ForwardRule::begin(const State& state, Index batch, Dtype dtype) {
  influences_.clear();
  forced_ = {};
  Tape tape;  // a learned start is a function of parameters
  const Substitution inside = call(batch, dtype).enter();
  const State first = state.empty() ? cell().initial_state(batch, dtype) : state;
  check_state(name(), "what initial_state returned", cell(), first, batch);
  const Variable joined = join(first);
  values_ = joined.value().contiguous();
  if (!joined.recorded()) return;
  for (Index b = 0; b < batch; ++b)
    for (Index j = 0; j < joined.size(1); ++j) {
      const bool last = b + 1 == batch && j + 1 == joined.size(1);
      const Gradients slopes = gradients_of(tape, joined, b, j, last);
      for (const ParameterGradient& slope : slopes.parameters())
        copy_row(slope.to_dense(),
                 matrix_of(influences_, slope.parameter, joined.size(1)).select(0, b).select(0, j));
    }
}

/// What stays the same over the sequence, made anew on the present tape.
Call ForwardRule::call(Index batch, Dtype dtype) const {
  return prepared(cell(), batch, dtype, draws());
}

/// One step of the cell from the state before, in which what it reads of its output is replaced.
Step ForwardRule::transition(const Tensor& x, const State& before, const Tensor& forced) const {
  const Variable projected = select(project(name(), cell(), unsqueeze(x, 0)), 0, 0);
  const State read = forced.defined() ? cell().force(before, forced) : before;
  Step after = cell().step(projected, read);
  check_state(name(), "what step returned", cell(), after.state, x.size(0));
  if (after.output.defined()) check_output(name(), cell(), after.output, x.size(0));
  return after;
}

/// A NaN passes through whatever reads it, so a step that hides it does not read the state.
void ForwardRule::check_recurrent(const Tensor& x) {
  if (checked_) return;
  const Tape tape;  // so that no tape of the user records it
  const Substitution inside = call(x.size(0), x.dtype()).of_sequences({0}).enter();
  const Tensor unknown =
      full({1, values_.size(1)}, std::numeric_limits<double>::quiet_NaN(), values_.dtype());
  const Variable next = join(transition(row(x, 0), part(unknown, cell()), {}).state);
  const std::vector<double> numbers = next.value().to_vector<double>();
  if (std::none_of(numbers.begin(), numbers.end(), [](double s) { return std::isnan(s); }))
    throw ArgumentError(std::string(name()) +
                        ": the next state of this cell does not depend on its state, so there is "
                        "no recurrence to learn through; SimpleBackpropagation gives the same "
                        "gradients without an influence matrix");
  checked_ = true;
}

std::optional<Update> ForwardRule::read(const Tensor& x, const Tensor& target) {
  check_recurrent(x);
  const Index batch = values_.size(0);
  const Index size = values_.size(1);
  // What the step computes, [B,m]: the state and, behind it, an output of its own.
  std::vector<Influence> next;
  memory::Vector<Variable> rows;
  for (Index b = 0; b < batch; ++b) {
    Tape tape;
    const Substitution inside = call(batch, x.dtype()).of_sequences({b}).enter();
    const Variable before = tape.watch(row(values_, b));
    const Step step = transition(row(x, b), part(before, cell()), row(forced_, b));
    Variable after = join(step.state);
    if (step.output.defined()) after = concat({after, step.output});
    const Index computed = after.size(1);
    rows.push_back(detach(after));
    if (!after.recorded()) continue;
    Tensor jacobian = Tensor::empty({computed, size}, values_.dtype());
    for (Index j = 0; j < computed; ++j) {
      const Gradients slopes = gradients_of(tape, after, 0, j, j + 1 == computed);
      copy_row(slopes[before].value(), jacobian.select(0, j));
      for (const ParameterGradient& slope : slopes.parameters())
        copy_row(slope.to_dense(),
                 matrix_of(next, slope.parameter, computed).select(0, b).select(0, j));
    }
    for (const Influence& influence : influences_) {
      const Tensor reached = matrix_of(next, influence.parameter, computed).select(0, b);
      const Tensor reaching = influence.matrix.select(0, b);
      Tensor of_state = reached.slice(0, 0, size);
      carry(jacobian.slice(0, 0, size), reaching, of_state);
      if (computed == size) continue;
      Tensor of_output = reached.slice(0, size, computed);
      kernels::gemm(jacobian.slice(0, size, computed), reaching, of_output, 1.0);
    }
  }
  const Tensor computed = concat(rows, 0).value();
  const Index m = computed.size(1);
  values_ = computed.slice(1, 0, size).contiguous();
  influences_ = part_of(next, 0, size);
  forced_ = forced() ? teach(target) : Tensor();

  Tape tape;
  const bool has_output = m > size;
  // The influences are those of the parameters themselves, whatever they read as in this call.
  const Variable after =
      has_output ? linearised(computed.slice(1, size, m).contiguous(), part_of(next, size, m))
                 : linearised(values_, influences_);
  const Substitution inside = call(batch, x.dtype()).enter();
  state_ = part(values_, cell());
  if (forced()) state_ = detach(cell().force(state_, forced_));
  const Variable output = has_output ? after : cell().output(part(after, cell()));
  const Variable loss = loss_of(output, target);
  if (!loss.defined()) return std::nullopt;
  return Update{tape.gradients(loss), loss.item(), 1};
}

}  // namespace unroll::nn
