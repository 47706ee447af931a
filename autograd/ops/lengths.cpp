#include <autograd/ops/lengths.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <cstddef>
#include <string>

namespace unroll::detail {

void check_lengths(const char* operation, const Argument& x, const std::vector<Index>& lengths) {
  const Index steps = x.value.size(0);
  const Index batch = x.value.size(1);
  const std::string given = std::string(x.name) + " " + to_string(x.value.shape());
  if (static_cast<Index>(lengths.size()) != batch)
    throw ShapeError(std::string(operation) + ": " + std::to_string(lengths.size()) +
                     " lengths were given for the " + std::to_string(batch) + " sequences of " +
                     given + "; each needs one");
  for (std::size_t b = 0; b < lengths.size(); ++b)
    if (lengths[b] < 0 || lengths[b] > steps)
      throw ArgumentError(std::string(operation) + ": the length of sequence " + std::to_string(b) +
                          " is " + std::to_string(lengths[b]) + "; with " + given +
                          " it must lie in 0.." + std::to_string(steps));
}

Tensor running_steps(Index steps, const std::vector<Index>& lengths, Dtype dtype) {
  Tensor running = zeros({steps, static_cast<Index>(lengths.size())}, dtype);
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    Tensor here = running.select(1, static_cast<Index>(b)).slice(0, 0, lengths[b]);
    kernels::fill(here, 1.0);
  }
  return running;
}

}  // namespace unroll::detail
