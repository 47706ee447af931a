#pragma once

#include <string>
#include <vector>

#include "common/example.hpp"
#include "training.hpp"

namespace long_memory {

/// A task as this program trains it, and what was published of it.
struct Task {
  std::string name;
  std::string measure;       ///< of the error
  double baseline = 0.0;     ///< error of who knows nothing, 0 when there is no such figure
  std::string letters = "";  ///< counted, in the two languages that count
  example::Range reach;      ///< expected of the mean count, or of the mean error
  std::string published;
  Training training;
};

std::vector<Task> published_tasks();

}  // namespace long_memory
