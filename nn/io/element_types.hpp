#pragma once

#include <autograd/tensor/tensor.hpp>

#include <cstdint>
#include <span>

/// The element types of safetensors files, and what they become in memory.
namespace unroll::nn {

struct ElementType {
  const char* name;     ///< in a file
  std::uint64_t bytes;  ///< of an element in a file
  Dtype dtype;          ///< in memory
  /// Fills `target` from bytes of the file; null where they are taken as they are.
  void (*convert)(const char* bytes, Tensor& target);
};

/// All that can be read.
std::span<const ElementType> element_types();
/// How elements of a dtype are written.
const ElementType& element_type(Dtype dtype);

}  // namespace unroll::nn
