// Compiled for another instruction set than the library, which must show when it is linked.
#include <autograd/autograd.hpp>

int main() {
  return unroll::pointwise([](auto x) { return x * x; }, unroll::ones({})).item() > 0.0 ? 0 : 1;
}
