#include "info.hpp"

#include "arguments.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "output_file.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace lm {
namespace {

using Json = nlohmann::ordered_json;

/// Everything about the model, in the order in which it is printed.
Json describe(const std::string& path) {
  const Model model = Model::load(path);  // refuses what is no model
  unroll::nn::TensorFile file = unroll::nn::load_safetensors(path);
  file.metadata.erase("vocabulary");
  const unroll::nn::Vocabulary& vocabulary = model.vocabulary();

  Json json{{"model", path},
            {"bytes", std::filesystem::file_size(path)},
            {"level", to_string(vocabulary.level())},
            {"vocabulary_size", vocabulary.size()},
            {"parameter_count", model.parameter_count()}};
  for (const auto& [key, value] : file.metadata) json["metadata"][key] = value;
  for (const auto& [name, parameter] : model.named_parameters())
    json["parameters"].push_back(
        {{"name", name},
         {"shape", std::vector<Index>(parameter.shape().begin(), parameter.shape().end())}});
  return json;
}

void print(const Json& json) {
  fmt::print("{}\n", json["model"].get<std::string>());
  for (const auto& [key, value] : json["metadata"].items())
    fmt::print("  {:<32}{}\n", key, value.get<std::string>());
  fmt::print("  {:<32}{}\n", "symbols", json["vocabulary_size"].dump());
  fmt::print("  {:<32}{}\n", "parameters", json["parameter_count"].dump());
  fmt::print("  {:<32}{}\n\n", "bytes", json["bytes"].dump());
  for (const Json& parameter : json["parameters"])
    fmt::print("  {:<32}{}\n", parameter["name"].get<std::string>(), parameter["shape"].dump());
}

}  // namespace

void run_info(const InfoOptions& options) {
  const Json json = describe(options.model);
  if (options.json)
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  else
    print(json);
}

void run_export(const ExportOptions& options) {
  const Model model = Model::load(options.model);
  check_output_file(options.out, options.overwrite);
  unroll::nn::TensorFile file = model.file({});
  file.metadata["source"] = file.metadata["format"];
  file.metadata["format"] = "pt";  // as libraries of PyTorch mark their files
  unroll::nn::save_safetensors(options.out, file);
  fmt::print("{} tensors, {} parameters: {}\n", file.tensors.size(), model.parameter_count(),
             options.out);
}

void add_info(CLI::App& app) {
  const auto kept = std::make_shared<InfoOptions>();
  CLI::App& command = *app.add_subcommand("info", "print what a model file holds");
  command.add_option("model", kept->model, "model file (safetensors)")->required();
  command.add_flag("--json", kept->json, "prints JSON");
  command.callback([kept] { run_info(*kept); });
}

void add_export(CLI::App& app) {
  const auto kept = std::make_shared<ExportOptions>();
  CLI::App& command =
      *app.add_subcommand("export", "write a model's weights for PyTorch's load_state_dict");
  command.add_option("model", kept->model, "model file (safetensors)")->required();
  command.add_option("out", kept->out, "safetensors file to write")->required();
  command.add_flag("--overwrite", kept->overwrite, "replace the file to write if it exists");
  command.callback([kept] { run_export(*kept); });
}

}  // namespace lm
