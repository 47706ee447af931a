// Runs a program as a person would.
#pragma once

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "support/folder.hpp"

namespace programs {

using namespace unroll::testing;
using Arguments = std::vector<std::string>;

/// A running program whose output goes to files in `folder`, the standard output to `terminal` if
/// there is one.
inline ::pid_t start(const char* program, const Folder& folder, const Arguments& arguments,
                     int terminal = -1) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = folder / ".out", err = folder / ".err";
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(terminal >= 0 ? terminal : ::open(out.c_str(), kFlags, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), kFlags, 0600), STDERR_FILENO);
    ::execv(program, argv.data());
    ::_exit(127);
  }
  return child;
}

struct Outcome {
  int code = 0;  ///< exit code, or minus the signal that ended the program
  std::string out, err;
};

inline Outcome finish(const Folder& folder, ::pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  Outcome outcome{WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
                  read(folder / ".out"), read(folder / ".err")};
  fs::remove(folder / ".out");
  fs::remove(folder / ".err");
  return outcome;
}

inline Outcome run(const char* program, const Folder& folder, const Arguments& arguments) {
  return finish(folder, start(program, folder, arguments));
}

/// The number that follows `label`.
inline double number_after(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  CAPTURE(text);
  CAPTURE(label);
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + label.size()));
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace programs
