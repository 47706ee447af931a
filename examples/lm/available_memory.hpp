#pragma once

#include <cstddef>

namespace lm {

/// Bytes that programs can get without swapping, as the system estimates it.
std::size_t available_memory();

}  // namespace lm
