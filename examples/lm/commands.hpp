#pragma once

namespace CLI {
class App;
}

/// Each adds a command, with its options, to the program.
namespace lm {

void add_train(CLI::App& app);
void add_sample(CLI::App& app);
void add_eval(CLI::App& app);
void add_compress(CLI::App& app);
void add_decompress(CLI::App& app);
void add_inspect(CLI::App& app);
void add_report(CLI::App& app);
void add_info(CLI::App& app);
void add_export(CLI::App& app);

}  // namespace lm
