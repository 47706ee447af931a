#include <autograd/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/atomic_file.hpp>
#include <nn/element_types.hpp>
#include <nn/safetensors.hpp>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <tuple>

namespace unroll::nn {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

constexpr std::uint64_t kLengthBytes = 8;               // the header's length stands before it
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr const char* kMetadata = "__metadata__";

/// A name as it may stand in a message: quoted, short, no control characters.
std::string quote(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  std::string text(name.substr(0, kLongest));
  if (name.size() > kLongest) text += "...";
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

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

/// One tensor as the header describes it, checked.
struct HeaderEntry {
  std::string name;
  const ElementType* stored = nullptr;
  Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

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
    const json header = read_header();
    TensorFile file;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata)
        file.metadata = metadata_of(value);
      else
        entries_.push_back(entry_of(name, value));
    }
    check_layout();
    file.tensors.reserve(entries_.size());
    for (const HeaderEntry& entry : entries_)
      file.tensors.emplace_back(entry.name, tensor_of(entry));
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError("load_safetensors: " + quote(path_.string()) + ": " + what);
  }
  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    fail("tensor " + quote(name) + ": " + what);
  }

  void read_bytes(void* target, std::uint64_t bytes) {
    stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(bytes));
    if (!stream_) fail("reading failed, perhaps another program is changing the file");
  }

  json read_header() {
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
    data_bytes_ = size_ - kLengthBytes - length;
    if (!text.starts_with('{')) fail("not a safetensors file: its header must start with {");
    return parse(text);
  }

  /// Refuses, while it parses, what the parser would let pass: a key that comes twice, and deep
  /// nesting.
  json parse(const std::string& text) const {
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& value) {
      constexpr int kDepthOfShape = 2;
      switch (event) {
        case json::parse_event_t::object_start:
          keys.emplace_back();
          [[fallthrough]];
        case json::parse_event_t::array_start:
          if (depth > kDepthOfShape) fail("the header is nested too deeply");
          break;
        case json::parse_event_t::object_end:
          keys.pop_back();
          break;
        case json::parse_event_t::key:
          if (!keys.back().insert(value.get<std::string>()).second)
            fail("the header has " + quote(value.get<std::string>()) + " twice");
          break;
        default:
          break;
      }
      return true;
    };
    try {
      return json::parse(text, check);
    } catch (const json::exception& error) {
      fail("the header is not valid JSON: " + std::string(error.what()).substr(0, 200));
    }
  }

  std::map<std::string, std::string> metadata_of(const json& value) const {
    if (!value.is_object()) fail("__metadata__ must be an object of strings");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string())
        fail("__metadata__ " + quote(key) + ": expected a string, got " + text.type_name());
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  HeaderEntry entry_of(const std::string& name, const json& value) const {
    if (!value.is_object()) fail(name, std::string("expected an object, got ") + value.type_name());
    HeaderEntry entry{
        .name = name, .stored = stored_of(name, value), .shape = shape_of(name, value)};
    const std::vector<std::uint64_t> offsets = sizes_of(name, value, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes_)
      fail(name, "data_offsets " + value["data_offsets"].dump().substr(0, 80) +
                     ": expected [begin,end] within the " + std::to_string(data_bytes_) +
                     " bytes of data");
    entry.begin = offsets[0];
    entry.end = offsets[1];
    const std::optional<std::uint64_t> bytes = checked_bytes(entry);
    if (!bytes || *bytes != entry.end - entry.begin)
      fail(name, "got " + std::to_string(entry.end - entry.begin) + " bytes, expected " +
                     (bytes ? std::to_string(*bytes) : "more than can be addressed") + " for " +
                     entry.stored->name + " " + to_string(entry.shape));
    return entry;
  }

  const ElementType* stored_of(const std::string& name, const json& value) const {
    const auto dtype = value.find("dtype");
    if (dtype == value.end() || !dtype->is_string()) fail(name, "expected a string dtype");
    const auto& text = dtype->get_ref<const std::string&>();
    const auto known_types = element_types();
    const auto stored = std::find_if(known_types.begin(), known_types.end(),
                                     [&](const ElementType& known) { return text == known.name; });
    if (stored == known_types.end()) {
      std::string known;
      for (const ElementType& one : known_types)
        known += std::string(known.empty() ? "" : ", ") + one.name;
      fail(name, "dtype " + quote(text) + " cannot be read, expected one of " + known);
    }
    return &*stored;
  }

  Shape shape_of(const std::string& name, const json& value) const {
    const std::vector<std::uint64_t> sizes = sizes_of(name, value, "shape");
    if (sizes.size() > static_cast<std::size_t>(kMaxRank))
      fail(name, "rank " + std::to_string(sizes.size()) + ", expected at most " +
                     std::to_string(kMaxRank));
    Shape shape;
    for (const std::uint64_t size : sizes) shape.push_back(static_cast<Index>(size));
    return shape;
  }

  /// A list of numbers that are not negative and fit in an Index.
  std::vector<std::uint64_t> sizes_of(const std::string& name, const json& value,
                                      const char* key) const {
    const auto list = value.find(key);
    if (list == value.end() || !list->is_array()) fail(name, std::string("expected a list ") + key);
    std::vector<std::uint64_t> sizes;
    for (const json& size : *list) {
      constexpr std::uint64_t kLargest = std::numeric_limits<Index>::max();
      if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kLargest)
        fail(name, std::string(key) + ": expected whole numbers from 0 to 2^63-1, got " +
                       size.dump().substr(0, 80));
      sizes.push_back(size.get<std::uint64_t>());
    }
    return sizes;
  }

  /// Bytes that a tensor of this shape takes in the file; none if it or its strides cannot be
  /// addressed.
  static std::optional<std::uint64_t> checked_bytes(const HeaderEntry& entry) {
    Index bytes = size_of(entry.stored->dtype);  // in memory, where a converted element is larger
    bool empty = false;
    for (const Index size : entry.shape) {
      empty = empty || size == 0;
      if (size != 0 && __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
    }
    if (empty) return 0;
    return static_cast<std::uint64_t>(bytes) / size_of(entry.stored->dtype) * entry.stored->bytes;
  }

  /// The tensors must cover the data exactly: no overlap, no hole, nothing left over.
  void check_layout() {
    std::sort(entries_.begin(), entries_.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t end = 0;
    for (const HeaderEntry& entry : entries_) {
      if (entry.begin != end)
        fail(entry.name, "its data begins at byte " + std::to_string(entry.begin) + ", expected " +
                             std::to_string(end) + (entry.begin < end ? " (overlap)" : " (hole)"));
      end = entry.end;
    }
    if (end != data_bytes_)
      fail("expected " + std::to_string(end) + " bytes of data, got " +
           std::to_string(data_bytes_));
  }

  /// Reads on where the entry before has ended: check_layout() has put them in order.
  Tensor tensor_of(const HeaderEntry& entry) {
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
  std::uint64_t data_bytes_ = 0;
  std::vector<HeaderEntry> entries_;
};

}  // namespace

const Tensor* TensorFile::find(std::string_view name) const {
  for (const auto& [own, tensor] : tensors)
    if (own == name) return &tensor;
  return nullptr;
}

const Tensor& TensorFile::at(std::string_view name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  std::string names;
  for (const auto& [own, tensor] : tensors) names += (names.empty() ? "" : ", ") + quote(own);
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
