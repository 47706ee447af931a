#include "translation/items.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "common/example.hpp"

namespace translation {
namespace {

using unroll::Index;

const Words kBelowTwenty{"zero",    "one",     "two",       "three",    "four",
                         "five",    "six",     "seven",     "eight",    "nine",
                         "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                         "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
const Words kTens{"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
const Words kMonths{"January", "February", "March",     "April",   "May",      "June",
                    "July",    "August",   "September", "October", "November", "December"};
const Words kOthers{"hundred", "thousand", "and", "of", "st", "nd", "rd", "th"};

/// A tenth of all numbers and dates is not for learning.
bool is_held_out(Index n) { return (static_cast<std::uint64_t>(n) * 2654435761U >> 16U) % 10 == 0; }

/// Of `digits` digits, of which many are 0.
Index drawn(Index digits) {
  Index n = 1 + example::below(9);
  for (Index k = 1; k < digits; ++k) n = 10 * n + (example::below(3) == 0 ? 0 : example::below(10));
  return n;
}

template <class Fits>
Item number(Index fewest, Index most, const Fits& fits) {
  while (true) {
    const Index n = drawn(fewest + example::below(most - fewest + 1));
    const Words words = spoken(n);
    if (fits(n, words.size())) return {words, std::to_string(n)};
  }
}

}  // namespace

Words vocabulary() {
  Words words;
  for (const Words& list : {kBelowTwenty, kTens, kMonths, kOthers})
    words.insert(words.end(), list.begin(), list.end());
  for (const char digit : std::string("0123456789")) words.emplace_back(1, digit);
  return words;
}

Words spoken(Index n) {
  if (n < 20) return {kBelowTwenty[static_cast<std::size_t>(n)]};
  const Index unit = n < 100 ? 10 : n < 1000 ? 100 : 1000;
  Words words = unit == 10 ? Words{kTens[static_cast<std::size_t>(n / 10 - 2)]} : spoken(n / unit);
  if (unit > 10) words.push_back(unit == 100 ? "hundred" : "thousand");
  if (n % unit == 0) return words;
  if (unit > 10 && n % unit < 100) words.push_back("and");
  for (const std::string& word : spoken(n % unit)) words.push_back(word);
  return words;
}

Item number(bool held_out) {
  return number(1, 5, [&](Index n, std::size_t words) {
    return is_held_out(n) == held_out && words != 5 && words != 8;
  });
}

Item number_of_digits(Index count) {
  return number(count, count, [](Index, std::size_t) { return true; });
}

Item number_of_words(std::size_t count) {
  return number(1, 5, [&](Index, std::size_t words) { return words == count; });
}

Item date(bool held_out) {
  while (true) {
    const Index day = 1 + example::below(28), month = 1 + example::below(12);
    const Index year = 1800 + example::below(300);
    if (is_held_out((year * 12 + month) * 31 + day) != held_out) continue;
    Words words;
    for (const char digit : std::to_string(day)) words.emplace_back(1, digit);
    const bool teen = day / 10 == 1;
    words.push_back(!teen && day % 10 == 1   ? "st"
                    : !teen && day % 10 == 2 ? "nd"
                    : !teen && day % 10 == 3 ? "rd"
                                             : "th");
    words.insert(words.end(), {"of", kMonths[static_cast<std::size_t>(month - 1)]});
    for (const char digit : std::to_string(year)) words.emplace_back(1, digit);
    return {words, fmt::format("{}-{:02}-{:02}", year, month, day)};
  }
}

}  // namespace translation
