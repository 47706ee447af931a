#pragma once

#include <string>
#include <string_view>

namespace lm {

/// Finds out before the work whether its result can be written. Throws ArgumentError for a file
/// that exists unless it may be overwritten, Error for a path that cannot be written.
void check_output_file(const std::string& path, bool overwrite);

/// Writes the whole file or leaves an older one as it was. Throws Error.
void write_output_file(const std::string& path, std::string_view bytes);

}  // namespace lm
