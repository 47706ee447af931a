#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/verify/check_cell.hpp>
#include <nn/verify/gradcheck.hpp>
#include <nn/verify/in_dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <utility>

namespace unroll::nn {
namespace {

/// Relative to the largest element, or to 1. Sums in another order differ by less.
constexpr double kRounding = 1e-11;

/// Out of training mode, if `on`, for as long as it lives.
class InEval {
 public:
  InEval(const Module& module, bool on) : module_(module), trained_(module.training()) {
    if (on) module_.eval();
  }
  ~InEval() {
    if (module_.training() != trained_) module_.train(trained_);
  }
  InEval(const InEval&) = delete;
  InEval& operator=(const InEval&) = delete;

 private:
  Module module_;  // a handle
  bool trained_;
};

class CellCheck {
 public:
  CellCheck(const Recurrent& rnn, const CellCheckOptions& options)
      : rnn_(rnn), options_(options), generator_(options.seed) {
    report_.cell = class_name(rnn.cell());
    x_ = normal({options.steps, options.batch, rnn.cell().inputs()}, 0.0, 1.0, Dtype::float64,
                generator_);
  }

  CellReport run() {
    check_in_float64();
    property("float32", [&] { check_float32(); });
    return std::move(report_);
  }

 private:
  void check_in_float64() {
    const InFloat64 converted(rnn_);
    property("repetition", [&] { check_repetition(); });
    const Draws draws = what_is_drawn();
    property("a sequence alone", [&] {
      // Other numbers are drawn for a sequence alone than among others.
      if (draws == Draws::nothing)
        check_batch();
      else
        check_independence();
    });
    {
      // What is drawn at each step are other numbers in another order of the steps.
      const InEval eval(rnn_, draws == Draws::at_each_step);
      const Draws left = what_is_drawn();
      if (left != Draws::at_each_step) {
        property("all steps at once", [&] { check_run(); });
        property("a cut sequence", [&] { check_cuts(); });
        property("lengths", [&] { check_lengths(left == Draws::nothing); });
        property("resets", [&] { check_resets(); });
        property("reverse", [&] { check_reverse(); });
      }
    }
    property("checkpoints", [&] {
      if (draws == Draws::at_each_step)
        check_checkpointed_slope();
      else
        check_checkpoints();
    });
    property("gradients",
             [&] { check_gradients(gradcheck(rnn_, x_.value(), options_.gradcheck)); });
    if (options_.second_order)
      property("second derivatives",
               [&] { check_gradients(gradgradcheck(rnn_, x_.value(), options_.gradcheck)); });
  }

  void property(const char* name, const std::function<void()>& check) {
    report_.checked.emplace_back(name);
    try {
      check();
    } catch (const std::exception& error) {
      found(std::string("threw: ").append(error.what()));
    }
  }

  void found(std::string message) {
    report_.findings.push_back({report_.checked.back(), std::move(message)});
  }

  enum class Draws { nothing, for_each_call, at_each_step };

  /// The random numbers that the cell needs in its present mode.
  Draws what_is_drawn() const {
    const auto equal = [&](const Sequence& a, const Sequence& b) {
      bool all = identical(a.outputs, b.outputs);
      for (std::size_t k = 0; k < a.state.size(); ++k) all &= identical(a.state[k], b.state[k]);
      return all;
    };
    const auto with_seeds = [&](std::uint64_t steps, std::uint64_t call) {
      const GeneratorScope seeded(Generator{steps});
      return rnn_(x_, {}, {.draws = Generator{call}});
    };
    try {
      const Sequence one = with_seeds(1, 1);
      if (!equal(one, with_seeds(2, 1))) return Draws::at_each_step;
      return equal(one, with_seeds(1, 2)) ? Draws::nothing : Draws::for_each_call;
    } catch (const std::exception&) {
      return Draws::nothing;  // the checks report it
    }
  }
  static bool identical(const Variable& a, const Variable& b) {
    return a.shape() == b.shape() && all_true(eq(a.value(), b.value())).item() != 0.0;
  }

  Sequence run(const Recurrent& rnn, const Variable& x, const State& state = {},
               UnrollOptions how = {}) const {
    const GeneratorScope seeded(Generator{options_.seed});
    how.draws = default_generator();
    return rnn(x, state, how);
  }
  Sequence run(const Variable& x, const State& state = {}, const UnrollOptions& how = {}) const {
    return run(rnn_, x, state, how);
  }

  /// One finding at most for each property: what follows has the same cause.
  bool same(const Variable& actual, const Variable& expected, const std::string& what,
            double tolerance = kRounding) {
    if (actual.shape() != expected.shape()) {
      found(what + " has the shape " + to_string(actual.shape()) + " instead of " +
            to_string(expected.shape()));
      return false;
    }
    if (actual.value().size() == 0) return true;
    const Variable a = detach(actual);
    const Variable e = detach(expected);
    const double largest = max(abs(e)).item();
    const double error = max(abs(a - e)).item();
    if (error <= tolerance * std::max(1.0, largest)) return true;
    found(what + " is off by " + std::to_string(error) + ", with elements up to " +
          std::to_string(largest));
    return false;
  }

  bool same_state(const State& actual, const State& expected, const std::string& what) {
    for (std::size_t k = 0; k < expected.size(); ++k)
      if (!same(actual[k], expected[k], what + ": state[" + std::to_string(k) + "]")) return false;
    return true;
  }

  static State rows(const State& state, Index begin, Index end) {
    State part;
    for (const Variable& value : state) part.push_back(slice(value, 0, begin, end));
    return part;
  }

  void check_repetition() {
    const Sequence first = run(x_);
    const Sequence second = run(x_);
    if (same(second.outputs, first.outputs,
             "the output of a second call, which has a side effect,"))
      same_state(second.state, first.state, "after a second call");
  }

  /// The parallel form of a cell that has one.
  void check_run() {
    UnrollOptions how;
    for (Index b = 0; b < options_.batch; ++b) how.lengths.push_back(options_.steps - b % 2);
    how.resets =
        ge(uniform({options_.steps, options_.batch}, 0.0, 1.0, Dtype::float64, generator_), 0.7);
    for (const bool reverse : {false, true}) {
      how.reverse = reverse;
      const Sequence at_once = run(x_, {}, how);
      const Sequence steps = run(rnn_.stepwise(), x_, {}, how);
      const std::string what = reverse ? "in reverse, run()" : "run()";
      if (!same(at_once.outputs, steps.outputs, what + " instead of the steps: the output") ||
          !same_state(at_once.state, steps.state, what + " instead of the steps"))
        return;
    }
  }

  void check_cuts() {
    const Sequence whole = run(x_);
    for (Index cut = 0; cut <= options_.steps; ++cut) {
      const std::string at = "cut before step " + std::to_string(cut);
      const Sequence head = run(slice(x_, 0, 0, cut));
      const Sequence tail = run(slice(x_, 0, cut, options_.steps), head.state);
      if (!same(concat({head.outputs, tail.outputs}, 0), whole.outputs,
                at + ", the output: does project() mix time steps, or does the cell remember what "
                     "is not in its state? It") ||
          !same_state(tail.state, whole.state, at))
        return;
    }
  }

  void check_batch() {
    const Sequence together = run(x_);
    for (Index b = 0; b < options_.batch; ++b) {
      const Sequence alone = run(slice(x_, 1, b, b + 1));
      const std::string which = "sequence " + std::to_string(b);
      if (!same(slice(together.outputs, 1, b, b + 1), alone.outputs, which + " in the batch") ||
          !same_state(rows(together.state, b, b + 1), alone.state, which + " in the batch"))
        return;
    }
  }

  /// A sequence of the batch does not change when the others do.
  void check_independence() {
    const Sequence together = run(x_);
    for (Index b = 0; b < options_.batch; ++b) {
      Tensor others = normal(x_.shape(), 0.0, 1.0, Dtype::float64, generator_);
      Tensor here = others.select(1, b);
      kernels::copy(x_.value().select(1, b), here);
      const Sequence among = run(others);
      const std::string which = "sequence " + std::to_string(b) + " among others";
      if (!same(slice(among.outputs, 1, b, b + 1), slice(together.outputs, 1, b, b + 1), which) ||
          !same_state(rows(among.state, b, b + 1), rows(together.state, b, b + 1), which))
        return;
    }
  }

  /// `alone`: compares with each sequence alone, else with the batch cut to the length.
  void check_lengths(bool alone) {
    UnrollOptions how;
    Tensor padded = x_.value().clone();
    for (Index b = 0; b < options_.batch; ++b) {
      how.lengths.push_back(b % (options_.steps + 1));
      Tensor behind = padded.select(1, b).slice(0, how.lengths.back(), options_.steps);
      kernels::fill(behind, std::numeric_limits<double>::quiet_NaN());
    }
    const Sequence together = run(padded, {}, how);
    for (Index b = 0; b < options_.batch; ++b) {
      const Index length = how.lengths[static_cast<std::size_t>(b)];
      const Index first = alone ? b : 0;
      const Index last = alone ? b + 1 : options_.batch;
      const Sequence expected = run(slice(slice(x_, 1, first, last), 0, 0, length));
      const std::string which =
          "sequence " + std::to_string(b) + " of length " + std::to_string(length);
      const Variable outputs = slice(together.outputs, 1, b, b + 1);
      const Index row = b - first;
      if (!same(slice(outputs, 0, 0, length), slice(expected.outputs, 1, row, row + 1), which) ||
          !same_state(rows(together.state, b, b + 1), rows(expected.state, row, row + 1), which))
        return;
    }
  }

  void check_resets() {
    const Index boundary = options_.steps / 2;
    Tensor begins = zeros({options_.steps, options_.batch}, Dtype::float64);
    Tensor there = begins.select(0, boundary);
    kernels::fill(there, 1.0);
    const Sequence cut = run(x_, {}, {.resets = begins});
    const Sequence tail = run(slice(x_, 0, boundary, options_.steps));
    if (same(slice(cut.outputs, 0, boundary, options_.steps), tail.outputs, "behind a boundary"))
      same_state(cut.state, tail.state, "behind a boundary");
  }

  void check_reverse() {
    const Sequence backwards = run(x_, {}, {.reverse = true});
    const Sequence turned = run(flip(x_, {0}));
    if (same(flip(backwards.outputs, {0}), turned.outputs, "the output in reverse"))
      same_state(backwards.state, turned.state, "in reverse");
  }

  static Variable loss_of(const Recurrent& rnn, const Variable& x) {
    const auto [outputs, state] = rnn(x);
    Variable loss = sum(square(outputs));
    for (const Variable& value : state) loss = loss + sum(square(value));
    return loss;
  }

  /// The gradients of x and of the parameters.
  std::vector<Variable> gradients(const Recurrent& rnn) const {
    const GeneratorScope seeded(Generator{options_.seed});
    Tape tape;
    const Variable x = tape.watch(x_.value());
    const Gradients all = tape.gradients(loss_of(rnn, x));
    std::vector<Variable> result{all[x]};
    for (const Parameter& parameter : rnn.parameters()) result.push_back(all[parameter]);
    return result;
  }

  void check_checkpoints() {
    const std::vector<Variable> plain = gradients(rnn_);
    const std::vector<Variable> cut = gradients(rnn_.checkpointed(1));
    for (std::size_t k = 0; k < plain.size(); ++k)
      if (!same(cut[k], plain[k],
                k == 0 ? std::string("the gradient of x")
                       : "the gradient of " + rnn_.parameters()[k - 1].name()))
        return;
  }

  /// In segments the numbers drawn at each step are other ones, and so are the gradients: they are
  /// compared with a difference along one direction.
  void check_checkpointed_slope() {
    constexpr double kStep = 1e-5;
    constexpr double kTolerance = 1e-5;
    const Recurrent rnn = rnn_.checkpointed(1);
    const Variable direction = normal(x_.shape(), 0.0, 1.0, Dtype::float64, generator_);
    const auto loss_at = [&](double distance) {
      const GeneratorScope seeded(Generator{options_.seed});
      Tape tape;  // without one there are no segments
      return detach(loss_of(rnn, tape.watch((x_ + distance * direction).value())));
    };
    const Variable difference = (loss_at(kStep) - loss_at(-kStep)) * (0.5 / kStep);
    same(sum(gradients(rnn)[0] * direction), difference, "the gradient of x", kTolerance);
  }

  void check_float32() {
    constexpr double kFloat32 = 1e-4;
    const InEval eval(rnn_, what_is_drawn() != Draws::nothing);
    const InDtype narrow(rnn_, Dtype::float32);
    const Tensor x = x_.value().to(Dtype::float32);
    const Tensor single = run(x).outputs.value();
    if (single.dtype() != Dtype::float32) {
      found("a float32 input gives an output of float64; the cell makes a constant of that dtype");
      return;
    }
    const InFloat64 wide(rnn_);
    same(single.to(Dtype::float64), run(x.to(Dtype::float64)).outputs, "the output in float32",
         kFloat32);
  }

  void check_gradients(const GradcheckReport& report) {
    if (!report) found(report.to_string());
  }

  const Recurrent& rnn_;
  const CellCheckOptions& options_;
  Generator generator_;
  Variable x_;
  CellReport report_;
};

}  // namespace

std::string CellReport::to_string() const {
  std::string text = cell;
  if (findings.empty()) {
    text += ": keeps the contract (";
    for (std::size_t k = 0; k < checked.size(); ++k) text += (k == 0 ? "" : ", ") + checked[k];
    return text + ")";
  }
  text += ": breaks the contract";
  for (const Finding& finding : findings)
    text.append("\n").append(finding.property).append(": ").append(finding.message);
  return text;
}

CellReport check_cell(const Recurrent& rnn, const CellCheckOptions& options) {
  if (options.steps < 2 || options.batch < 1)
    throw ArgumentError("check_cell: there must be at least 2 steps and 1 sequence, got " +
                        std::to_string(options.steps) + " and " + std::to_string(options.batch));
  return CellCheck(rnn, options).run();
}

CellReport check_cell(AnyCell cell, const CellCheckOptions& options) {
  return check_cell(Recurrent(std::move(cell)), options);
}

}  // namespace unroll::nn
