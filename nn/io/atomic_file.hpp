#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace unroll::nn {

/// A file that is written under another name and gets its own only in commit(), once it is complete
/// and on the disk. Without commit() no trace of it stays, and an older file of that name is as it
/// was. A link is followed, so that it survives. Every call throws Error naming the file and saying
/// why it cannot be written.
class AtomicFile {
 public:
  /// Throws for a path that names no file, or names something that is not a regular file.
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* data, std::size_t bytes);
  void commit();

  /// The file that a temporary file of this name would have become; empty for any other name.
  static std::string target_of(const std::string& name);
  /// Removes what killed writers of this file have left. The constructor does so first.
  static void remove_abandoned(const std::filesystem::path& target);

 private:
  void resolve_target();
  bool create(int attempt);
  void take_over_mode() const;
  void discard();
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace unroll::nn
