#include "output_file.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>

#include <filesystem>

namespace lm {

void check_output_file(const std::string& path, bool overwrite) {
  if (!overwrite && std::filesystem::exists(path))
    throw unroll::ArgumentError(
        fmt::format("\"{}\" exists already; --overwrite replaces it", path));
  const unroll::nn::AtomicFile can_be_written(path);
}

void write_output_file(const std::string& path, std::string_view bytes) {
  unroll::nn::AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace lm
