#pragma once

#include <autograd/tensor/shape.hpp>

#include <cstdint>
#include <functional>
#include <string>

/// What the small examples share beside their subject: the command line, the table of figures and
/// the picture (picture.hpp).
namespace CLI {
class App;
}

namespace example {

struct Options {
  bool quick = false;      ///< too short to learn much: shows that the program works
  std::uint64_t seed = 1;  ///< of all random numbers; a run with the same seed repeats
  std::string picture;     ///< file to draw into, .svg or .png
};

/// The main function of an example: reads the options, says what `purpose` the program has, seeds
/// the generator of unroll and calls `program`. Returns the exit code; an error is printed in one
/// line.
int run(int argc, char** argv, const char* name, const char* purpose,
        const std::function<void(const Options&)>& program);
/// The same for a program with options of its own, which `add` puts on the command line beside
/// those that all examples have.
int run(int argc, char** argv, const char* name, const char* purpose,
        const std::function<void(CLI::App&)>& add,
        const std::function<void(const Options&)>& program);

/// Throws Error if the standard output could not be written, as on a full disk. Called at the end.
void check_output();

/// A whole number of 0..count-1, from the generator that --seed sets.
unroll::Index below(unroll::Index count);

struct Range {
  double low, high;
};

/// Prints a figure of merit beside the range that a full run is expected to reach, and marks it
/// when it lies outside.
void figure(const std::string& what, double measured, const Range& expected);

}  // namespace example
