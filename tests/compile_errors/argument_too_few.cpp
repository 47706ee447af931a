// must take as many arguments as pointwise is given tensors, each of them auto
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise([](auto a) { return a * a; }, x, y);
}
