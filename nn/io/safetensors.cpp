#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/io/element_types.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/io/safetensors_header.hpp>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <system_error>
#include <utility>

namespace unroll::nn {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

constexpr std::uint64_t kLengthBytes = 8;               // the header's length stands before it
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
using safetensors::kMetadata;
using safetensors::quote;

// Writing.

std::uint64_t bytes_of(const Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.size()) * size_of(tensor.dtype());
}

/// `text` as a JSON string.
std::string encode(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    throw ArgumentError("save_safetensors: names and metadata must be UTF-8, got " + quote(text));
  }
}

using Entry = const std::pair<std::string, Tensor>*;

void check_entries(const TensorFile& file) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : file.tensors) {
    if (name == kMetadata)
      throw ArgumentError("save_safetensors: the format reserves the name " + quote(name));
    if (!names.insert(name).second)
      throw ArgumentError("save_safetensors: two tensors are named " + quote(name));
    if (!tensor.defined())
      throw ArgumentError("save_safetensors: tensor " + quote(name) + " is undefined");
  }
}

std::string make_header(std::span<const Entry> entries,
                        const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += encode(kMetadata) + ":{";
    for (const auto& [key, value] : metadata) header += encode(key) + ":" + encode(value) + ",";
    header.back() = '}';
    header += ',';
  }
  std::uint64_t begin = 0;
  for (const Entry entry : entries) {
    const auto& [name, tensor] = *entry;
    const std::uint64_t end = begin + bytes_of(tensor);
    header += encode(name) + ":{\"dtype\":\"" + element_type(tensor.dtype()).name +
              "\",\"shape\":" + to_string(tensor.shape()) + ",\"data_offsets\":[" +
              std::to_string(begin) + "," + std::to_string(end) + "]},";
    begin = end;
  }
  if (header.back() == ',') header.pop_back();
  header += '}';
  while (header.size() % kLengthBytes != 0) header += ' ';
  if (header.size() > kMaxHeaderBytes)
    throw ArgumentError("save_safetensors: names, shapes and metadata take " +
                        std::to_string(header.size()) + " bytes, the format allows " +
                        std::to_string(kMaxHeaderBytes));
  return header;
}

// Reading.

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) fail("no such file");
    if (!std::filesystem::is_regular_file(status)) fail("not a regular file");
    size_ = std::filesystem::file_size(path, error);
    stream_.open(path, std::ios::binary);
    if (error || !stream_) fail("cannot be opened");
  }

  TensorFile read() {
    safetensors::Header header = read_header();
    TensorFile file;
    file.metadata = std::move(header.metadata);
    file.tensors.reserve(header.entries.size());
    for (safetensors::Entry& entry : header.entries) {
      if (entry.stored) {
        file.tensors.emplace_back(std::move(entry.name), tensor_of(entry));
      } else {
        stream_.seekg(static_cast<std::streamoff>(entry.end - entry.begin), std::ios::cur);
        file.unread.emplace(std::move(entry.name), std::move(entry.unread));
      }
    }
    return file;
  }

 private:
  std::string where() const { return "load_safetensors: " + quote(path_.string()) + ": "; }
  [[noreturn]] void fail(const std::string& what) const { throw FormatError(where() + what); }

  void read_bytes(void* target, std::uint64_t bytes) {
    stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(bytes));
    if (!stream_) fail("reading failed, perhaps another program is changing the file");
  }

  safetensors::Header read_header() {
    if (size_ < kLengthBytes)
      fail("not a safetensors file: expected at least 8 bytes, got " + std::to_string(size_));
    std::uint64_t length = 0;
    read_bytes(&length, kLengthBytes);
    const std::uint64_t limit = std::min(kMaxHeaderBytes, size_ - kLengthBytes);
    if (length > limit)
      fail("not a safetensors file, or cut off: it announces a header of " +
           std::to_string(length) + " bytes, expected at most " + std::to_string(limit));
    std::string text(length, '\0');
    read_bytes(text.data(), length);
    if (!text.starts_with('{')) fail("not a safetensors file: its header must start with {");
    if (text.find('\0') != std::string::npos)  // the parser would take it for the end
      fail("damaged: there is a byte 0 in its header");
    return safetensors::parse_header(text, where(), size_ - kLengthBytes - length);
  }

  /// Reads on where the entry before has ended: they stand in the order of their data.
  Tensor tensor_of(const safetensors::Entry& entry) {
    Tensor tensor = Tensor::empty(entry.shape, entry.stored->dtype);
    const std::uint64_t bytes = entry.end - entry.begin;
    if (!entry.stored->convert) {
      read_bytes(tensor.address_in_place(), bytes);
      return tensor;
    }
    std::string raw(bytes, '\0');
    read_bytes(raw.data(), bytes);
    entry.stored->convert(raw.data(), tensor);
    return tensor;
  }

  std::filesystem::path path_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

}  // namespace

const Tensor* TensorFile::find(std::string_view name) const {
  for (const auto& [own, tensor] : tensors)
    if (own == name) return &tensor;
  return nullptr;
}

const Tensor& TensorFile::at(std::string_view name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  if (const auto found = unread.find(name); found != unread.end())
    throw FormatError("tensor file: tensor " + quote(name) + ": " + found->second);
  constexpr std::size_t kListed = 50;
  std::string names;
  for (std::size_t k = 0; k < std::min(tensors.size(), kListed); ++k)
    names += (k > 0 ? ", " : "") + quote(tensors[k].first);
  if (tensors.size() > kListed)
    names += " and " + std::to_string(tensors.size() - kListed) + " more";
  throw FormatError("tensor file: there is no tensor " + quote(name) + "; there are: " + names);
}

void save_safetensors(const std::string& path, const TensorFile& file) {
  check_entries(file);
  std::vector<Entry> entries;
  for (const auto& entry : file.tensors) entries.push_back(&entry);
  std::stable_partition(entries.begin(), entries.end(), [](Entry entry) {
    return size_of(entry->second.dtype()) == sizeof(std::uint64_t);
  });
  const std::string header = make_header(entries, file.metadata);

  AtomicFile out(path);
  const std::uint64_t length = header.size();
  out.write(&length, kLengthBytes);
  out.write(header.data(), header.size());
  for (const Entry entry : entries) {
    const Tensor packed = entry->second.contiguous();
    out.write(packed.address(), bytes_of(packed));
  }
  out.commit();
}

void check_writable(const std::string& path) { const AtomicFile file(path); }

TensorFile load_safetensors(const std::string& path) { return Reader(path).read(); }

}  // namespace unroll::nn
