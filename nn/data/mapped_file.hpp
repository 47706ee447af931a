#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace unroll::nn {

/// Maps the first `size` bytes of an open file into memory, for reading, until the last copy of the
/// result is gone. Null, with errno set, when that fails.
std::shared_ptr<const char> map_file(int descriptor, std::size_t size);

/// Takes what map_file has mapped of this text out of the memory of the process; it is read again,
/// mostly from the page cache, when it is used again. Does nothing for a text that is not in a
/// mapped file. May be called while other threads read the text.
void release_pages(std::string_view text);

}  // namespace unroll::nn
