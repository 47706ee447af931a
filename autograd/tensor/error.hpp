#pragma once

#include <stdexcept>
#include <string>

namespace unroll {

/// Base of every exception the library throws on purpose. A message names the operation, its
/// arguments with all their sizes, and what to do instead where that is not obvious.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Sizes that do not fit together: `matmul: a [32,512] x b [256,128]: inner sizes differ (512 and
/// 256)`.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An operand of a dtype the operation does not take, or operands of different dtypes.
class DtypeError : public Error {
 public:
  using Error::Error;
};

/// Misuse of a tape: a variable of a tape that is gone, gradients taken twice.
class TapeError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its domain: an index past the end, a negative size, a rate above one.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, damaged or not of the expected kind.
class FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
