#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/replay.hpp>

#include <vector>

namespace unroll::detail {

/// Checks the vjp of every operation on the tape by itself against finite differences of that
/// operation alone, and tells what the wrong ones do. One finding for each operation by name.
std::vector<GradcheckFinding> find_wrong_operations(const Varied& f, const Replay& replay,
                                                    const Point& earlier,
                                                    const GradcheckOptions& options);

/// Operations whose value goes through detach() though their vjp is right: detach() is how they
/// compute, no stop of a gradient.
std::vector<std::size_t> operations_through_detach(const Varied& f, const Replay& replay,
                                                   const GradcheckOptions& options);

/// The first operation whose vjp cannot be differentiated by the gradient it is given.
std::vector<GradcheckFinding> find_undifferentiable_operation(const Replay& replay);

}  // namespace unroll::detail
