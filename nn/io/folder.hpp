#pragma once

#include <string>

namespace unroll::nn {

/// Makes a folder, and those it lies in, where there is none. Throws Error, beginning with `what`
/// and saying why, when there is none then.
void make_folder(const std::string& path, const std::string& what);

}  // namespace unroll::nn
