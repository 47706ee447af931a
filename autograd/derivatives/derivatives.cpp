#include <autograd/derivatives/derivatives.hpp>
#include <autograd/derivatives/gradient_barrier.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <optional>
#include <string>

namespace unroll {
namespace {

/// One run of f, on the tape that is alive or on one of its own, and backward passes over it.
class Run {
 public:
  Run(const char* what, const DifferentiableFunction& f, const std::vector<Variable>& inputs)
      : what_(what), nested_(Tape::active() != nullptr) {
    if (!nested_) own_.emplace();
    tape_ = Tape::active();
    for (const Variable& input : inputs) {
      detail::check_floating(what, {"each input", input});
      inputs_.push_back(leaf(input));
    }
    value_ = f(inputs_);
    if (!value_.defined()) throw ArgumentError(std::string(what) + ": f returned nothing");
  }
  ~Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  const Variable& value() const { return value_; }
  /// What comes in or goes out: on a tape of its own, only values can.
  Variable crossing(const Variable& x) const { return nested_ ? x : Variable(x.value()); }

  void check_scalar() const {
    if (value_.value().size() != 1)
      throw ShapeError(std::string(what_) +
                       ": the result of f must have one element, its shape is " +
                       to_string(value_.shape()) + "; take vjp or jacobian, or reduce it");
  }
  void check_directions(const char* name, const std::vector<Variable>& directions) const {
    bool fits = directions.size() == inputs_.size();
    for (std::size_t i = 0; fits && i < inputs_.size(); ++i)
      fits = directions[i].shape() == inputs_[i].shape() &&
             directions[i].dtype() == inputs_[i].dtype();
    if (fits) return;
    std::string text = std::string(what_) + ": there must be one of the " + name +
                       " for each input, of its shape and dtype; the inputs are";
    for (const Variable& x : inputs_) text += ' ' + describe(x.value());
    text += ", the ";
    text += name;
    for (const Variable& d : directions) text += ' ' + describe(d.value());
    throw ShapeError(text);
  }

  /// A variable of the tape whose gradient is wanted. On a tape that is not its own, derivatives
  /// are partial: a backward pass ends there.
  Variable leaf(const Variable& x) {
    return nested_ ? barrier_.pass(what_, x) : tape_->watch(x.value());
  }

  /// The gradients of y by `leaves`. `again`: there will be another backward pass;
  /// `differentiable`: over this one.
  std::vector<Variable> pull(const Variable& y, const Variable& seed,
                             const std::vector<Variable>& leaves, bool again = false,
                             bool differentiable = false) {
    std::vector<Variable> gradients;
    if (!y.recorded()) {
      for (const Variable& leaf : leaves) gradients.emplace_back(zeros(leaf.shape(), leaf.dtype()));
      return gradients;
    }
    const Gradients all = tape_->gradients(
        y,
        {.seed = seed, .of = leaves, .differentiable = nested_ || differentiable, .retain = again});
    for (const Variable& leaf : leaves) gradients.push_back(all[leaf]);
    return gradients;
  }
  std::vector<Variable> pull(const Variable& seed, bool again = false,
                             bool differentiable = false) {
    return pull(value_, seed, inputs_, again, differentiable);
  }

  /// <gradients, directions>: a scalar, whose gradient is J t or H v.
  Variable along(const std::vector<Variable>& gradients,
                 const std::vector<Variable>& directions) const {
    Variable total;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const Variable term = sum(gradients[i] * crossing(directions[i]));
      total = total.defined() ? total + term : term;
    }
    return total.defined() ? total : Variable(zeros({}, value_.dtype()));
  }

  const std::vector<Variable>& inputs() const { return inputs_; }

 private:
  const char* what_;
  bool nested_;
  std::optional<Tape> own_;
  Tape* tape_ = nullptr;
  detail::GradientBarrier barrier_;
  std::vector<Variable> inputs_;
  Variable value_;
};

/// Zeros of this shape with 1 at one place.
Variable unit(const Variable& like, Index place) {
  Tensor one = zeros(like.shape(), like.dtype());
  dispatch_floating(one.dtype(), [&]<class T>(T) { one.in_place<T>()[place] = T(1); });
  return one;
}

/// Slices of a Jacobian, each of which has the shape of the axes that it keeps, as one tensor.
Variable assemble(const std::vector<Variable>& slices, int axis, const Variable& y,
                  const Variable& x) {
  Shape shape = y.shape();
  for (Index n : x.shape()) shape.push_back(n);
  if (slices.empty()) return zeros(shape, x.dtype());
  std::vector<Variable> flat;
  flat.reserve(slices.size());
  for (const Variable& slice : slices) flat.push_back(reshape(slice, {slice.value().size()}));
  return reshape(stack(flat, axis), shape);
}

}  // namespace

Vjp vjp(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
        const Variable& seed) {
  Run run("vjp", f, inputs);
  if (seed.shape() != run.value().shape() || seed.dtype() != run.value().dtype())
    throw ShapeError("vjp: the seed is " + describe(seed.value()) +
                     ", it must be like the result of f, " + describe(run.value().value()));
  std::vector<Variable> gradients = run.pull(run.crossing(seed));
  return {run.crossing(run.value()), std::move(gradients)};
}

std::vector<Variable> grad(const DifferentiableFunction& f, const std::vector<Variable>& inputs) {
  Run run("grad", f, inputs);
  run.check_scalar();
  return run.pull(Variable());
}

Jvp jvp(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
        const std::vector<Variable>& tangents) {
  Run run("jvp", f, inputs);
  run.check_directions("tangents", tangents);
  const Variable seed = run.leaf(ones(run.value().shape(), run.value().dtype()));
  const Variable slope = run.along(run.pull(seed, true, true), tangents);
  return {run.crossing(run.value()), run.pull(slope, Variable(), {seed})[0]};
}

std::vector<Variable> jacobian(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
                               JacobianMode mode) {
  Run run("jacobian", f, inputs);
  const Variable& y = run.value();
  for (const Variable& x : run.inputs())
    if (y.rank() + x.rank() > kMaxRank)
      throw ShapeError("jacobian: the result " + to_string(y.shape()) + " by the input " +
                       to_string(x.shape()) + " has more than " + std::to_string(kMaxRank) +
                       " axes; reshape either to a vector");
  std::vector<std::vector<Variable>> slices(run.inputs().size());
  std::vector<Variable> result;
  if (mode == JacobianMode::reverse) {
    for (Index k = 0; k < y.value().size(); ++k) {
      const auto gradients = run.pull(unit(y, k), k + 1 < y.value().size());
      for (std::size_t i = 0; i < slices.size(); ++i) slices[i].push_back(gradients[i]);
    }
  } else {
    const Variable seed = run.leaf(ones(y.shape(), y.dtype()));
    const auto gradients = run.pull(seed, true, true);
    for (std::size_t i = 0; i < slices.size(); ++i)
      for (Index k = 0; k < gradients[i].value().size(); ++k)
        slices[i].push_back(run.pull(sum(gradients[i] * unit(gradients[i], k)), Variable(), {seed},
                                     /*again=*/true)[0]);
  }
  for (std::size_t i = 0; i < slices.size(); ++i)
    result.push_back(
        assemble(slices[i], mode == JacobianMode::reverse ? 0 : 1, y, run.inputs()[i]));
  return result;
}

std::vector<std::vector<Variable>> hessian(const DifferentiableFunction& f,
                                           const std::vector<Variable>& inputs) {
  std::vector<std::vector<Variable>> rows;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    rows.push_back(jacobian(
        [&](std::span<const Variable> x) {
          return grad(f, {x.begin(), x.end()})[i];
        },
        inputs));
  return rows;
}

std::vector<Variable> hvp(const DifferentiableFunction& f, const std::vector<Variable>& inputs,
                          const std::vector<Variable>& directions) {
  Run run("hvp", f, inputs);
  run.check_scalar();
  run.check_directions("directions", directions);
  const Variable slope = run.along(run.pull(Variable(), true, true), directions);
  return run.pull(slope, Variable(), run.inputs());
}

std::vector<Tensor> hvp(const std::function<Variable()>& loss,
                        const std::vector<Parameter>& parameters,
                        const std::vector<Tensor>& directions) {
  if (directions.size() != parameters.size())
    throw ShapeError("hvp: there are " + std::to_string(parameters.size()) + " parameters and " +
                     std::to_string(directions.size()) + " directions");
  Tape tape;
  const Variable value = loss();
  const Gradients first = tape.gradients(value, {.differentiable = true});
  Variable slope;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (directions[i].shape() != parameters[i].shape() ||
        directions[i].dtype() != parameters[i].dtype())
      throw ShapeError("hvp: the direction of " + parameters[i].name() + " is " +
                       describe(directions[i]) + ", the parameter is " +
                       describe(parameters[i].value()));
    const Variable term = sum(first[parameters[i]] * Variable(directions[i]));
    slope = slope.defined() ? slope + term : term;
  }
  const bool curved = slope.defined() && slope.recorded();
  const Gradients second = curved ? tape.gradients(slope) : Gradients();
  std::vector<Tensor> products;
  products.reserve(parameters.size());
  for (const Parameter& parameter : parameters) products.push_back(second[parameter].value());
  return products;
}

Variable on_gradient(const Variable& x, std::function<Variable(const Variable&)> hook) {
  if (!recording("on_gradient", x)) return x;
  return record(
      "on_gradient", x.value(),
      [x = x.without_value(), hook = std::move(hook)](const Variable& g, BackwardPass& pass) {
        const Variable replaced = hook(g);
        if (replaced.defined() && replaced.shape() != g.shape())
          throw ShapeError("on_gradient: the hook returned " + describe(replaced.value()) +
                           ", the gradient is " + describe(g.value()));
        if (replaced.defined() && replaced.dtype() != g.dtype())
          throw DtypeError("on_gradient: the hook returned " + describe(replaced.value()) +
                           ", the gradient is " + describe(g.value()));
        pass.add(x, replaced.defined() ? replaced : g);
      });
}

}  // namespace unroll
