#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_options.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

double checked(bool passes, const char* cell, const char* option, const char* condition,
               double value) {
  if (!passes)
    throw ArgumentError(std::string(cell) + ": " + option + " must be " + condition + ", it is " +
                        std::to_string(value));
  return value;
}

}  // namespace

double checked_positive(const char* cell, const char* option, double value) {
  return checked(value > 0.0 && std::isfinite(value), cell, option, "positive and finite", value);
}

double checked_not_negative(const char* cell, const char* option, double value) {
  return checked(value >= 0.0 && std::isfinite(value), cell, option, "finite and at least 0",
                 value);
}

double checked_share(const char* cell, const char* option, double value) {
  return checked(value > 0.0 && value <= 1.0, cell, option, "above 0 and at most 1", value);
}

}  // namespace unroll::nn
