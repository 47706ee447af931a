// The readers of files on damaged input, a little at every run; tests/fuzz/run does it for long.
#include <doctest/doctest.h>
#include <autograd/tensor/random.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "targets.hpp"

using namespace fuzzing;

namespace {

/// `bytes` with a few of the usual mutations; `other` gives parts to splice in.
std::string mutated(std::string bytes, const std::string& other, unroll::Generator& generator) {
  const auto below = [&](std::size_t count) {
    return static_cast<std::size_t>(generator.below(std::max<std::uint64_t>(count, 1)));
  };
  for (std::size_t rounds = 1 + below(4); rounds > 0; --rounds) {
    const std::size_t at = below(bytes.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] ^= static_cast<char>(1U << below(8));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.insert(at, std::string(1 + below(8), static_cast<char>(below(256))));
        break;
      case 3:
        bytes.erase(at, 1 + below(16));
        break;
      case 4:
        bytes.insert(at, other.substr(below(other.size()), 1 + below(32)));
        break;
      default:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
    }
  }
  return bytes;
}

/// How many of so many damaged inputs the target takes.
int taken_of(const Target& target, int trials) {
  const std::vector<std::string> seeds = corpus(target);
  REQUIRE(seeds.size() >= 2);
  unroll::Generator generator(20261127);
  int taken = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::string& seed = seeds[generator.below(seeds.size())];
    const std::string bytes = mutated(seed, seeds[generator.below(seeds.size())], generator);
    CAPTURE(trial);
    CHECK_NOTHROW(taken += accepts(target, bytes) ? 1 : 0);
  }
  return taken;
}

}  // namespace

TEST_CASE("every reader takes the good files of its corpus") {
  for (const Target& one : targets()) {
    CAPTURE(one.name);
    int taken = 0;
    for (const std::string& bytes : corpus(one)) taken += accepts(one, bytes) ? 1 : 0;
    CHECK(taken > 0);
  }
}

TEST_CASE("damaged bytes are taken or refused, never worse") {
  const auto some = [](const char* name, int trials) {
    const int taken = taken_of(target(name), trials);
    CAPTURE(name);
    // Both happen, or the mutations would show little.
    CHECK(taken > 0);
    CHECK(taken < trials);
  };
  some("header", 20000);
  some("safetensors", 1000);
  some("utf8", 50000);
  some("model", 1000);
}
