#pragma once

#include <autograd/derivatives/derivatives.hpp>
#include <autograd/tape/parameter.hpp>
#include <autograd/tape/variable.hpp>
#include <autograd/tensor/random.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iosfwd>
#include <string>
#include <type_traits>
#include <vector>

namespace unroll {

/// How far an analytic derivative a may lie from the numeric one n: |a - n| <= relative * max(|a|,
/// |n|) + absolute, to which the estimated error of n is added. Where that error is more than a
/// hundred times this bound, and what is compared lies within it, the element is not judged.
struct Tolerances {
  double relative = 1e-7;
  double absolute = 1e-9;

  /// The largest |a - n| that is accepted when n is exact.
  double bound(double a, double n) const {
    return relative * std::max(std::abs(a), std::abs(n)) + absolute;
  }
};

/// How gradcheck compares, and what it checks beside the inputs.
struct GradcheckOptions {
  Tolerances tolerances = {};
  /// Longest step of the central differences, relative to max(1, |x|); where it disagrees, shorter
  /// ones are tried.
  double step = 1e-3;
  /// Parameters whose gradients are checked beside those of the inputs.
  std::vector<Parameter> parameters = {};
  /// What the report calls them, such as their paths in a module; empty: by their own names.
  std::vector<std::string> parameter_names = {};
  /// float32 has too few digits for the default tolerances, so it is refused unless allowed.
  bool allow_float32 = false;
  /// Not 0: each input is checked along this many random directions instead of element by element,
  /// for large inputs. Only an input that fails is then gone through by elements. An error in few
  /// of many elements may hide below the tolerance.
  int directions = 0;
  /// Compares jvp with vjp too, along a random direction: whether the vjps can be differentiated
  /// by the gradients they are given.
  bool jvp = false;
  /// Elements that differences cannot judge do not keep the check from passing.
  bool allow_not_judged = false;
  /// Gets a line of text now and then from a check that takes more than two seconds, how long it
  /// will take first; they go to the standard error stream when it is left out.
  std::function<void(const std::string&)> progress = {};
};

/// Why a check failed, as far as tests can tell.
enum class Cause {
  wrong_derivative,       ///< none of the patterns below
  wrong_sign,             ///< analytic = -numeric
  wrong_factor,           ///< analytic = factor * numeric
  transposed,             ///< the right elements at transposed places
  missing_broadcast_sum,  ///< an input that was broadcast gets a part, or the mean, of what it
                          ///< should
  missing_term,           ///< an input gets nothing, or not from all of the outputs
  stale_state,            ///< the derivative at values of another call
  stop_gradient,          ///< right if what went through stop_gradient or detach is held constant
  kink,                   ///< the slopes on either side of the point differ
  jump,                   ///< the values on either side of the point differ
  non_finite,             ///< a NaN or an infinity, in the value or in the derivative
  not_deterministic,      ///< the function is another at every call
  not_differentiable,     ///< the vjp cannot be differentiated again: jvp and vjp disagree
  vjp_failed,             ///< the vjp threw, or gave a gradient of another shape or dtype
  impure_vjp,             ///< the vjp gives something else when it runs again on the same tape
  dangling_capture,       ///< the vjp refers to a local variable that is gone when it runs
  mixes_time_steps,       ///< a sequence in parts gives something else than in one piece
  float32_differs,        ///< the float32 kernels give something else than the float64 ones
  rounding,               ///< not judged: the results carry too much rounding to tell
  step_too_long,          ///< not judged: the function turns within the shortest step
};
/// `wrong sign`
const char* to_string(Cause cause);

/// One element whose analytic and numeric derivatives disagree, or that was not judged. Both are of
/// a weighted sum of the results, not of f itself: compare their ratio with 1.
struct GradcheckFailure {
  std::string input;  ///< "input 0", or what GradcheckOptions calls the parameter
  Shape position;
  double analytic = 0.0;
  double numeric = 0.0;
  double numeric_error = 0.0;  ///< estimated from several steps
  Cause cause = Cause::wrong_derivative;
  double slope_below = 0.0;  ///< the one-sided slopes at a kink
  double slope_above = 0.0;
};

/// The likely cause of failures.
struct GradcheckFinding {
  Cause cause = Cause::wrong_derivative;
  /// The operation whose own vjp is wrong, or where a kink, a NaN or a random number comes in;
  /// empty when each operation of the tape is right on its own.
  std::string operation = {};
  std::size_t index = 0;      ///< its number on the tape
  std::string argument = {};  ///< with respect to which it is wrong
  double factor = 1.0;        ///< analytic / numeric, where it is one number
  std::string text = {};      ///< the finding in words
};

/// What gradcheck found.
struct GradcheckReport {
  bool passed = false;
  Index checked = 0;   ///< elements compared, or directions
  int directions = 0;  ///< for each input, as asked for; 0 where every element was compared
  std::vector<GradcheckFailure> failures;  ///< worst first
  /// Where the error of the differences is too large to tell right from wrong.
  std::vector<GradcheckFailure> not_judged;
  std::vector<GradcheckFinding> findings;  ///< at least one when the check failed, likeliest first
  double worst = 0.0;  ///< largest |a - n| / max(1, |a|, |n|) over all that was compared

  explicit operator bool() const { return passed; }
  /// The whole report in words.
  std::string to_string() const;
};
/// The report in words: `CHECK(gradcheck(f, {x}))` shows it when it fails.
std::ostream& operator<<(std::ostream& stream, const GradcheckReport& report);

namespace detail {
GradcheckReport gradcheck_of_draws(const DifferentiableFunction& f,
                                   const std::function<std::vector<Tensor>(Generator&)>& draw,
                                   const GradcheckOptions& options, int draws);
}  // namespace detail

/// Compares the tape's gradients of f with central differences, Richardson-extrapolated, for every
/// element of every input (and of GradcheckOptions::parameters). A result with several elements is
/// weighted with fixed, unequal weights first, which keeps errors from cancelling; elements of very
/// different size are summed and checked apart. f must give the same result at every call: draw
/// random numbers from a Generator made inside f. When the check fails, f runs some more times,
/// operation by operation, to find out why. Costs four evaluations of f for each element, some 50
/// more where they disagree. The check does not pass with an element that it cannot judge.
/// `inputs`: float64. Throws DtypeError for another dtype, ArgumentError for another number of
/// parameter names than of parameters; what f throws passes through, what a vjp throws is
/// reported.
GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});
/// gradcheck of as many draws of the inputs, in shapes that vary, which finds vjps that are right
/// only for square matrices or for an axis of size 1. `draw` takes a Generator& and returns the
/// inputs: `uniform({n, 3}, -1.0, 1.0, Dtype::float64, generator)` for n = 1 + generator.below(5).
/// The report is that of the first draw that does not pass, and says which shapes it had; else that
/// of all of them together.
template <class Draw>
requires std::is_invocable_r_v < std::vector<Tensor>,
const Draw&,
    Generator& > GradcheckReport gradcheck(const DifferentiableFunction& f, const Draw& draw,
                                           const GradcheckOptions& options = {}, int draws = 6) {
  return detail::gradcheck_of_draws(f, draw, options, draws);
}

/// The same for a function of one variable.
template <FunctionOfOne F>
GradcheckReport gradcheck(const F& f, const Tensor& x, const GradcheckOptions& options = {}) {
  return gradcheck(detail::of_one(f), std::vector{x}, options);
}

/// Compares the float32 kernels of f, for the result and for the gradient of a weighted sum of it,
/// with the float64 ones at six points that both can represent. In the mean an element may
/// differ by eight times what it does to round the result of every operation of the float64 run to
/// float32, and by 32 units in the last place of the largest element, or of result / input. In a
/// failure, `analytic` is the float32 value, `numeric` the float64 one. f must compute in the dtype
/// of its inputs. `inputs`: float64 or float32, any values; so are GradcheckOptions::parameters,
/// which keep their values. Of the options, only these are used. Throws DtypeError for an int64
/// input, and what f throws.
GradcheckReport check_float32(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});
template <FunctionOfOne F>
GradcheckReport check_float32(const F& f, const Tensor& x, const GradcheckOptions& options = {}) {
  return check_float32(detail::of_one(f), std::vector{x}, options);
}

/// Checks second derivatives: gradcheck of the gradient of f, by the inputs and by the parameters.
/// jvp is compared with vjp too.
GradcheckReport gradgradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});
template <FunctionOfOne F>
GradcheckReport gradgradcheck(const F& f, const Tensor& x, const GradcheckOptions& options = {}) {
  return gradgradcheck(detail::of_one(f), std::vector{x}, options);
}

}  // namespace unroll
