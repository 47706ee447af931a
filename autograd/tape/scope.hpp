#pragma once

#include <autograd/tape/access.hpp>

#include <optional>
#include <string_view>

namespace unroll {

/// Says which part of a program runs while it lives, to the tools that look inside: Graph, Profile
/// and FiniteCheck. Scopes nest, and their names joined by dots are the path of a module. When no
/// tool looks it costs a test for null.
///
///     const Scope scope("encoder");
///     for (Index t = 0; t < steps; ++t) {
///       const Scope step = Scope::time_step(t);
///       ...
///     }
class Scope {
 public:
  /// A module; an empty name adds nothing to the path.
  explicit Scope(std::string_view module) : Scope(module, std::nullopt) {}
  static Scope time_step(Index t) { return Scope({}, t); }
  ~Scope() {
    if (observer_) [[unlikely]]
      observer_->left();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Scope(std::string_view module, std::optional<Index> time_step)
      : observer_(extension::TapeAccess::thread_observer()) {
    if (observer_) [[unlikely]]
      observer_->entered(module, time_step);
  }

  extension::TapeObserver* observer_;
};

}  // namespace unroll
