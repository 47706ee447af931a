#include <zlib.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/element_types.hpp>
#include <nn/io/safetensors_header.hpp>
#include <nn/training/checkpoint_file.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

constexpr const char* kFormat = "unroll.checkpoint";
/// Of the layout, not of what is registered. Whoever raises it must let read_checkpoint convert
/// the layouts before it.
constexpr int kVersion = 1;

/// CRC-32 of a sequence of strings and numbers.
class Checksum {
 public:
  void add(const void* data, std::size_t bytes) {
    if (bytes > 0) crc_ = ::crc32_z(crc_, static_cast<const Bytef*>(data), bytes);
  }
  void add(std::uint64_t number) { add(&number, sizeof number); }
  void add(std::string_view text) {
    add(text.size());
    add(text.data(), text.size());
  }
  std::string hexadecimal() const {
    std::array<char, 8> digits{};
    digits.fill('0');
    std::array<char, 8> some{};
    const auto end = std::to_chars(some.data(), some.data() + some.size(), crc_, 16).ptr;
    std::copy_backward(some.data(), end, digits.end());
    return {digits.begin(), digits.end()};
  }

 private:
  ::uLong crc_ = 0;
};

/// Of all that the file says, in an order that does not depend on the order in the file.
std::string checksum_of(const TensorFile& file) {
  Checksum sum;
  for (const auto& [key, text] : file.metadata) {
    if (key == "checksum") continue;
    sum.add(key);
    sum.add(text);
  }
  std::vector<const std::pair<std::string, Tensor>*> sorted;
  for (const auto& entry : file.tensors) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    const Tensor packed = entry->second.contiguous();
    sum.add(entry->first);
    sum.add(element_type(packed.dtype()).name);
    sum.add(static_cast<std::uint64_t>(packed.rank()));
    for (const Index size : packed.shape()) sum.add(static_cast<std::uint64_t>(size));
    sum.add(packed.address(), static_cast<std::size_t>(packed.size()) * size_of(packed.dtype()));
  }
  return sum.hexadecimal();
}

/// A version that only this library's numbers can be; 0 for any other text.
int version_of(const std::string& text) {
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  return error == std::errc() && end == text.data() + text.size() ? version : 0;
}

}  // namespace

std::string checkpoint_file::quote_path(const std::string& path) {
  return safetensors::quote(path);
}

TensorFile read_checkpoint(const std::string& path) {
  const auto fail = [&](const std::string& what) {
    throw FormatError("checkpoint: " + checkpoint_file::quote_path(path) + what);
  };
  std::error_code error;
  if (!std::filesystem::exists(path, error)) fail(": no such file");
  TensorFile file;
  try {
    file = load_safetensors(path);
  } catch (const FormatError& damage) {
    fail(std::string(" is damaged or not a checkpoint: ") + damage.what());
  }
  const auto text = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (text("format") != kFormat)
    fail(": not a checkpoint but another safetensors file: its metadata has the format " +
         safetensors::quote(text("format")) + ", expected " + safetensors::quote(kFormat));
  const int version = version_of(text("version"));
  if (version > kVersion)
    fail(": written in version " + std::to_string(version) + " of the format, this program reads " +
         "up to version " + std::to_string(kVersion) + "; use a newer version of the library");
  if (version < 1) fail(" is damaged: its version is " + safetensors::quote(text("version")));
  const std::string expected = checksum_of(file);
  if (!file.unread.empty() || text("checksum") != expected)
    fail(" is damaged: its checksum is " + safetensors::quote(text("checksum")) + ", expected " +
         safetensors::quote(expected) + "; use an older checkpoint");
  return file;
}

void checkpoint_file::write_checkpoint(const std::string& path, TensorFile file) {
  file.metadata["format"] = kFormat;
  file.metadata["version"] = std::to_string(kVersion);
  file.metadata["checksum"] = checksum_of(file);
  save_safetensors(path, file);
}

}  // namespace unroll::nn
