#include <autograd/kernels/dropout.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/dropout.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {

Variable dropout(const Variable& x, double rate, Generator& generator) {
  if (!(rate >= 0.0 && rate <= 1.0))
    throw ArgumentError("dropout: the rate must lie in [0, 1], it is " + std::to_string(rate));
  detail::check_floating("dropout", {"x", x});
  if (rate == 0.0) return x;
  const Generator before = generator;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  kernels::dropout(x.value().contiguous(), rate, generator, y);
  if (!recording("dropout", x)) return y;
  return record("dropout", std::move(y),
                [x = x.without_value(), rate, before](const Variable& g, BackwardPass& pass) {
                  Generator again = before;
                  pass.add(x, dropout(g, rate, again));
                });
}

}  // namespace unroll
