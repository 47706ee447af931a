#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <autograd/tensor/shape.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

/// What the commands share on the command line.
namespace lm {

inline constexpr double kUnbounded = INFINITY;
inline constexpr unroll::Index kMaxCount = 1'000'000'000;

/// Refuses what is no number or lies outside [low, high], and says what is expected.
template <class T>
CLI::Validator between(T low, T high) {
  return CLI::Validator(
      [low, high](const std::string& text) {
        T value{};
        const bool negative = std::is_unsigned_v<T> && text.starts_with('-');  // would wrap around
        const bool number = !negative && CLI::detail::lexical_cast(text, value);
        return number && value >= low && value <= high
                   ? std::string()
                   : fmt::format("expected a {} from {} to {}, got {}",
                                 std::is_integral_v<T> ? "whole number" : "number", low, high,
                                 text);
      },
      "");
}

/// The same for a finite number in (low, high), or [low, high) when `with_low`.
CLI::Validator inside(double low, bool with_low, double high);
/// Refuses every word but these.
CLI::Validator one_of(std::vector<std::string> words);

void add_model(CLI::App& command, std::string& model);
void add_seed(CLI::App& command, std::uint64_t& seed, const char* help);

}  // namespace lm
