#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/varied.hpp>

#include <vector>

namespace unroll::detail {

/// What a failed check has found out by itself.
struct Symptoms {
  Point earlier;      ///< where f was called before the check, in case it remembers
  WeightedSums sums;  ///< of the results
  /// Of each sum, its gradient by everything that is varied.
  std::vector<std::vector<Tensor>> analytic;
  std::vector<std::size_t> which;  ///< of each failure: what was varied
  std::vector<Index> element;      ///< of each failure
  std::vector<std::size_t> sum;    ///< of each failure: which sum disagrees
};

/// Finds the likely causes by further runs of f, and marks each failure with its own. `failures`
/// must not be empty.
std::vector<GradcheckFinding> diagnose(const Varied& f, const GradcheckOptions& options,
                                       const Symptoms& symptoms,
                                       std::vector<GradcheckFailure>& failures);

}  // namespace unroll::detail
