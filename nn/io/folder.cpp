#include <autograd/tensor/error.hpp>
#include <nn/io/folder.hpp>
#include <nn/io/safetensors_header.hpp>

#include <filesystem>
#include <system_error>

namespace unroll::nn {

void make_folder(const std::string& path, const std::string& what) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path))
    throw Error(what + ": the folder " + safetensors::quote(path) +
                " cannot be made: " + (error ? error.message() : "a file has this name"));
}

}  // namespace unroll::nn
