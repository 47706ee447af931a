// One target for libFuzzer: tests/fuzz/run builds it with clang.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzzing::Target& target = fuzzing::target(UNROLL_FUZZ_TARGET);
  fuzzing::accepts(target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
