#pragma once

#include <nn/any.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// A cell of any class.
using AnyCell = Any<Cell>;

}  // namespace unroll::nn
