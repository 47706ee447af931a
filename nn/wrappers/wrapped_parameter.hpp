#pragma once

#include <nn/recurrent/cell.hpp>

#include <string>

namespace unroll::nn {

/// The parameter of that name. Throws ArgumentError, beginning with the wrapper's name, that lists
/// those which the cell has.
Parameter wrapped_parameter(const char* wrapper, const Cell& cell, const std::string& name);

}  // namespace unroll::nn
