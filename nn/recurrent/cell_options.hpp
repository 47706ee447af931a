#pragma once

/// Checks of the options of cells. Each returns the value, which allows it in an initialiser, and
/// throws ArgumentError beginning with `cell`, the name of the class.
namespace unroll::nn {

/// Throws unless the value is positive and finite.
double checked_positive(const char* cell, const char* option, double value);
/// Throws unless the value is at least 0 and finite.
double checked_not_negative(const char* cell, const char* option, double value);
/// Throws unless 0 < value <= 1.
double checked_share(const char* cell, const char* option, double value);

}  // namespace unroll::nn
