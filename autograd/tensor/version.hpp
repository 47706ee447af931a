#pragma once

namespace unroll {

/// The version of the library, as CMake's find_package(unroll) takes it.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace unroll
