#pragma once

#include <autograd/tensor/shape.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace unroll::detail {

/// Says how far a check is, if it takes long: after a little how long it will take and what would
/// be shorter, then every few seconds.
class Progress {
 public:
  /// `total`: derivatives to compare, along `directions` random directions for each of `inputs`
  /// inputs, or, if 0, element by element. `say` may be empty: the standard error stream then.
  Progress(Index total, int directions, Index inputs, std::function<void(const std::string&)> say);
  /// One more derivative has been compared.
  void step();

 private:
  using Clock = std::chrono::steady_clock;

  Index total_, done_ = 0;
  int directions_;
  Index inputs_;
  std::function<void(const std::string&)> say_;
  Clock::time_point begin_ = Clock::now();
  double next_ = 0.0;  // seconds from the beginning; 0 until the first estimate
};

}  // namespace unroll::detail
