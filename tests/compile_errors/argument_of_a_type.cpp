// must take as many arguments as pointwise is given tensors, each of them auto
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise([](float a, float b) { return a * b; }, x, y);
}
