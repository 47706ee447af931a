#pragma once

#include <condition_variable>
#include <cstddef>
#include <limits>
#include <mutex>
#include <optional>
#include <queue>
#include <utility>

namespace unroll::testing {

/// Hands values from one thread to another. Empty ones end what is sent, as the two agree.
template <class T>
class Channel {
 public:
  /// A sender waits while this many values wait to be received.
  explicit Channel(std::size_t capacity = std::numeric_limits<std::size_t>::max())
      : capacity_(capacity) {}

  void send(std::optional<T> value) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return values_.size() < capacity_; });
    values_.push(std::move(value));
    changed_.notify_all();
  }
  std::optional<T> receive() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !values_.empty(); });
    std::optional<T> value = std::move(values_.front());
    values_.pop();
    changed_.notify_all();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::optional<T>> values_;
  std::size_t capacity_;
};

}  // namespace unroll::testing
