#include <nn/data/mapped_file.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace unroll::nn {
namespace {

/// Where files are mapped: a text does not say so itself, and to drop pages that are not those of a
/// file would lose what they hold.
class Mappings {
 public:
  void add(const char* begin, std::size_t size) {
    const std::scoped_lock lock(mutex_);
    sizes_[begin] = size;
  }
  void remove(const char* begin) {
    const std::scoped_lock lock(mutex_);
    sizes_.erase(begin);
  }
  /// The part of the mapped file around this address from `at` on; empty when there is none.
  std::string_view from(const char* at) {
    const std::scoped_lock lock(mutex_);
    auto next = sizes_.upper_bound(at);
    if (next == sizes_.begin()) return {};
    const auto [begin, size] = *--next;
    const auto offset = static_cast<std::size_t>(at - begin);
    return offset < size ? std::string_view(at, size - offset) : std::string_view();
  }

 private:
  std::mutex mutex_;
  std::map<const char*, std::size_t, std::less<>> sizes_;
};

Mappings& mappings() {
  static auto* all = new Mappings;  // never destroyed: a text may be a static object
  return *all;
}

}  // namespace

std::shared_ptr<const char> map_file(int descriptor, std::size_t size) {
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const char* const begin = static_cast<const char*>(mapped);
  mappings().add(begin, size);
  return {begin, [size, mapped](const char* text) {
            mappings().remove(text);
            ::munmap(mapped, size);
          }};
}

void release_pages(std::string_view text) {
  const std::string_view rest = mappings().from(text.data());
  if (rest.empty()) return;
  // The page that the text begins in goes too. That in which it ends stays unless it is the last
  // one: what follows is likely to be read next.
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t before = reinterpret_cast<std::uintptr_t>(text.data()) % page;
  const std::size_t bytes =
      text.size() < rest.size() ? (before + text.size()) / page * page : before + rest.size();
  if (bytes > 0) ::madvise(const_cast<char*>(text.data()) - before, bytes, MADV_DONTNEED);
}

}  // namespace unroll::nn
