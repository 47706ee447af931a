#include "targets.hpp"

#include <autograd/tensor/error.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/io/safetensors_header.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "examples/lm/model.hpp"

namespace fuzzing {
namespace {

using unroll::Index;

void insist(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

/// A file with these bytes that goes when the object does.
class File {
 public:
  explicit File(std::string_view bytes)
      : path_((std::filesystem::temp_directory_path() / "unroll-fuzz-XXXXXX").string()) {
    const int descriptor = ::mkstemp(path_.data());
    insist(descriptor >= 0, "no temporary file");
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    ::close(descriptor);
    insist(written == static_cast<::ssize_t>(bytes.size()), "the temporary file is not complete");
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The first eight bytes say how much data follows the header, which is the rest.
void header(std::string_view bytes) {
  std::uint64_t data_bytes = 0;
  std::memcpy(&data_bytes, bytes.data(), std::min(bytes.size(), sizeof data_bytes));
  const std::string text(bytes.substr(std::min(bytes.size(), sizeof data_bytes)));
  const auto parsed = unroll::nn::safetensors::parse_header(text, "header: ", data_bytes);
  std::uint64_t end = 0;
  for (const auto& entry : parsed.entries) {
    insist(entry.begin == end && entry.end >= entry.begin, "a hole or an overlap");
    insist((entry.stored == nullptr) != entry.unread.empty(), "neither read nor unread");
    end = entry.end;
  }
  insist(end == data_bytes, "not all of the data");
}

void safetensors(std::string_view bytes) {
  const File file(bytes);
  const auto loaded = unroll::nn::load_safetensors(file.path());
  if (!loaded.unread.empty()) return;
  const File copy("");
  unroll::nn::save_safetensors(copy.path(), loaded);
  const auto again = unroll::nn::load_safetensors(copy.path());
  insist(again.metadata == loaded.metadata, "other metadata");
  insist(again.tensors.size() == loaded.tensors.size(), "other tensors");
  for (const auto& [name, tensor] : loaded.tensors) {
    const unroll::Tensor& other = again.at(name);
    insist(other.shape() == tensor.shape() && other.dtype() == tensor.dtype(), "another layout");
    insist(std::memcmp(other.address(), tensor.address(),
                       static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype())) == 0,
           "other numbers");
  }
}

void utf8(std::string_view bytes) {
  const std::u32string text = unroll::nn::decode_utf8(bytes, "text");
  insist(unroll::nn::encode_utf8(text) == bytes, "another text");
}

void model(std::string_view bytes) {
  const File file(bytes);
  const lm::Model loaded = lm::Model::load(file.path());
  const auto logits = loaded(unroll::zeros({2, 1}, unroll::Dtype::int64)).logits;
  insist(logits.shape() == unroll::Shape{2, 1, loaded.vocabulary().size()}, "other logits");
}

constexpr std::array kTargets{Target{"header", header}, Target{"safetensors", safetensors},
                              Target{"utf8", utf8}, Target{"model", model}};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& target(std::string_view name) {
  for (const Target& one : kTargets)
    if (one.name == name) return one;
  throw std::out_of_range("fuzz: there is no target " + std::string(name));
}

bool accepts(const Target& target, std::string_view bytes) {
  try {
    target.run(bytes);
  } catch (const unroll::Error&) {
    return false;
  }
  return true;
}

std::vector<std::string> corpus(const Target& target) {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  const fs::path folder = fs::path(UNROLL_SOURCE_DIR) / "tests/fuzz/corpus" / target.name;
  for (const auto& file : fs::directory_iterator(folder)) paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> all;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    all.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return all;
}

}  // namespace fuzzing
