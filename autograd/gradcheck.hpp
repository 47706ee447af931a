#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace unroll {

/// How far an analytic derivative a may lie from the numeric one n: |a - n| <= relative * max(|a|,
/// |n|) + absolute, to which the estimated error of n is added.
struct Tolerances {
  double relative = 1e-7;
  double absolute = 1e-9;
};

struct GradcheckOptions {
  Tolerances tolerances = {};
  /// Step of the central differences, relative to max(1, |x|).
  double step = 1e-3;
  /// Parameters whose gradients are checked beside those of the inputs.
  std::vector<Parameter> parameters = {};
  /// float32 has too few digits for the default tolerances, so it is refused unless allowed.
  bool allow_float32 = false;
};

/// One element whose analytic and numeric derivatives disagree. Both are of the weighted sum of the
/// results, not of f itself: what tells is their ratio.
struct GradcheckFailure {
  std::string input;  ///< "input 0", or the parameter's name
  Shape position;
  double analytic = 0.0;
  double numeric = 0.0;
  double numeric_error = 0.0;  ///< estimated from two step sizes
};

struct GradcheckReport {
  bool passed = false;
  Index checked = 0;                       ///< elements compared
  std::vector<GradcheckFailure> failures;  ///< worst first
  double worst = 0.0;                      ///< largest |a - n| / max(1, |a|, |n|) over all elements

  explicit operator bool() const { return passed; }
  /// The whole report in words.
  std::string to_string() const;
};

/// A function of some tensors, written with operations on variables.
using DifferentiableFunction = std::function<Variable(std::span<const Variable>)>;

/// Compares the tape's gradients of f with central differences, Richardson-extrapolated, for every
/// element of every input (and of GradcheckOptions::parameters). A result with several elements is
/// weighted with fixed, unequal numbers first, so that errors cannot cancel. f must give
/// the same result at every call: draw random numbers from a Generator made inside f. Costs four
/// evaluations of f for each element. `inputs`: float64. Throws DtypeError for another dtype.
GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace unroll
