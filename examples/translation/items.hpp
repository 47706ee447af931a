#pragma once

#include <autograd/tensor/shape.hpp>

#include <string>
#include <vector>

/// What the example translates: numbers and dates in words, and how they are written in digits.
namespace translation {

using Words = std::vector<std::string>;

struct Item {
  Words source;        ///< words; the digits of a date stand one by one
  std::string target;  ///< digits
};

/// Every word of a source.
Words vocabulary();

/// "three hundred and five", for 0 to 999999.
Words spoken(unroll::Index n);

/// A number of one to five digits, many of them 0, and neither of 5 nor of 8 words. A tenth of all
/// numbers is held out.
Item number(bool held_out);
Item number_of_words(std::size_t count);  ///< of one to five digits
Item number_of_digits(unroll::Index count);

/// "3rd of May 1987", 1987-05-03, of the years 1800 to 2099. A tenth of all dates is held out.
Item date(bool held_out);

}  // namespace translation
