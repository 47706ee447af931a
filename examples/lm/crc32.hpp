#pragma once

#include <zlib.h>

#include <cstdint>
#include <string_view>

namespace lm {

/// CRC-32 as of zlib, gzip and PNG.
inline std::uint32_t crc32(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(
      ::crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace lm
