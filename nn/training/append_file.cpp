#include <fcntl.h>
#include <unistd.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/append_file.hpp>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace unroll::nn {

AppendFile::AppendFile(const std::string& path, Open how) : path_(path) {
  const int flags = O_WRONLY | O_CLOEXEC | (how == Open::create ? O_CREAT | O_EXCL : 0);
  descriptor_ = ::open(path_.c_str(), flags, 0666);
  if (descriptor_ < 0)
    fail(how == Open::create ? "cannot create the file" : "cannot open the file");
  size_ = ::lseek(descriptor_, 0, SEEK_END);
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view record) {
  std::string_view left = record;
  while (!left.empty()) {
    const ::ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const int number = errno;
      // Otherwise the next record would continue half a line.
      const bool undone = ::ftruncate(descriptor_, size_) == 0;
      ::lseek(descriptor_, 0, SEEK_END);
      errno = number;
      fail(undone ? "cannot write" : "cannot write, and its end is damaged");
    }
  }
  size_ += static_cast<std::int64_t>(record.size());
}

void AppendFile::sync() {
  int result = 0;
  do result = ::fsync(descriptor_);
  while (result != 0 && errno == EINTR);
  if (result != 0) fail("cannot write");
}

void AppendFile::fail(const char* what) const {
  const int number = errno;
  throw Error("append: \"" + path_ + "\": " + what + ": " +
              std::generic_category().message(number));
}

}  // namespace unroll::nn
