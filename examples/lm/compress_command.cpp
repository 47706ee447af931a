#include "arguments.hpp"
#include "commands.hpp"
#include "compress.hpp"
#include "crc32.hpp"
#include "output_file.hpp"

#include <fmt/core.h>
#include <autograd/tensor/error.hpp>
#include <nn/data/text_file.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>

namespace lm {
namespace {

std::string read_bytes(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw unroll::FormatError(fmt::format("\"{}\" is a folder, expected a file", file));
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw unroll::FormatError(fmt::format("cannot open \"{}\": {}", file, std::strerror(errno)));
  return {std::istreambuf_iterator<char>(in), {}};
}

void add_files(CLI::App& command, CompressOptions& options) {
  command.add_option("file", options.in, "file to read")->required();
  command.add_option("out", options.out, "file to write")->required();
  add_model(command, options.model);
  command.add_flag("--overwrite", options.overwrite, "replace the file to write if it exists");
}

}  // namespace

void run_compress(const CompressOptions& options) {
  check_output_file(options.out, options.overwrite);
  const Model model = Model::load(options.model);
  const unroll::nn::TextFile text(options.in);
  const Compressed result = compress(model, crc32(read_bytes(options.model)), text.bytes());
  write_output_file(options.out, result.bytes);
  const auto size = static_cast<double>(result.bytes.size());
  fmt::print("{:.4f} bits per symbol over {} symbols, {:.3f} times smaller ({} bytes to {})\n",
             8 * size / static_cast<double>(result.symbols), result.symbols,
             static_cast<double>(text.bytes().size()) / size, text.bytes().size(),
             result.bytes.size());
  fmt::print("{:.4f} bits per symbol is the model's cross-entropy\n",
             result.nats / std::numbers::ln2);
}

void run_decompress(const CompressOptions& options) {
  check_output_file(options.out, options.overwrite);
  const Model model = Model::load(options.model);
  write_output_file(options.out,
                    decompress(model, crc32(read_bytes(options.model)), read_bytes(options.in),
                               fmt::format("\"{}\"", options.in)));
}

void add_compress(CLI::App& app) {
  const auto kept = std::make_shared<CompressOptions>();
  CLI::App& command = *app.add_subcommand("compress", "compress text by the model's predictions");
  add_files(command, *kept);
  command.callback([kept] { run_compress(*kept); });
}

void add_decompress(CLI::App& app) {
  const auto kept = std::make_shared<CompressOptions>();
  CLI::App& command = *app.add_subcommand("decompress", "restore a text that was compressed");
  add_files(command, *kept);
  command.callback([kept] { run_decompress(*kept); });
}

}  // namespace lm
