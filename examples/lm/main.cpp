// A language model: trains on text, writes text, measures how well it predicts text, and
// compresses text.
#include "commands.hpp"
#include "option_files.hpp"

#include "common/example.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/version.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  try {
    CLI::App app(
        "A language model of bytes, characters or words: trains on text, writes text, measures how "
        "well it predicts text, and compresses text.");
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", fmt::format("lm, unroll {}", unroll::kVersion));
    lm::add_train(app);
    lm::add_sample(app);
    lm::add_eval(app);
    lm::add_compress(app);
    lm::add_decompress(app);
    lm::add_inspect(app);
    lm::add_report(app);
    lm::add_info(app);
    lm::add_export(app);
    try {
      // CLI11 takes them from the last to the first.
      std::vector<std::string> arguments =
          lm::with_recipe(lm::with_settings_of_run({argv + 1, argv + argc}));
      std::reverse(arguments.begin(), arguments.end());
      app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : 1;
    }
    if (app.get_subcommands().empty())
      throw unroll::ArgumentError(
          "expected a command: train, sample, eval, compress, decompress, inspect, report, info or "
          "export; --help tells more");
    example::check_output();
    return 0;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr,
               "lm: not enough memory; try a smaller --hidden, --layers, --batch or --steps\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "lm: {}\n", error.what());
  }
  return 1;
}
