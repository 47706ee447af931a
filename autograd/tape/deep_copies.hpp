#pragma once

#include <memory>
#include <unordered_map>

namespace unroll::detail {

/// While it lives, copies of handles on this thread (parameters, and what else asks it) are
/// independent of the originals instead of sharing with them. What several handles share, their
/// copies share too. The originals must outlive it.
class DeepCopies {
 public:
  DeepCopies() : outer_(active_) { active_ = this; }
  ~DeepCopies() { active_ = outer_; }
  DeepCopies(const DeepCopies&) = delete;
  DeepCopies& operator=(const DeepCopies&) = delete;

  static DeepCopies* active() { return active_; }

  /// The one copy of `original`, which `make()` makes when there is none yet; null of null.
  template <class T, class Make>
  std::shared_ptr<T> of(const std::shared_ptr<T>& original, Make make) {
    if (!original) return nullptr;
    if (const auto found = copies_.find(original.get()); found != copies_.end())
      return std::static_pointer_cast<T>(found->second);
    std::shared_ptr<T> copy = make();
    copies_.emplace(original.get(), std::const_pointer_cast<std::remove_const_t<T>>(copy));
    return copy;
  }
  template <class T>
  std::shared_ptr<T> of(const std::shared_ptr<T>& original) {
    return of(original, [&] { return std::make_shared<T>(*original); });
  }

 private:
  inline static thread_local constinit DeepCopies* active_ = nullptr;

  std::unordered_map<const void*, std::shared_ptr<void>> copies_;
  DeepCopies* outer_;
};

}  // namespace unroll::detail
