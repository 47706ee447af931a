#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/verify/operations.hpp>
#include <autograd/verify/pattern.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace unroll::detail {
namespace {

/// Larger Jacobians are looked at in part.
constexpr std::size_t kMaxSide = 256;
/// So many operations that look wrong are gone through.
constexpr std::size_t kMaxSuspects = 6;

using Slots = std::vector<std::uint32_t>;
using Terms = std::vector<std::pair<std::uint32_t, Variable>>;

double weighted(const std::vector<Tensor>& outputs, const std::vector<Tensor>& weights) {
  double total = 0.0;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (outputs[k].defined()) total += inner_product(outputs[k], weights[k]);
  return total;
}

std::size_t elements(const std::vector<Tensor>& outputs) {
  Index count = 0;
  for (const Tensor& output : outputs) count += output.defined() ? output.size() : 0;
  return static_cast<std::size_t>(count);
}

/// A gradient of 1 for one element of the outputs, none for the outputs it does not belong to.
std::vector<Variable> unit_gradient(const std::vector<Tensor>& outputs, std::size_t row) {
  std::vector<Variable> gradients(outputs.size());
  auto at = static_cast<Index>(row);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!outputs[k].defined()) continue;
    if (at >= 0 && at < outputs[k].size())
      gradients[k] = with_added(zeros(outputs[k].shape(), outputs[k].dtype()), at, 1.0);
    at -= outputs[k].size();
  }
  return gradients;
}

class OperationCheck {
 public:
  OperationCheck(const Varied& f, const Replay& replay, const GradcheckOptions& options)
      : f_(f), replay_(replay), options_(options) {
    Generator generator(1871);
    for (const auto& [slot, value] : replay.values()) {
      // Relative steps: they leave no domain that the value lies in.
      Tensor direction = random_direction(value, generator);
      const std::vector<double> sizes = value.to_vector<double>();
      dispatch_floating(value.dtype(), [&]<class T>(T) {
        for (Index i = 0; i < direction.size(); ++i) {
          const double size = std::abs(sizes[static_cast<std::size_t>(i)]);
          direction.in_place<T>()[i] *= static_cast<T>(size > 0.0 ? size : 1e-2);
        }
      });
      directions_[slot] = direction;
    }
    for (const Operation& operation : replay.operations()) {
      weights_.emplace_back();
      for (const Tensor& output : operation.outputs)
        weights_.back().push_back(output.defined() ? random_direction(output, generator) : output);
    }
    replay.visit([&](Tape& tape) {
      for (std::size_t node = 0; node < replay.operations().size(); ++node) {
        const std::vector<Variable> gradients(weights_[node].begin(), weights_[node].end());
        terms_.push_back(extension::TapeAccess::pull(tape, node, gradients));
      }
    });
  }

  /// Operations whose response to a movement of all their inputs is not what their vjp says.
  std::vector<std::size_t> suspects() const {
    Slots all;
    for (const auto& [slot, direction] : directions_) all.push_back(slot);
    const std::vector<Slope> slopes = respond(all, false);
    std::vector<std::size_t> found;
    for (std::size_t node = 0; node < slopes.size(); ++node)
      if (!agree(node, slopes[node], all)) found.push_back(node);
    if (found.empty()) return found;
    // Right if what detach() returned is held constant: then the operation is not to blame. One
    // that computes all of its value through detach() has no response left, which says nothing.
    const std::vector<Slope> frozen = respond(all, true);
    std::erase_if(found, [&](std::size_t node) {
      return frozen[node].value != 0.0 && agree(node, frozen[node], all);
    });
    return found;
  }

  /// Operations that are right, and whose response changes when detach() is frozen.
  std::vector<std::size_t> through_detach() const {
    Slots all;
    for (const auto& [slot, direction] : directions_) all.push_back(slot);
    const std::vector<Slope> slopes = respond(all, false);
    const std::vector<Slope> frozen = respond(all, true);
    std::vector<std::size_t> found;
    for (std::size_t node = 0; node < slopes.size(); ++node)
      if (agree(node, slopes[node], all) && !agree(node, frozen[node], all)) found.push_back(node);
    return found;
  }

  /// Whether a vjp, right for each result by itself, is right for several at once.
  bool is_linear(std::size_t node, std::uint32_t slot, const Jacobians& j) const {
    std::vector<double> weights;
    for (const Tensor& weight : weights_[node]) {
      if (!weight.defined()) continue;
      const std::vector<double> part = weight.to_vector<double>();
      weights.insert(weights.end(), part.begin(), part.end());
    }
    if (weights.size() != j.rows) return true;  // a part of the Jacobian does not tell
    std::vector<double> given(j.columns, 0.0);
    for (const auto& [place, term] : terms_[node])
      if (place == slot) given = term.value().to_vector<double>();
    for (std::size_t column = 0; column < j.columns; ++column) {
      double expected = 0.0;
      double size = 1.0;
      for (std::size_t row = 0; row < j.rows; ++row) {
        expected += weights[row] * j.analytic[row * j.columns + column];
        size += std::abs(weights[row] * j.analytic[row * j.columns + column]);
      }
      if (!(std::abs(expected - given[column]) <= 1e6 * f_.precision() * size)) return false;
    }
    return true;
  }

  /// The arguments of an operation by which its vjp is wrong.
  Slots wrong_arguments(std::size_t node) const {
    Slots earlier;
    for (const auto& [slot, direction] : directions_)
      if (slot < replay_.operations()[node].first_slot) earlier.push_back(slot);
    Slots found;
    search(node, earlier, found);
    return found;
  }

  /// The arguments for which the vjp adds something.
  Slots arguments(std::size_t node) const {
    Slots slots;
    for (const auto& [slot, term] : terms_[node]) slots.push_back(slot);
    return slots;
  }

  Jacobians jacobians(std::size_t node, std::uint32_t slot) const {
    const Operation& operation = replay_.operations()[node];
    const Tensor& argument = replay_.values().at(slot);
    Jacobians j;
    j.rows = std::min(elements(operation.outputs), kMaxSide);
    j.columns = std::min(static_cast<std::size_t>(argument.size()), kMaxSide);
    // Axes are known only of a whole Jacobian.
    if (operation.outputs.size() == 1 && elements(operation.outputs) == j.rows)
      j.result = operation.outputs[0].shape();
    if (static_cast<std::size_t>(argument.size()) == j.columns) j.argument = argument.shape();
    replay_.visit([&](Tape& tape) { j.analytic = analytic(tape, node, slot, j); });
    numeric(replay_, node, slot, j);
    return j;
  }

  /// The analytic Jacobian, from a tape on which the operation was recorded.
  std::vector<double> analytic(Tape& tape, std::size_t node, std::uint32_t slot,
                               const Jacobians& j) const {
    std::vector<double> values;
    for (std::size_t row = 0; row < j.rows; ++row) {
      std::vector<double> gradient(j.columns, 0.0);
      for (const auto& [place, term] : extension::TapeAccess::pull(
               tape, node, unit_gradient(replay_.operations()[node].outputs, row)))
        if (place == slot) gradient = term.value().to_vector<double>();
      gradient.resize(j.columns);
      values.insert(values.end(), gradient.begin(), gradient.end());
    }
    return values;
  }

  /// Fills in the numeric Jacobian, at the values of `replay`.
  void numeric(const Replay& replay, std::size_t node, std::uint32_t slot, Jacobians& j) const {
    j.numeric.assign(j.rows * j.columns, 0.0);
    j.error.assign(j.rows * j.columns, 0.0);
    j.kink.assign(j.columns, false);
    const Tensor& argument = replay.values().at(slot);
    const std::vector<double> values = argument.to_vector<double>();
    for (std::size_t column = 0; column < j.columns; ++column) {
      const Curve curve = [&](double t) {
        const auto outputs =
            replay.isolated({{slot, with_added(argument, static_cast<Index>(column), t)}});
        std::vector<double> all;
        for (const Tensor& output : outputs[node]) {
          if (!output.defined()) continue;
          const std::vector<double> part = output.to_vector<double>();
          all.insert(all.end(), part.begin(), part.end());
        }
        all.resize(j.rows);
        return all;
      };
      const double step = whole_step(options_.step * std::max(1.0, std::abs(values[column])));
      const std::vector<Slope> slopes = best_slopes(curve, step, f_.precision());
      bool wrong = false;
      for (std::size_t row = 0; row < j.rows; ++row) {
        j.numeric[row * j.columns + column] = slopes[row].value;
        j.error[row * j.columns + column] = slopes[row].error;
        wrong |= !j.agree(row, column, j.analytic[row * j.columns + column], options_.tolerances);
      }
      if (!wrong) continue;
      for (const Sides& sides : one_sided_slopes(curve, step, f_.precision()))
        j.kink[column] = j.kink[column] || sides.differ || sides.jump;
    }
  }

 private:
  /// How the weighted outputs of every operation change when these values move.
  std::vector<Slope> respond(const Slots& moving, bool freeze) const {
    const Curve curve = [&](double t) {
      Replay::Values changed;
      for (std::uint32_t slot : moving)
        changed[slot] = moved(replay_.values().at(slot), directions_.at(slot), t);
      const auto outputs = replay_.isolated(changed, freeze);
      std::vector<double> totals;
      for (std::size_t node = 0; node < outputs.size(); ++node)
        totals.push_back(weighted(outputs[node], weights_[node]));
      return totals;
    };
    return central_slopes(curve, options_.step, f_.precision());
  }

  bool agree(std::size_t node, const Slope& numeric, const Slots& moving) const {
    double analytic = 0.0;
    for (const auto& [slot, term] : terms_[node])
      if (std::binary_search(moving.begin(), moving.end(), slot))
        analytic += inner_product(term.value(), directions_.at(slot));
    return std::abs(analytic - numeric.value) <=
           options_.tolerances.bound(analytic, numeric.value) + 10.0 * numeric.error;
  }

  /// Bisection: most arguments are right, or are none.
  void search(std::size_t node, const Slots& slots, Slots& found) const {
    if (slots.empty() || agree(node, respond(slots, false)[node], slots)) return;
    if (slots.size() == 1) {
      found.push_back(slots[0]);
      return;
    }
    const auto middle = slots.begin() + static_cast<std::ptrdiff_t>(slots.size() / 2);
    search(node, Slots(slots.begin(), middle), found);
    search(node, Slots(middle, slots.end()), found);
  }

  const Varied& f_;
  const Replay& replay_;
  const GradcheckOptions& options_;
  Replay::Values directions_;
  std::vector<std::vector<Tensor>> weights_;
  std::vector<Terms> terms_;
};

/// The call at whose values the vjp gives the derivative, in words; empty if there is none.
std::string other_call(const OperationCheck& check, const Replay& replay, const Replay& before,
                       std::size_t node, std::uint32_t slot, const Jacobians& wrong,
                       const Tolerances& tolerances) {
  const Operation& operation = replay.operations()[node];
  const auto explains = [&](const Replay& run, std::size_t other, std::uint32_t argument) {
    const auto value = run.values().find(argument);
    if (value == run.values().end() || value->second.shape() != replay.values().at(slot).shape() ||
        run.operations()[other].outputs.size() != operation.outputs.size() ||
        elements(run.operations()[other].outputs) != elements(operation.outputs))
      return false;
    Jacobians there = wrong;
    check.numeric(run, other, argument, there);
    return there.agree(tolerances);
  };
  if (node < before.operations().size() && before.operations()[node].name == operation.name &&
      explains(before, node, slot))
    return "an earlier call of the function";
  for (std::size_t other = 0; other < replay.operations().size(); ++other) {
    if (other == node || replay.operations()[other].name != operation.name) continue;
    for (std::uint32_t argument : check.arguments(other))
      if (explains(replay, other, argument)) return replay.describe_operation(other);
  }
  return {};
}

}  // namespace

std::vector<GradcheckFinding> find_wrong_operations(const Varied& f, const Replay& replay,
                                                    const Point& earlier,
                                                    const GradcheckOptions& options) {
  const OperationCheck check(f, replay, options);
  const std::vector<std::size_t> suspects = check.suspects();
  std::vector<GradcheckFinding> findings;
  if (suspects.empty()) return findings;
  const Replay before(f, earlier);
  std::set<std::string> named;
  std::size_t looked_at = 0;
  for (std::size_t node : suspects) {
    const std::string& name = replay.operations()[node].name;
    if (named.contains(name) || looked_at++ >= kMaxSuspects) continue;
    for (std::uint32_t slot : check.wrong_arguments(node)) {
      const Jacobians jacobians = check.jacobians(node, slot);
      Pattern pattern;
      if (!jacobians.agree(options.tolerances))
        pattern = recognise(jacobians, options.tolerances);
      else if (!check.is_linear(node, slot, jacobians))
        pattern.text = "is not linear in the gradient it is given";
      else
        continue;  // a kink, or the random step too long
      const std::string other =
          other_call(check, replay, before, node, slot, jacobians, options.tolerances);
      if (!other.empty() && !jacobians.agree(options.tolerances))
        pattern = {Cause::stale_state, 1.0,
                   "gives the derivative at the values of " + other +
                       ": it reads something that is not of its own call"};
      findings.push_back({pattern.cause, name, node, replay.describe(slot), pattern.factor,
                          "the vjp of " + replay.describe_operation(node) + ", with respect to " +
                              replay.describe(slot) + ", " + pattern.text});
      named.insert(name);
    }
  }
  return findings;
}

std::vector<std::size_t> operations_through_detach(const Varied& f, const Replay& replay,
                                                   const GradcheckOptions& options) {
  return OperationCheck(f, replay, options).through_detach();
}

std::vector<GradcheckFinding> find_undifferentiable_operation(const Replay& replay) {
  std::vector<GradcheckFinding> findings;
  replay.visit([&](Tape& tape) {
    Generator generator(1871);
    for (std::size_t node = 0; node < replay.operations().size() && findings.empty(); ++node) {
      std::vector<Variable> seeds;
      for (const Tensor& output : replay.operations()[node].outputs)
        seeds.push_back(output.defined() ? tape.watch(random_direction(output, generator))
                                         : Variable());
      // The vjp is linear in the seeds: so is <terms, directions>, whose slope along them is it.
      Variable total;
      for (const auto& [slot, term] :
           extension::TapeAccess::pull(tape, node, seeds, /*differentiable=*/true)) {
        const Variable part = sum(term * Variable(random_direction(term.value(), generator)));
        total = total.defined() ? total + part : part;
      }
      if (!total.defined()) continue;
      double slope = 0.0;
      if (total.recorded()) {
        const Gradients gradients = tape.gradients(total, {.retain = true});
        for (const Variable& seed : seeds)
          if (seed.defined()) slope += inner_product(gradients[seed].value(), seed.value());
      }
      const double expected = total.item();
      if (std::abs(slope - expected) <= 1e-6 * std::max(1.0, std::abs(expected))) continue;
      findings.push_back(
          {Cause::not_differentiable,
           replay.operations()[node].name,
           node,
           {},
           1.0,
           "the vjp of " + replay.describe_operation(node) +
               " cannot be differentiated by the gradient it is given: it must be linear in it, "
               "and written with operations on variables"});
    }
  });
  return findings;
}

}  // namespace unroll::detail
