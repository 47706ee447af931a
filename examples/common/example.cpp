#include "common/example.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/io/safetensors.hpp>

#include <cstdio>
#include <exception>

#include "common/picture.hpp"

namespace example {

int run(int argc, char** argv, const char* name, const char* purpose,
        const std::function<void(const Options&)>& program) {
  return run(
      argc, argv, name, purpose, [](CLI::App&) {}, program);
}

int run(int argc, char** argv, const char* name, const char* purpose,
        const std::function<void(CLI::App&)>& add,
        const std::function<void(const Options&)>& program) {
  try {
    Options options;
    options.picture = std::string(name) + ".svg";
    CLI::App app(purpose, name);
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_flag("--quick", options.quick, "too short to learn much: shows that it works");
    app.add_option("--seed", options.seed, "of all random numbers")->capture_default_str();
    app.add_option("--picture", options.picture, "file to draw into, .svg or .png")
        ->capture_default_str();
    add(app);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : 1;
    }
    check_picture(options.picture);  // before the training, not after it
    fmt::print("{}\n\n", purpose);
    if (options.quick) fmt::print("A quick run learns little: expect figures outside.\n\n");
    unroll::seed(options.seed);
    program(options);
    check_output();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

void check_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw unroll::Error("the standard output could not be written");
}

unroll::Index below(unroll::Index count) {
  return static_cast<unroll::Index>(
      unroll::default_generator().below(static_cast<std::uint64_t>(count)));
}

void figure(const std::string& what, double measured, const Range& expected) {
  const bool inside = measured >= expected.low && measured <= expected.high;
  fmt::print("{:<48} {:>8.4f}   expected {:g} to {:g}{}\n", what + ":", measured, expected.low,
             expected.high, inside ? "" : "   <- outside");
}

}  // namespace example
