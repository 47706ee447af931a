#include <autograd/tensor/error.hpp>
#include <nn/data/mapped_file.hpp>
#include <nn/data/text_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace unroll::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "\xEF\xBB\xBF";

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw FormatError("text: \"" + name + "\" " + what);
}

[[noreturn]] void fail_to_read(const std::string& name) {
  fail(name, std::string("cannot be read: ") + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (number_ < 0) fail_to_read(path);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(number_); }

  int number() const { return number_; }

 private:
  int number_;
};

std::string read_standard_input() {
  std::string bytes;
  std::array<char, 65536> block{};
  for (;;) {
    const ::ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read("-");
    if (count == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
}

/// A binary file is found out at its beginning, without a look at all of a large one.
void check_text(const std::string& name, std::string_view bytes) {
  constexpr std::size_t kLooked = 1U << 20U;
  if (bytes.empty()) fail(name, "is empty");
  const std::size_t at = bytes.substr(0, kLooked).find('\0');
  if (at != std::string_view::npos)
    fail(name, "is binary: there is a NUL byte at offset " + std::to_string(at));
}

}  // namespace

TextFile::TextFile(std::string name, std::string bytes) : name_(std::move(name)) {
  const auto held = std::make_shared<const std::string>(std::move(bytes));
  bytes_ = *held;
  owner_ = held;
  check_text(name_, bytes_);
}

TextFile::TextFile(const std::string& path) : name_(path) {
  if (path == "-") {
    *this = TextFile("standard input", read_standard_input());
    return;
  }
  const Descriptor file(path);
  struct ::stat status {};
  if (::fstat(file.number(), &status) != 0) fail_to_read(path);
  if (S_ISDIR(status.st_mode)) fail(path, "is a folder, expected a file");
  if (!S_ISREG(status.st_mode)) fail(path, "is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) fail(path, "is empty");
  const std::shared_ptr<const char> mapped = map_file(file.number(), size);
  if (!mapped) fail_to_read(path);
  bytes_ = {mapped.get(), size};
  owner_ = mapped;
  check_text(name_, bytes_);
}

TextFile::Properties TextFile::properties() const {
  constexpr std::size_t kLooked = 64U << 20U;
  Properties found{.byte_order_mark = bytes_.starts_with(kMark)};
  const std::string_view begin = bytes_.substr(0, kLooked);
  for (std::size_t at = begin.find("\r\n"); at != std::string_view::npos;
       at = begin.find("\r\n", at + 2))
    ++found.carriage_returns;
  release_pages(begin);
  return found;
}

TextFile TextFile::normalised() const {
  std::string_view rest = bytes_;
  if (rest.starts_with(kMark)) rest.remove_prefix(kMark.size());
  std::string kept;
  kept.reserve(rest.size());
  for (std::size_t k = 0; k < rest.size(); ++k)
    if (rest[k] != '\r' || k + 1 == rest.size() || rest[k + 1] != '\n') kept.push_back(rest[k]);
  return {name_, std::move(kept)};
}

std::vector<std::string> text_files(const std::string& path) {
  std::error_code error;
  if (path == "-" || !fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  fs::recursive_directory_iterator entry(path, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) {
      if (entry->is_directory(error)) entry.disable_recursion_pending();
    } else if (entry->is_regular_file(error) && entry->file_size(error) > 0) {
      files.push_back(entry->path().string());
    }
  }
  if (error) fail(path, "cannot be read: " + error.message());
  if (files.empty()) fail(path, "is a folder without files");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace unroll::nn
