#include <autograd/ops/pointwise_op.hpp>
#include <autograd/ops/special.hpp>

namespace unroll {

UNROLL_ELEMENTWISE(reciprocal)
UNROLL_ELEMENTWISE(rsqrt)
UNROLL_ELEMENTWISE(cbrt)
UNROLL_ELEMENTWISE(exp2)
UNROLL_ELEMENTWISE(log2)
UNROLL_ELEMENTWISE(log10)
UNROLL_ELEMENTWISE(erf)
UNROLL_ELEMENTWISE(erfc)
UNROLL_ELEMENTWISE(lgamma)

}  // namespace unroll
