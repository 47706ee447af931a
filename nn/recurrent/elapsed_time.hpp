#pragma once

#include <autograd/tape/variable.hpp>

/// Irregular time: sequences whose steps are not equally far apart. By convention the last column
/// of `x: [T,B,I]` is the time that has elapsed since the previous step, and I counts it. It must
/// be positive; 0 passes too, as padding past the end of a sequence is 0. `cell` is the name of the
/// class, with which messages begin.
namespace unroll::nn {

/// The two parts of such an input.
struct TimedInput {
  Variable values;   ///< [T,B,I-1]
  Variable elapsed;  ///< [T,B,1]
};

/// Splits off the elapsed times and checks them. Throws as check_elapsed.
TimedInput split_elapsed(const char* cell, const Variable& x);

/// Throws ArgumentError for an elapsed time in `elapsed: [T,B,D]` that is negative, infinite or
/// NaN, naming its step and sequence. Steps count from the first of this tensor: a layer gives a
/// long sequence to project() in parts.
void check_elapsed(const char* cell, const Variable& elapsed);

/// The number of columns of x beside the elapsed time, of which there is one when time is
/// irregular. Throws ArgumentError when none would be left.
Index columns_beside_time(const char* cell, Index inputs, bool irregular);

}  // namespace unroll::nn
