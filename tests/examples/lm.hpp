#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <autograd/tensor/random.hpp>
#include <nn/data/vocabulary.hpp>

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "program.hpp"

/// The program lm, run as a person would.
namespace lm_program {

using namespace programs;

inline constexpr const char* kProgram = UNROLL_EXAMPLES_DIR "/lm/lm";

inline ::pid_t start(const Folder& folder, const Arguments& arguments, int terminal = -1) {
  return programs::start(kProgram, folder, arguments, terminal);
}

inline Outcome run(const Folder& folder, const Arguments& arguments) {
  return programs::run(kProgram, folder, arguments);
}

inline Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Sentences of a small grammar: easy to learn, yet its characters' frequencies tell little.
inline std::string sentences(int count) {
  const std::vector<std::string> subjects{"the cat", "a dog", "the wörm", "every bird"};
  const std::vector<std::string> verbs{"sees", "likes", "follows"};
  unroll::Generator generator(7);
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("{} {} {}.\n", subjects[generator.below(4)], verbs[generator.below(3)],
                        subjects[generator.below(4)]);
  return text;
}

/// The characters of a text as a vocabulary.
inline unroll::nn::Vocabulary characters(const std::string& text) {
  return unroll::nn::Vocabulary::build(unroll::nn::Level::character, {text});
}

/// A network and a run that take a second.
inline const Arguments kSmall{"--hidden",     "24", "--embedding", "8", "--batch",         "8",
                              "--steps",      "16", "--threads",   "1", "--learning-rate", "0.01",
                              "--validation", "0.1"};

/// Trains, insists that it worked, and returns what it printed.
inline std::string train(const Folder& folder, const std::string& text, const std::string& model,
                         const Arguments& more) {
  const Outcome outcome =
      run(folder, Arguments{"train", "--text", text, "--model", model} + kSmall + more);
  CAPTURE(outcome.out);
  REQUIRE(outcome.err == "");
  REQUIRE(outcome.code == 0);
  return outcome.out;
}

inline void wait_for(const std::string& file) {
  for (int i = 0; i < 3000 && !fs::exists(file); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

/// Insists on one message with this content, exit code 1, and nothing on the standard output.
inline void expect_refused(const Outcome& outcome, const std::string& message) {
  CAPTURE(message);
  CAPTURE(outcome.err);
  CHECK(outcome.code == 1);
  CHECK(outcome.out == "");
  CHECK(contains(outcome.err, message));
  CHECK(outcome.err.size() < 700);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') <= 2);
}

}  // namespace lm_program
