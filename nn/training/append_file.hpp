#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unroll::nn {

/// A file that grows by whole records. Each goes to the operating system at once, in one write, so
/// a killed process loses none; what a loss of power takes is limited by sync(). Every call throws
/// Error naming the file and the reason.
class AppendFile {
 public:
  /// How the constructor opens the file.
  enum class Open { create, existing };  ///< create fails if the file exists

  AppendFile(const std::string& path, Open how);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  /// Appends all of the record or, if that fails, nothing of it.
  void append(std::string_view record);
  /// Returns when everything is on the disk.
  void sync();
  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }  ///< in bytes

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace unroll::nn
