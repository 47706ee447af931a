#include <autograd/error.hpp>
#include <nn/atomic_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace unroll::nn {

AtomicFile::AtomicFile(const std::filesystem::path& path) : target_(path) {
  resolve_target();
  // The process id keeps programs apart that save to the same name; the count, what a killed one
  // has left.
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = target_;
    temporary_ += '.' + std::to_string(::getpid()) + '-' + std::to_string(attempt) + ".tmp";
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST && errno != EINTR)
      fail("cannot create a file beside it");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const auto* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ::ssize_t written = ::write(descriptor_, next, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write");
    next += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  // Before the rename: otherwise a loss of power may leave the new name on an empty file.
  if (::fsync(descriptor_) != 0) fail("cannot write");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot close");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot rename the finished file");
  temporary_.clear();
  const auto folder =
      target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  ::fsync(directory);  // makes the new name last; the file is whole either way
  ::close(directory);
}

void AtomicFile::resolve_target() {
  if (!target_.has_filename())
    throw Error("save: \"" + target_.string() + "\": expected the name of a file");
  std::error_code error;
  if (std::filesystem::is_symlink(target_, error)) {
    const auto file = std::filesystem::canonical(target_, error);
    if (!error) target_ = file;
  }
  const auto status = std::filesystem::status(target_, error);
  if (!std::filesystem::exists(status)) return;
  if (!std::filesystem::is_regular_file(status))
    throw Error("save: \"" + target_.string() + "\" exists and is not a regular file");
  if (::access(target_.c_str(), W_OK) != 0) fail("cannot be overwritten");
}

void AtomicFile::fail(const char* what) const {
  const int number = errno;
  throw Error("save: \"" + target_.string() + "\": " + what + ": " +
              std::generic_category().message(number));
}

}  // namespace unroll::nn
