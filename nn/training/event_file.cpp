#include <unistd.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/folder.hpp>
#include <nn/training/crc32c.hpp>
#include <nn/training/event_file.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace unroll::nn {
namespace {

/// A protocol buffer message, written field by field.
/// https://protobuf.dev/programming-guides/encoding
class Message {
 public:
  void add_integer(std::uint32_t field, std::int64_t value) {
    add_key(field, 0);
    add_varint(static_cast<std::uint64_t>(value));
  }
  void add_double(std::uint32_t field, double value) {
    add_key(field, 1);
    add_fixed(bytes_, std::bit_cast<std::uint64_t>(value));
  }
  void add_text(std::uint32_t field, std::string_view text) {
    add_key(field, 2);
    add_varint(text.size());
    bytes_ += text;
  }
  void add_float(std::uint32_t field, float value) {
    add_key(field, 5);
    add_fixed(bytes_, std::bit_cast<std::uint32_t>(value));
  }
  const std::string& bytes() const { return bytes_; }

  /// Little-endian.
  template <class T>
  static void add_fixed(std::string& bytes, T value) {
    for (std::size_t k = 0; k < sizeof value; ++k)
      bytes += static_cast<char>((value >> (8 * k)) & 0xFFU);
  }

 private:
  void add_key(std::uint32_t field, std::uint32_t type) { add_varint(field << 3U | type); }
  void add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Field numbers of tensorflow.Event, Summary, Summary.Value and SessionLog.
enum Field : std::uint32_t {
  kWallTime = 1,
  kStep = 2,
  kFileVersion = 3,
  kSummary = 5,
  kSessionLog = 7,
  kSummaryValue = 1,
  kTag = 1,
  kSimpleValue = 2,
  kStatus = 1,
};
constexpr std::int64_t kStart = 1;  // SessionLog.START: later steps of earlier files are void

Message event() {
  Message message;
  message.add_double(kWallTime, seconds_since_1970());
  return message;
}

/// A CRC that is itself data is masked, so that the CRC of a file of records is no constant.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

/// A TFRecord: length, its CRC, the message, its CRC.
std::string framed(const Message& message) {
  std::string record;
  Message::add_fixed(record, std::uint64_t{message.bytes().size()});
  Message::add_fixed(record, masked_crc(record));
  record += message.bytes();
  Message::add_fixed(record, masked_crc(message.bytes()));
  return record;
}

/// `events.out.tfevents.SECONDS.HOST.PROCESS.COUNT`, a name that is free.
std::string free_path(const std::filesystem::path& folder) {
  make_folder(folder.string(), "event file");
  std::error_code error;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.fill(0);
  const std::string begin = "events.out.tfevents." +
                            std::to_string(static_cast<std::int64_t>(seconds_since_1970())) + '.' +
                            host.data() + '.' + std::to_string(::getpid()) + '.';
  int count = 0;
  while (std::filesystem::exists(folder / (begin + std::to_string(count)), error)) ++count;
  return folder / (begin + std::to_string(count));
}

}  // namespace

EventFile::EventFile(const std::string& folder, const EventFileOptions& options)
    : file_(free_path(folder), AppendFile::Open::create) {
  Message version = event();
  version.add_text(kFileVersion, "brain.Event:2");
  file_.append(framed(version));
  if (!options.resume_after) return;
  Message status;
  status.add_integer(kStatus, kStart);
  Message start = event();
  start.add_integer(kStep, *options.resume_after + 1);
  start.add_text(kSessionLog, status.bytes());
  file_.append(framed(start));
}

void EventFile::write(std::int64_t step, const std::string& tag, double value) {
  if (tag.empty()) throw ArgumentError("event file: the tag is empty");
  Message summary_value;
  summary_value.add_text(kTag, tag);
  summary_value.add_float(kSimpleValue, static_cast<float>(value));
  Message summary;
  summary.add_text(kSummaryValue, summary_value.bytes());
  Message message = event();
  message.add_integer(kStep, step);
  message.add_text(kSummary, summary.bytes());
  file_.append(framed(message));
}

}  // namespace unroll::nn
