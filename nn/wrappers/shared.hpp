#pragma once

#include <nn/module.hpp>

namespace unroll::nn {

/// Throws ArgumentError, beginning with `name`, when the two have a parameter in common: a copy of
/// a module is the same module, which one easily forgets.
void check_apart(const char* name, const Module& a, const Module& b);

}  // namespace unroll::nn
