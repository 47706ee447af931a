#include <autograd/tensor/error.hpp>
#include <nn/wrappers/shared.hpp>

#include <string>

namespace unroll::nn {

void check_apart(const char* name, const Module& a, const Module& b) {
  for (const Parameter& one : a.parameters())
    for (const Parameter& other : b.parameters())
      if (one == other)
        throw ArgumentError(std::string(name) + ": two cells share the parameter '" + one.name() +
                            "', as copies of one cell do; make a second cell or nn::clone() the "
                            "first, or, to train one set of weights, say .share = true");
}

}  // namespace unroll::nn
