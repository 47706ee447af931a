#pragma once

#include <autograd/verify/gradcheck.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// What a wrong Jacobian has to do with the right one.
namespace unroll::detail {

/// Both Jacobians of a function from a tensor to another one, row-major, a row for each result.
struct Jacobians {
  std::size_t rows = 0;
  std::size_t columns = 0;
  Shape result;    ///< rows elements; left empty when there are several results
  Shape argument;  ///< columns elements
  std::vector<double> analytic;
  std::vector<double> numeric;
  std::vector<double> error;  ///< of the numeric one
  /// Columns where the function has a kink: nothing is compared there.
  std::vector<bool> kink;

  bool agree(std::size_t row, std::size_t column, double analytic_value,
             const Tolerances& tolerances) const;
  /// True when they are equal, kinks aside.
  bool agree(const Tolerances& tolerances) const;
};

struct Pattern {
  Cause cause = Cause::wrong_derivative;
  double factor = 1.0;
  std::string text;  ///< what the vjp does, as the end of "the vjp of tanh ..."
};

/// The first pattern that explains every element. To be called when they do not agree.
Pattern recognise(const Jacobians& jacobians, const Tolerances& tolerances);

}  // namespace unroll::detail
