#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What reads files of unknown origin, as functions of bytes: each either takes the bytes or throws
/// an unroll::Error, and throws std::logic_error when it took them and they do not hold together.
namespace fuzzing {

struct Target {
  const char* name;  ///< also of its folder in tests/fuzz/corpus
  void (*run)(std::string_view bytes);
};

std::span<const Target> targets();
/// Throws std::out_of_range for an unknown name.
const Target& target(std::string_view name);

/// True when the target took the bytes, false when it refused them; what else is thrown passes.
bool accepts(const Target& target, std::string_view bytes);

/// Well-formed inputs to start from: the files of the target's corpus.
std::vector<std::string> corpus(const Target& target);

}  // namespace fuzzing
