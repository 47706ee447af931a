#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/variable.hpp>

#include <string>

/// What a vjp hands over is checked before it is added up: a user may have written the vjp,
/// and what is wrong with it should be said in its terms. Every check throws DtypeError, ShapeError
/// or ArgumentError that begins with the operation, as in "backward pass of tanh".
namespace unroll::detail {

/// `g` is a gradient of x, or of what x was broadcast to.
void check_term(const char* operation, const Variable& x, const Variable& g);
void check_region(const char* operation, const Variable& x, const BackwardPass::Region& region,
                  const Variable& g);
void check_rows(const char* operation, const Variable& x, const Tensor& indices, const Variable& g);
void check_product(const char* operation, const Variable& x, const Variable& a, const Variable& b);

}  // namespace unroll::detail
