#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/elapsed_time.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

template <class T>
void check_values(const char* cell, const Tensor& elapsed) {
  const T* values = elapsed.data<T>();
  const Strides& strides = elapsed.strides();
  for (Index t = 0; t < elapsed.size(0); ++t)
    for (Index b = 0; b < elapsed.size(1); ++b)
      for (Index d = 0; d < elapsed.size(2); ++d) {
        const double value = values[t * strides[0] + b * strides[1] + d * strides[2]];
        if (value >= 0.0 && std::isfinite(value)) continue;
        throw ArgumentError(std::string(cell) + ": the elapsed time at step " + std::to_string(t) +
                            " of the " + std::to_string(elapsed.size(0)) +
                            " projected together, sequence " + std::to_string(b) + ", is " +
                            std::to_string(value) +
                            "; it must be positive: the time since the previous step");
      }
}

}  // namespace

void check_elapsed(const char* cell, const Variable& elapsed) {
  if (elapsed.dtype() == Dtype::float32)
    check_values<float>(cell, elapsed.value());
  else
    check_values<double>(cell, elapsed.value());
}

TimedInput split_elapsed(const char* cell, const Variable& x) {
  const Index columns = x.size(-1);
  TimedInput parts{slice(x, -1, 0, columns - 1), slice(x, -1, columns - 1, columns)};
  check_elapsed(cell, parts.elapsed);
  return parts;
}

Index columns_beside_time(const char* cell, Index inputs, bool irregular) {
  if (!irregular) return inputs;
  if (inputs < 2)
    throw ArgumentError(std::string(cell) + ": inputs must be at least 2 with irregular time, as " +
                        "the last one is the elapsed time; it is " + std::to_string(inputs));
  return inputs - 1;
}

}  // namespace unroll::nn
