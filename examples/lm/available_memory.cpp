#include "available_memory.hpp"

#include <unistd.h>

#include <fstream>
#include <string>

namespace lm {

std::size_t available_memory() {
  std::ifstream info("/proc/meminfo");
  const std::string key = "MemAvailable:";
  for (std::string line; std::getline(info, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) << 10U;
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace lm
