#include <autograd/tape/access.hpp>
#include <autograd/verify/diagnosis.hpp>
#include <autograd/verify/operations.hpp>
#include <autograd/verify/pattern.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace unroll::detail {
namespace {

using Findings = std::vector<GradcheckFinding>;

/// Of more calls of detach() than this it is not asked which one.
constexpr std::size_t kMaxDetached = 16;
/// One-sided slopes cost nine runs; of more failures than this the first tell enough.
constexpr std::size_t kMaxKinks = 64;

bool finite(const Tensor& x) {
  if (!x.defined()) return true;
  const std::vector<double> values = x.to_vector<double>();
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

class Diagnosis {
 public:
  Diagnosis(const Varied& f, const GradcheckOptions& options, const Symptoms& symptoms,
            std::vector<GradcheckFailure>& failures)
      : f_(f), options_(options), s_(symptoms), failures_(failures), replay_(f, f.point()) {}

  Findings findings() {
    if (auto random = find_difference()) return marked(*random);
    for (const auto& found : {find_non_finite(), find_kinks()})
      if (found) found_.push_back(*found);
    if (all_marked()) return found_;
    const Findings wrong = find_wrong_operations(f_, replay_, s_.earlier, options_);
    if (!wrong.empty()) return with(wrong);
    if (auto stopped = find_stopped()) return with({*stopped});
    return with({whole_function()});
  }

 private:
  bool all_marked() const {
    return std::all_of(failures_.begin(), failures_.end(), [](const GradcheckFailure& failure) {
      return failure.cause != Cause::wrong_derivative;
    });
  }
  Findings marked(const GradcheckFinding& finding) {
    for (GradcheckFailure& failure : failures_) failure.cause = finding.cause;
    return {finding};
  }
  /// Failures without a cause of their own have that of the likeliest finding.
  Findings with(const Findings& likeliest) {
    for (GradcheckFailure& failure : failures_)
      if (failure.cause == Cause::wrong_derivative) failure.cause = likeliest[0].cause;
    Findings all = likeliest;
    all.insert(all.end(), found_.begin(), found_.end());
    return all;
  }

  GradcheckFinding at(Cause cause, std::size_t node, const std::string& text) const {
    return {cause, replay_.operations()[node].name, node, {}, 1.0, text};
  }

  /// Two runs at one point.
  std::optional<GradcheckFinding> find_difference() const {
    const Replay again(f_, f_.point());
    std::optional<GradcheckFinding> found;
    for (std::size_t node = 0; node < replay_.operations().size() && !found; ++node) {
      const Operation& first = replay_.operations()[node];
      const std::string name = replay_.describe_operation(node);
      if (node >= again.operations().size() || again.operations()[node].name != first.name) {
        found = at(Cause::not_deterministic, node,
                   "runs at the same point take different ways, first at " + name);
        break;
      }
      for (std::size_t k = 0; k < first.outputs.size() && !found; ++k)
        if (!same(first.outputs[k], again.operations()[node].outputs[k]))
          found = at(Cause::not_deterministic, node,
                     "runs at the same point differ, first in the result of " + name);
    }
    if (!found && !same(replay_.result(), again.result()))
      found = {.cause = Cause::not_deterministic, .text = "runs at the same point differ"};
    if (found)
      found->text +=
          "; a function to check must repeat: make the Generator inside it, fix masks, clear state";
    return found;
  }

  /// The operation that first gives a NaN or an infinity in a run.
  std::optional<GradcheckFinding> first_non_finite(const Replay::Outputs& outputs,
                                                   const std::string& where) const {
    for (std::size_t node = 0; node < std::min(outputs.size(), replay_.operations().size()); ++node)
      for (const Tensor& output : outputs[node])
        if (!finite(output))
          return at(Cause::non_finite, node,
                    replay_.describe_operation(node) + " is the first whose result is not finite " +
                        where);
    return std::nullopt;
  }

  std::optional<GradcheckFinding> find_non_finite() {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < failures_.size(); ++i) {
      if (std::isfinite(failures_[i].analytic) && std::isfinite(failures_[i].numeric)) continue;
      failures_[i].cause = Cause::non_finite;
      if (!first) first = i;
    }
    if (!first) return std::nullopt;
    Replay::Outputs values;
    for (const Operation& operation : replay_.operations()) values.push_back(operation.outputs);
    if (auto found = first_non_finite(values, "at this point")) return found;
    if (!std::isfinite(failures_[*first].analytic)) {
      if (auto found = non_finite_vjp()) return found;
      return GradcheckFinding{.cause = Cause::non_finite,
                              .text = "the gradient is not finite, though every vjp by itself is"};
    }
    const std::size_t k = s_.which[*first];
    const double step = step_of(k, s_.element[*first]);
    for (double t : {step, -step}) {
      Point point = f_.point();
      point[k] = with_added(point[k], s_.element[*first], t);
      const auto run = replay_.free(point, [](std::size_t) { return false; });
      if (auto found = first_non_finite(run.outputs,
                                        "one step away: the point lies at the edge of its domain"))
        return found;
    }
    return GradcheckFinding{.cause = Cause::non_finite,
                            .text = "the function is not finite near this point"};
  }

  std::optional<GradcheckFinding> non_finite_vjp() const {
    std::optional<GradcheckFinding> found;
    replay_.visit([&](Tape& tape) {
      for (std::size_t node = replay_.operations().size(); node-- > 0 && !found;) {
        std::vector<Variable> gradients;
        for (const Tensor& output : replay_.operations()[node].outputs)
          gradients.push_back(output.defined() ? Variable(ones(output.shape(), output.dtype()))
                                               : Variable());
        for (const auto& [slot, term] : extension::TapeAccess::pull(tape, node, gradients)) {
          if (finite(term.value())) continue;
          found = at(Cause::non_finite, node,
                     "the vjp of " + replay_.describe_operation(node) + ", with respect to " +
                         replay_.describe(slot) + ", gives a derivative that is not finite");
          found->argument = replay_.describe(slot);
        }
      }
    });
    return found;
  }

  double step_of(std::size_t k, Index flat) const {
    const double x = f_.point()[k].to_vector<double>()[static_cast<std::size_t>(flat)];
    return whole_step(options_.step * std::max(1.0, std::abs(x)));
  }

  std::optional<GradcheckFinding> find_kinks() {
    std::optional<GradcheckFinding> finding;
    for (std::size_t i = 0; i < std::min(failures_.size(), kMaxKinks); ++i) {
      GradcheckFailure& failure = failures_[i];
      if (failure.cause != Cause::wrong_derivative) continue;
      const std::size_t k = s_.which[i];
      const Index flat = s_.element[i];
      const Sides sides = one_sided_slopes(f_.along_element(k, flat, s_.sums), step_of(k, flat),
                                           f_.precision())[s_.sum[i]];
      if (!sides.differ && !sides.jump) continue;
      failure.cause = sides.jump ? Cause::jump : Cause::kink;
      failure.slope_below = sides.below;
      failure.slope_above = sides.above;
      if (!finding) finding = find_kinked_operation(failure.cause, k, flat);
    }
    return finding;
  }

  /// The first operation whose result has different slopes on the two sides.
  GradcheckFinding find_kinked_operation(Cause cause, std::size_t k, Index flat) const {
    const Curve results = [&](double t) {
      Point point = f_.point();
      point[k] = with_added(point[k], flat, t);
      std::vector<double> all;
      for (const auto& outputs : replay_.free(point, [](std::size_t) { return false; }).outputs)
        for (const Tensor& output : outputs) {
          if (!output.defined()) continue;
          const std::vector<double> part = output.to_vector<double>();
          all.insert(all.end(), part.begin(), part.end());
        }
      return all;
    };
    const std::vector<Sides> sides = one_sided_slopes(results, step_of(k, flat), f_.precision());
    const std::string advice =
        std::string(cause == Cause::jump ? "the values" : "the slopes") +
        " on either side of the point differ, there is no derivative to compare with; choose "
        "inputs away from it";
    std::size_t place = 0;
    for (std::size_t node = 0; node < replay_.operations().size(); ++node)
      for (const Tensor& output : replay_.operations()[node].outputs)
        for (Index i = 0; output.defined() && i < output.size(); ++i)
          if (place < sides.size() && (sides[place].differ || sides[place].jump))
            return at(cause, node,
                      replay_.describe_operation(node) +
                          (cause == Cause::jump ? " jumps here: " : " has a kink here: ") + advice);
          else
            ++place;
    return {.cause = cause, .text = advice};
  }

  /// True when holding constant what these calls of detach() return explains every failure.
  bool explained_by(const std::function<bool(std::size_t)>& frozen) const {
    for (std::size_t i = 0; i < std::min<std::size_t>(failures_.size(), 8); ++i) {
      if (failures_[i].cause != Cause::wrong_derivative) continue;
      const std::size_t k = s_.which[i];
      const Curve curve = [&](double t) {
        Point point = f_.point();
        point[k] = with_added(point[k], s_.element[i], t);
        return s_.sums.values(replay_.free(point, frozen).result);
      };
      const Slope slope = best_slopes(curve, step_of(k, s_.element[i]), f_.precision())[s_.sum[i]];
      const double a = failures_[i].analytic;
      if (!(std::abs(a - slope.value) <= options_.tolerances.bound(a, slope.value) + slope.error))
        return false;
    }
    return true;
  }

  std::optional<GradcheckFinding> find_stopped() const {
    // An operation makes its own calls of detach() just before it is recorded.
    const std::vector<std::size_t> own = operations_through_detach(f_, replay_, options_);
    std::vector<std::size_t> calls;
    for (std::size_t call = 0; call < replay_.detached().size(); ++call)
      if (!std::binary_search(own.begin(), own.end(), replay_.operations_before_detached(call)))
        calls.push_back(call);
    const auto any = [&](std::size_t k) {
      return std::binary_search(calls.begin(), calls.end(), k);
    };
    if (calls.empty() || !explained_by(any)) return std::nullopt;
    std::string where = "one of " + std::to_string(calls.size()) + " calls";
    for (std::size_t call : calls)
      if (calls.size() <= kMaxDetached &&
          explained_by([call](std::size_t k) { return k == call; })) {
        where = "the call " + replay_.describe_detached(call);
        break;
      }
    return GradcheckFinding{.cause = Cause::stop_gradient,
                            .text =
                                "the gradient is right if what stop_gradient() or detach() "
                                "returned is held constant (" +
                                where + "): the function depends on its input through that too"};
  }

  /// No operation is wrong: what the gradients of the whole have to do with each other.
  GradcheckFinding whole_function() const {
    Pattern common;
    for (std::size_t k = 0; k < f_.size(); ++k) {
      const auto fails = std::find(s_.which.begin(), s_.which.end(), k);
      if (fails == s_.which.end()) continue;
      const std::size_t sum = s_.sum[static_cast<std::size_t>(fails - s_.which.begin())];
      const Tensor& x = f_.point()[k];
      Jacobians j;
      j.rows = 1;
      j.columns = static_cast<std::size_t>(x.size());
      j.argument = x.shape();
      j.analytic = s_.analytic[sum][k].to_vector<double>();
      j.numeric = j.analytic;
      j.error.assign(j.columns, 0.0);
      j.kink.assign(j.columns, false);
      for (std::size_t i = 0; i < failures_.size(); ++i) {
        if (s_.which[i] != k || s_.sum[i] != sum) continue;
        const auto column = static_cast<std::size_t>(s_.element[i]);
        j.numeric[column] = failures_[i].numeric;
        j.error[column] = failures_[i].numeric_error;
        j.kink[column] = failures_[i].cause != Cause::wrong_derivative;
      }
      common = recognise(j, options_.tolerances);
      break;
    }
    const bool any = !replay_.operations().empty();
    std::string text =
        any ? "every operation on the tape is right by itself" : "nothing is recorded";
    text +=
        ", so the function depends on its inputs in a way that the tape does not see, as through "
        "value(), or a vjp captured a result as a constant";
    if (common.cause != Cause::wrong_derivative) text += "; the gradient as a whole " + common.text;
    return {common.cause, {}, 0, {}, common.factor, text};
  }

  const Varied& f_;
  const GradcheckOptions& options_;
  const Symptoms& s_;
  std::vector<GradcheckFailure>& failures_;
  Replay replay_;
  Findings found_;
};

}  // namespace

std::vector<GradcheckFinding> diagnose(const Varied& f, const GradcheckOptions& options,
                                       const Symptoms& symptoms,
                                       std::vector<GradcheckFailure>& failures) {
  return Diagnosis(f, options, symptoms, failures).findings();
}

}  // namespace unroll::detail
