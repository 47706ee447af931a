#include "sample_text.hpp"

#include <autograd/tensor/error.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace lm {
namespace {

/// A file in memory.
class MemoryFile {
 public:
  MemoryFile() : file_(::open_memstream(&bytes_, &size_)) {
    if (!file_) throw unroll::Error("sample: there is no memory for the text");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() {
    std::fclose(file_);
    std::free(bytes_);
  }

  std::FILE* file() const { return file_; }
  std::string text() const {
    std::fflush(file_);
    return {bytes_, size_};
  }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

}  // namespace

std::string sample_text(const Model& model, const SampleOptions& options) {
  const MemoryFile memory;
  sample(model, options, memory.file());
  return memory.text();
}

}  // namespace lm
