#include <nn/io/element_types.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace unroll::nn {
namespace {

/// Bits of a half-precision number (1 sign, 5 exponent, 10 fraction) as a float.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero, or a multiple of 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

template <class Stored, class Element, auto convert>
void convert_elements(const char* bytes, Tensor& target) {
  auto* out = target.in_place<Element>();
  for (Index i = 0; i < target.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + static_cast<std::size_t>(i) * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

template <class Stored>
void widen(const char* bytes, Tensor& target) {
  convert_elements<Stored, std::int64_t, [](Stored x) { return std::int64_t{x}; }>(bytes, target);
}

constexpr std::array<ElementType, 12> kTypes{{
    {"F32", 4, Dtype::float32, nullptr},
    {"F64", 8, Dtype::float64, nullptr},
    {"I64", 8, Dtype::int64, nullptr},
    {"F16", 2, Dtype::float32, convert_elements<std::uint16_t, float, half_to_float>},
    {"BF16", 2, Dtype::float32, convert_elements<std::uint16_t, float, bfloat16_to_float>},
    {"BOOL", 1, Dtype::int64, widen<std::uint8_t>},
    {"U8", 1, Dtype::int64, widen<std::uint8_t>},
    {"I8", 1, Dtype::int64, widen<std::int8_t>},
    {"U16", 2, Dtype::int64, widen<std::uint16_t>},
    {"I16", 2, Dtype::int64, widen<std::int16_t>},
    {"U32", 4, Dtype::int64, widen<std::uint32_t>},
    {"I32", 4, Dtype::int64, widen<std::int32_t>},
}};

}  // namespace

std::span<const ElementType> element_types() { return kTypes; }

const ElementType& element_type(Dtype dtype) {
  return *std::find_if(kTypes.begin(), kTypes.end(), [dtype](const ElementType& type) {
    return type.dtype == dtype && !type.convert;
  });
}

}  // namespace unroll::nn
