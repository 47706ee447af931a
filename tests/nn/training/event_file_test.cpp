// Event files are what TensorBoard reads: the frames by hand, the messages by protoc.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/crc32c.hpp>
#include <nn/training/event_file.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/folder.hpp"

namespace unroll::testing {
namespace {

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T number{};
  REQUIRE(at + sizeof number <= bytes.size());
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

/// The CRC bit by bit, and its mask undone as TensorFlow's reader does.
std::uint32_t crc_by_definition(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
  }
  return ~crc;
}
std::uint32_t unmask(std::uint32_t masked) {
  const std::uint32_t rotated = masked - 0xA282EAD8;
  return (rotated >> 17) | (rotated << 15);
}

/// The messages of a file, whose frames are checked.
std::vector<std::string> messages_of(const std::string& path) {
  const std::string bytes = read(path);
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = number_at<std::uint64_t>(bytes, at);
    CHECK(unmask(number_at<std::uint32_t>(bytes, at + 8)) ==
          crc_by_definition(bytes.substr(at, 8)));
    messages.push_back(bytes.substr(at + 12, length));
    CHECK(unmask(number_at<std::uint32_t>(bytes, at + 12 + length)) ==
          crc_by_definition(messages.back()));
    at += 16 + length;
  }
  return messages;
}

/// What protoc reads, without knowing the message's type.
std::string decode(const Folder& folder, const std::string& message) {
  write(folder / "message", message);
  const std::string command =
      "protoc --decode_raw < " + (folder / "message") + " > " + (folder / "text");
  REQUIRE(std::system(command.c_str()) == 0);
  return read(folder / "text");
}

}  // namespace

TEST_CASE("CRC-32C has its published check values") {
  CHECK(nn::crc32c("123456789") == 0xE3069283);
  CHECK(nn::crc32c("") == 0);
  CHECK(nn::crc32c(std::string(32, '\0')) == 0x8A9136AA);  // RFC 3720, appendix B.4
  CHECK(nn::crc32c(std::string(32, '\xff')) == 0x62A8AB43);
}

TEST_CASE("protoc reads the version, the scalars and the restart") {
  if (std::system("protoc --version > /dev/null 2>&1") != 0) {
    MESSAGE("skipped: protoc is not installed (Debian's package protobuf-compiler)");
    return;
  }
  const Folder folder;
  nn::EventFile events(folder / "run", {.resume_after = 299});
  events.write(300, "loss/train", 1.25);
  events.write(std::int64_t{1} << 40, std::string(200, '/'), -0.5);
  events.write(0, "a", 0.0);
  events.write(-1, "b", HUGE_VAL);
  events.sync();
  const std::vector<std::string> messages = messages_of(events.path());
  REQUIRE(messages.size() == 6);
  // The wall time, different in each, is field 1: a double of some second after 2020.
  std::vector<std::string> texts;
  for (const std::string& message : messages) {
    CHECK(message[0] == 0x09);
    CHECK(number_at<double>(message, 1) > 1.5e9);
    texts.push_back(decode(folder, message.substr(9)));
  }
  CHECK(texts[0] == "3: \"brain.Event:2\"\n");
  CHECK(texts[1] == "2: 300\n7 {\n  1: 1\n}\n");
  CHECK(texts[2] == "2: 300\n5 {\n  1 {\n    1: \"loss/train\"\n    2: 0x3fa00000\n  }\n}\n");
  CHECK(texts[3] == "2: 1099511627776\n5 {\n  1 {\n    1: \"" + std::string(200, '/') +
                        "\"\n    2: 0xbf000000\n  }\n}\n");
  CHECK(texts[4] == "2: 0\n5 {\n  1 {\n    1: \"a\"\n    2: 0x00000000\n  }\n}\n");
  CHECK(texts[5] ==
        "2: 18446744073709551615\n5 {\n  1 {\n    1: \"b\"\n    2: 0x7f800000\n  }\n}\n");
  CHECK(decode(folder, messages[4]).starts_with("1: 0x41d"));  // a time between 2004 and 2038
}

TEST_CASE("every event file of a folder has a name of its own that TensorBoard finds") {
  const Folder folder;
  const nn::EventFile first(folder / "runs/a");
  const nn::EventFile second(folder / "runs/a");
  CHECK(first.path() != second.path());
  CHECK(fs::path(first.path()).filename().string().starts_with("events.out.tfevents."));
}

TEST_CASE("an event file that cannot be made, and an empty tag, are errors") {
  const Folder folder;
  write(folder / "file", "");
  expect_error<Error>([&] { nn::EventFile events(folder / "file"); }, {"file\" cannot be made"});
  nn::EventFile events(folder / "run");
  CHECK_THROWS_AS(events.write(1, "", 0.5), ArgumentError);
}

}  // namespace unroll::testing
