#pragma once

#include "pattern.hpp"

#include <memory>
#include <string>

namespace benchmarks {

/// A step of work that is timed.
class Step {
 public:
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;
  virtual void run() = 0;
  /// What the step computes from the patterns of pattern.hpp.
  virtual Summary summary() = 0;
};

}  // namespace benchmarks
