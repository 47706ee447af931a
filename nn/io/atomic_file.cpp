#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace unroll::nn {

namespace {

constexpr const char* kEnding = ".tmp";

int lock(int descriptor, int operation) {
  int result = 0;
  do result = ::flock(descriptor, operation);
  while (result != 0 && errno == EINTR);
  return result;
}

/// Removes a temporary file that no writer holds. A writer that has ended, however it did, has lost
/// its lock; on a file system without locks the file stays.
void remove_if_abandoned(const char* path) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return;
  // Under the lock, for which a writer that has just created the file waits in create(). A file
  // that was finished and renamed meanwhile has left its name to the next writer.
  struct ::stat opened {
  }, named{};
  if (lock(descriptor, LOCK_EX | LOCK_NB) == 0 && ::fstat(descriptor, &opened) == 0 &&
      ::lstat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
    ::unlink(path);
  ::close(descriptor);
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : target_(path) {
  resolve_target();
  remove_abandoned(target_);
  for (int attempt = 0; !create(attempt);) ++attempt;
  try {
    take_over_mode();
  } catch (...) {
    discard();
    throw;
  }
}

/// False when the name is taken. The process id keeps apart programs that save to the same name,
/// the count what one program saves at a time.
bool AtomicFile::create(int attempt) {
  temporary_ = target_;
  temporary_ += '.' + std::to_string(::getpid()) + '-' + std::to_string(attempt) + kEnding;
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    temporary_.clear();
    if (errno != EEXIST && errno != EINTR) fail("cannot create a file beside it");
    return false;
  }
  // Another writer may have locked the file first, taken it for abandoned and removed it.
  struct ::stat status {};
  if (lock(descriptor_, LOCK_EX) == 0 && ::fstat(descriptor_, &status) == 0 &&
      status.st_nlink == 0) {
    ::close(std::exchange(descriptor_, -1));
    temporary_.clear();
    return false;
  }
  return true;
}

void AtomicFile::take_over_mode() const {
  struct ::stat old {};
  if (::stat(target_.c_str(), &old) != 0) return;
  // First the owner, a change of which clears bits of the mode. Only root may give files away.
  if (::fchown(descriptor_, old.st_uid, old.st_gid) != 0 &&
      ::fchown(descriptor_, static_cast<::uid_t>(-1), old.st_gid) != 0)
    old.st_mode &= 0777U;
  if (::fchmod(descriptor_, old.st_mode & 07777U) != 0) fail("cannot give it the old file's mode");
}

/// NAME for `NAME.1234-0.tmp`.
std::string AtomicFile::target_of(const std::string& name) {
  if (!name.ends_with(kEnding)) return {};
  const std::string whole = name.substr(0, name.size() - std::strlen(kEnding));
  const std::size_t dot = whole.rfind('.');
  if (dot == std::string::npos ||
      whole.find_first_not_of("0123456789-", dot + 1) != std::string::npos)
    return {};
  return whole.substr(0, dot);
}

void AtomicFile::remove_abandoned(const std::filesystem::path& target) {
  std::error_code error;
  for (auto file = std::filesystem::directory_iterator(folder_of(target), error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    const std::filesystem::path& path = file->path();
    if (target_of(path.filename().string()) == target.filename()) remove_if_abandoned(path.c_str());
  }
}

AtomicFile::~AtomicFile() { discard(); }

/// The name goes before the lock: without the lock the name may be another writer's.
void AtomicFile::discard() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
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
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot rename the finished file");
  temporary_.clear();
  ::close(std::exchange(descriptor_, -1));  // not earlier: it holds the lock
  const auto folder = folder_of(target_);
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
