#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/varied.hpp>

#include <vector>

namespace unroll::detail {

/// The operations of f whose lambda has captured, by reference, a local variable of a function that
/// has returned when f has: the backward pass would read what is there by then. Found in lambdas of
/// pointwise; of a reference to something on the heap nothing is known.
std::vector<GradcheckFinding> find_dangling_captures(const Varied& f);

}  // namespace unroll::detail
