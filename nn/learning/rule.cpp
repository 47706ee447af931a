#include <autograd/tensor/error.hpp>
#include <nn/learning/rule.hpp>
#include <nn/recurrent/cell_checks.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// Messages begin with the name of the rule.
std::string says(const char* name) { return std::string(name) + ": "; }

}  // namespace

LearningRule::LearningRule(const char* name, Recurrent rnn, StepLoss loss, Teacher teacher)
    : name_(name), rnn_(std::move(rnn)), loss_(std::move(loss)), teacher_(std::move(teacher)) {
  if (!loss_)
    throw ArgumentError(says(name) + "there is no loss; give a function of output and target");
}

void LearningRule::start(const State& state) {
  check_constant(name_, state);
  given_ = state;
  batch_ = 0;
}

void LearningRule::check_step(const Tensor& x, const Tensor& target) const {
  if (!x.defined() || x.rank() != 2 || x.size(1) != cell().inputs() || x.size(0) < 1)
    throw ShapeError(says(name_) + "x is " + describe(x) + ", a step of this cell takes [B," +
                     std::to_string(cell().inputs()) + "] with B at least 1");
  if (batch_ != 0 && x.size(0) != batch_)
    throw ShapeError(says(name_) + "x is " + describe(x) + ", the steps before had a batch of " +
                     std::to_string(batch_) + "; begin another sequence with start()");
  if (batch_ != 0 && x.dtype() != dtype_)
    throw DtypeError(says(name_) + "x is " + describe(x) + ", the steps before were " +
                     std::string(to_string(dtype_)) + "; begin another sequence with start()");
  if (target.defined() && (target.rank() < 1 || target.size(0) != x.size(0)))
    throw ShapeError(says(name_) + "the target of the step is " + describe(target) + ", for x " +
                     describe(x) + " its first size must be " + std::to_string(x.size(0)));
  if (batch_ == 0 && !given_.empty())
    check_state(name_, "the state given", cell(), given_, x.size(0));
}

std::optional<Update> LearningRule::step(const Tensor& x, const Tensor& target) {
  check_step(x, target);
  if (batch_ == 0) {
    state_ = {};
    draws_ = default_generator();
    prepared(cell(), x.size(0), x.dtype(), {});  // takes its numbers, which the parts repeat
    begin(given_, x.size(0), x.dtype());
    batch_ = x.size(0);
    dtype_ = x.dtype();
  }
  return read(x, target);
}

std::optional<Update> LearningRule::finish() {
  std::optional<Update> update;
  if (batch_ != 0) update = rest();
  given_ = {};
  batch_ = 0;
  return update;
}

double LearningRule::learn(const Tensor& x, const Tensor& targets,
                           const std::function<void(Update&)>& use, const State& state) {
  if (!x.defined() || x.rank() != 3 || x.size(0) < 1)
    throw ShapeError(says(name_) + "x is " + describe(x) + ", a sequence is [T,B," +
                     std::to_string(cell().inputs()) + "] with T at least 1");
  if (!targets.defined() || targets.rank() < 2 || targets.size(0) != x.size(0))
    throw ShapeError(says(name_) + "the targets are " + describe(targets) + ", for x " +
                     describe(x) +
                     " they must be [T,B,...] with one T; read steps without a "
                     "target one by one with step()");
  start(state);
  double loss = 0.0;
  const auto pass_on = [&](std::optional<Update> update) {
    if (!update) return;
    loss += update->loss;
    use(*update);
  };
  for (Index t = 0; t < x.size(0); ++t) pass_on(step(x.select(0, t), targets.select(0, t)));
  pass_on(finish());
  return loss;
}

Update LearningRule::gradients(const Tensor& x, const Tensor& targets, const State& state) {
  Update total;
  learn(
      x, targets,
      [&](const Update& update) {
        total.gradients += update.gradients;
        total.loss += update.loss;
        total.steps += update.steps;
      },
      state);
  return total;
}

Variable LearningRule::loss_of(const Variable& output, const Tensor& target) const {
  if (!output.defined() || output.rank() != 2 || output.size(1) != cell().outputs())
    throw ShapeError(says(name_) + "the output of the cell is " + describe(output.value()) +
                     ", its outputs() says [B," + std::to_string(cell().outputs()) + "]");
  if (!target.defined()) return {};
  Variable loss = loss_(output, target);
  if (loss.defined() && loss.value().size() != 1)
    throw ShapeError(says(name_) + "the loss of a step is " + describe(loss.value()) +
                     ", it must be a scalar; reduce it with sum or mean");
  return loss;
}

Tensor LearningRule::teach(const Tensor& target) const {
  if (!target.defined())
    throw ArgumentError(says(name_) +
                        "a step without a target cannot be forced; give a target at "
                        "every step, or leave the teacher out");
  Tensor output = teacher_(target);
  const Shape shape{batch_, cell().outputs()};
  if (!output.defined() || output.shape() != shape)
    throw ShapeError(says(name_) + "the teacher made " + describe(output) + " of the target " +
                     describe(target) + ", in place of its output this cell reads " +
                     to_string(shape));
  return output;
}

}  // namespace unroll::nn
