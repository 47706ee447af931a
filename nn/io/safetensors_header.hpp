#pragma once

#include <autograd/tensor/shape.hpp>
#include <nn/io/element_types.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The header of a safetensors file: JSON that says what the bytes after it are.
namespace unroll::nn::safetensors {

inline constexpr const char* kMetadata = "__metadata__";

/// A name as it may stand in a message: quoted, short, no control characters.
std::string quote(std::string_view name);

/// One tensor as the header describes it, checked.
struct Entry {
  std::string name;
  const ElementType* stored = nullptr;  ///< null when the tensor cannot be read
  std::string unread;                   ///< why not
  Shape shape;
  std::uint64_t begin = 0;  ///< of its bytes within the data
  std::uint64_t end = 0;
};

struct Header {
  std::vector<Entry> entries;  ///< in the order of their data, which they cover without a gap
  std::map<std::string, std::string> metadata;
};

/// Reads a header in one pass, so that a hostile one of n bytes takes time and memory in proportion
/// to n. `where` begins the messages; `data_bytes` follow the header. Throws FormatError.
Header parse_header(const std::string& text, const std::string& where, std::uint64_t data_bytes);

}  // namespace unroll::nn::safetensors
