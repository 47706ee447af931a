#pragma once

#include <cstdint>
#include <string_view>

namespace unroll::nn {

/// CRC-32C (Castagnoli), as in iSCSI (RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace unroll::nn
