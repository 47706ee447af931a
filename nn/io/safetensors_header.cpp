#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/io/safetensors_header.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

namespace unroll::nn::safetensors {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestQuote = 80;

/// A list of numbers that are not negative and fit in an Index.
struct Sizes {
  bool given = false;
  std::size_t count = 0;
  std::array<std::uint64_t, kMaxRank> first{};  // those beyond are only counted

  void push_back(std::uint64_t size) {
    if (count < first.size()) first[count] = size;
    ++count;
  }
};

std::string to_string(const Sizes& sizes) {
  std::string text = "[";
  for (std::size_t k = 0; k < std::min(sizes.count, sizes.first.size()); ++k) {
    if (k > 0) text += ',';
    text += std::to_string(sizes.first[k]);
  }
  return text + (sizes.count > sizes.first.size() ? ",...]" : "]");
}

/// Bytes that a tensor takes in the file; none if it or its strides cannot be addressed.
std::optional<std::uint64_t> checked_bytes(const ElementType& stored, const Shape& shape) {
  Index bytes = size_of(stored.dtype);  // in memory, where a converted element is larger
  bool empty = false;
  for (const Index size : shape) {
    empty = empty || size == 0;
    if (size != 0 && __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  if (empty) return 0;
  return static_cast<std::uint64_t>(bytes) / size_of(stored.dtype) * stored.bytes;
}

/// Takes the header as the JSON parser comes upon it: {name: {dtype, shape, data_offsets}, ...}.
class HeaderParser : public json::json_sax_t {
 public:
  HeaderParser(const std::string& where, std::uint64_t data_bytes)
      : where_(where), data_bytes_(data_bytes) {}

  Header finish() {
    std::vector<Entry>& entries = header_.entries;
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(entries.begin(), entries.end(),
                           [](const Entry& a, const Entry& b) { return a.name == b.name; });
    if (twice != entries.end()) fail_twice(twice->name);
    check_cover();
    return std::move(header_);
  }

  bool null() override { return value("null", "null"); }
  bool boolean(bool given) override { return value("boolean", given ? "true" : "false"); }
  bool number_integer(number_integer_t given) override {
    return value("number", std::to_string(given));
  }
  bool number_unsigned(number_unsigned_t given) override {
    constexpr std::uint64_t kLargest = std::numeric_limits<Index>::max();
    if (list_ && given <= kLargest) {
      list_->push_back(given);
      return true;
    }
    return value("number", std::to_string(given));
  }
  bool number_float(number_float_t /*given*/, const std::string& text) override {
    return value("number", text);
  }
  bool string(std::string& given) override {
    if (depth_ == kFields && place_ == Place::metadata) {
      if (!header_.metadata.emplace(field_, std::move(given)).second) fail_twice(field_);
      return true;
    }
    if (depth_ == kFields && place_ == Place::tensor && field_ == "dtype") {
      dtype_ = std::move(given);
      has_dtype_ = true;
      return true;
    }
    return value("string", list_ ? quote(given) : std::string());
  }
  bool binary(binary_t& /*given*/) override { return value("binary", ""); }

  bool start_object(std::size_t /*count*/) override {
    if (depth_ == kNames) {
      const bool is_metadata = name_ == kMetadata;
      if (is_metadata && std::exchange(has_metadata_, true)) fail_twice(name_);
      place_ = is_metadata ? Place::metadata : Place::tensor;
      shape_ = offsets_ = {};
      has_dtype_ = false;
    } else if (depth_ > kNames) {
      value("object", "{...}");
    }
    return descend();
  }
  bool start_array(std::size_t /*count*/) override {
    if (depth_ <= kNames) value("array", "[...]");
    if (depth_ == kFields && place_ == Place::metadata) value("array", "[...]");
    if (depth_ == kFields && field_ == "shape") list_ = &shape_;
    if (depth_ == kFields && field_ == "data_offsets") list_ = &offsets_;
    if (depth_ == kFields && list_) {
      if (list_->given) fail_twice(field_);
      list_->given = true;
    }
    return descend();
  }
  bool end_array() override {
    list_ = nullptr;
    --depth_;
    return true;
  }
  bool end_object() override {
    if (--depth_ == kNames && place_ == Place::tensor) add_entry();
    return true;
  }
  bool key(std::string& given) override {
    if (depth_ == kNames) {
      name_ = std::move(given);
    } else if (depth_ == kFields) {
      field_ = std::move(given);
      if (place_ == Place::tensor && field_ == "dtype" && has_dtype_) fail_twice(field_);
    }
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const json::exception& error) override {
    fail("the header is not valid JSON: " + std::string(error.what()).substr(0, 200));
  }

 private:
  enum class Place { tensor, metadata };
  static constexpr int kNames = 1, kFields = 2, kDeepest = 3;  // how many brackets are open

  [[noreturn]] void fail(const std::string& what) const { throw FormatError(where_ + what); }
  [[noreturn]] void fail_tensor(const std::string& what) const {
    fail("tensor " + quote(name_) + ": " + what);
  }
  [[noreturn]] void fail_twice(const std::string& key) const {
    fail("the header has " + quote(key) + " twice");
  }

  bool descend() {
    if (depth_ >= kDeepest) fail("the header is nested too deeply");
    ++depth_;
    return true;
  }

  /// A value where none of its type is expected; fields that the format does not know may hold any.
  bool value(const char* type, const std::string& text) {
    if (depth_ == kNames && name_ == kMetadata) fail("__metadata__ must be an object of strings");
    if (depth_ == kNames) fail_tensor(std::string("expected an object, got ") + type);
    if (depth_ == kFields && place_ == Place::metadata)
      fail("__metadata__ " + quote(field_) + ": expected a string, got " + type);
    if (list_)
      fail_tensor(field_ + ": expected whole numbers from 0 to 2^63-1, got " +
                  text.substr(0, kLongestQuote));
    return true;
  }

  void add_entry() {
    if (!has_dtype_) fail_tensor("expected a string dtype");
    if (!shape_.given) fail_tensor("expected a list shape");
    if (!offsets_.given) fail_tensor("expected a list data_offsets");
    const auto [begin, end] = std::pair(offsets_.first[0], offsets_.first[1]);
    if (offsets_.count != 2 || begin > end || end > data_bytes_)
      fail_tensor("data_offsets " + to_string(offsets_) + ": expected [begin,end] within the " +
                  std::to_string(data_bytes_) + " bytes of data");
    Entry entry{.name = name_, .stored = {}, .unread = {}, .shape = {}, .begin = begin, .end = end};
    const auto types = element_types();
    const auto stored = std::find_if(types.begin(), types.end(),
                                     [&](const ElementType& type) { return dtype_ == type.name; });
    if (stored == types.end()) {
      entry.unread = "dtype " + quote(dtype_) + " cannot be read, expected one of ";
      for (const ElementType& type : types)
        entry.unread += std::string(&type == types.data() ? "" : ", ") + type.name;
    } else if (shape_.count > shape_.first.size()) {
      entry.unread = "rank " + std::to_string(shape_.count) + " cannot be read, expected at most " +
                     std::to_string(kMaxRank);
    } else {
      entry.stored = &*stored;
      for (std::size_t k = 0; k < shape_.count; ++k)
        entry.shape.push_back(static_cast<Index>(shape_.first[k]));
      check_bytes(entry);
    }
    header_.entries.push_back(std::move(entry));
  }

  void check_bytes(const Entry& entry) const {
    const std::optional<std::uint64_t> bytes = checked_bytes(*entry.stored, entry.shape);
    if (!bytes || *bytes != entry.end - entry.begin)
      fail_tensor("got " + std::to_string(entry.end - entry.begin) + " bytes, expected " +
                  (bytes ? std::to_string(*bytes) : "more than can be addressed") + " for " +
                  entry.stored->name + " " + unroll::to_string(entry.shape));
  }

  /// The tensors must cover the data exactly: no overlap, no hole, nothing left over.
  void check_cover() {
    std::vector<Entry>& entries = header_.entries;
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != end)
        fail("tensor " + quote(entry.name) + ": its data begins at byte " +
             std::to_string(entry.begin) + ", expected " + std::to_string(end) +
             (entry.begin < end ? " (overlap)" : " (hole)"));
      end = entry.end;
    }
    if (end != data_bytes_)
      fail("expected " + std::to_string(end) + " bytes of data, got " +
           std::to_string(data_bytes_));
  }

  const std::string& where_;
  std::uint64_t data_bytes_;
  Header header_;
  int depth_ = 0;
  Place place_ = Place::tensor;
  std::string name_, field_, dtype_;
  bool has_dtype_ = false, has_metadata_ = false;
  Sizes shape_, offsets_;
  Sizes* list_ = nullptr;  // that the numbers now being read belong to
};

}  // namespace

std::string quote(std::string_view name) {
  std::string text(name.substr(0, kLongestQuote));
  if (name.size() > kLongestQuote) text += "...";
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

Header parse_header(const std::string& text, const std::string& where, std::uint64_t data_bytes) {
  HeaderParser parser(where, data_bytes);
  json::sax_parse(text, &parser);
  return parser.finish();
}

}  // namespace unroll::nn::safetensors
