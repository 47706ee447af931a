#pragma once

#include <malloc.h>

#include <fstream>
#include <string>

namespace benchmarks {

/// A line of /proc/self/status in bytes: VmRSS, or VmHWM, its highest value.
inline double resident(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == key + ":") {
      double kibibytes = 0.0;
      status >> kibibytes;
      return kibibytes * 1024.0;
    }
  return 0.0;
}

/// The most memory that `f` had at a time beyond what the process had before.
template <class F>
double peak_above_baseline(F&& f) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM begins anew
  const double before = resident("VmRSS");
  f();
  return resident("VmHWM") - before;
}

}  // namespace benchmarks
