#pragma once

#include <string>
#include <vector>

namespace lm {

/// Puts the options of a recipe before those on the command line, which override them:
/// `--recipe FILE` becomes the lines of FILE, `name = value` each, `#` begins a comment. A name
/// without a folder or an ending is looked up among the recipes that come with the program. Throws
/// Error for a file that cannot be read, FormatError for a line that is none of these.
std::vector<std::string> with_recipe(const std::vector<std::string>& arguments);

/// With `--resume` among the arguments of `train`: puts the settings of the run before them. Throws
/// Error when there is no such run, ArgumentError for an option that would change it.
std::vector<std::string> with_settings_of_run(const std::vector<std::string>& arguments);

/// The file with the settings of a model's run.
std::string settings_file(const std::string& model);

/// The arguments that a file of such lines stands for.
std::vector<std::string> read_options(const std::string& path);

}  // namespace lm
