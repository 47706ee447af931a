#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::nn {

/// A text: a file that is mapped into memory, of which only what is read takes memory, and that the
/// operating system takes back under pressure; or bytes that are held. Copies share it.
class TextFile {
 public:
  /// Maps the file; `-` reads the standard input to its end. Throws FormatError, naming the file,
  /// when it cannot be read, is not a regular file, is empty, or holds a NUL byte, as no text does.
  /// A file must not shrink while it is mapped.
  explicit TextFile(const std::string& path);
  /// Holds the bytes; `name` stands in messages.
  TextFile(std::string name, std::string bytes);

  const std::string& name() const { return name_; }
  std::string_view bytes() const { return bytes_; }

  /// How the text begins and how its lines end. Nothing is changed: to models, a byte order mark
  /// and carriage returns are symbols like others.
  struct Properties {
    bool byte_order_mark = false;
    std::size_t carriage_returns = 0;  ///< before a line feed, in the first 64 MiB
  };
  Properties properties() const;
  /// A copy, held in memory, without byte order mark and without carriage returns before line
  /// feeds.
  TextFile normalised() const;

 private:
  std::string name_;
  std::shared_ptr<const void> owner_;
  std::string_view bytes_;
};

/// The files that a path of a text means: itself, or the regular files in a folder and in its
/// subfolders, sorted, without hidden ones. Throws FormatError for a folder without files.
std::vector<std::string> text_files(const std::string& path);

}  // namespace unroll::nn
