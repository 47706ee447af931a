#pragma once

#include <autograd/inspect/inspector.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

/// What one operation cost in one module, or all its uses, or all operations of a module.
struct ProfileRow {
  std::string module;     ///< path of the scopes; empty outside all
  std::string operation;  ///< "gradients of leaves" for what sums those up after the backward pass
  std::uint64_t count = 0;  ///< times recorded
  double forward_seconds =
      0.0;  ///< from the end of the operation before, or a scope's begin or end
  double backward_seconds = 0.0;
  std::uint64_t bytes = 0;        ///< of the outputs, and of the gradients of leaves
  std::uint64_t blocks = 0;       ///< of memory asked for, forward and backward
  std::uint64_t allocations = 0;  ///< of them, those that had to come from the system
  double seconds() const { return forward_seconds + backward_seconds; }
};

/// Where time and memory go, by operation and by module, while it lives: of what the tapes of this
/// thread record and differentiate. Time between two operations counts to the second one, so the
/// rows add up to the whole. Nothing is seen without a tape.
///
///     const Profile profile;
///     train_one_epoch();
///     std::cout << profile.to_string();
class Profile : private extension::Inspector {
 public:
  Profile();

  /// One row for each operation in each module, those that took longest first. A module's row does
  /// not count the modules in it: these have rows of their own.
  std::vector<ProfileRow> rows() const;
  /// The same summed over modules, with an empty path, or over operations, with an empty name.
  std::vector<ProfileRow> by_operation() const;
  std::vector<ProfileRow> by_module() const;
  ProfileRow total() const;

  /// Both sums as tables.
  std::string to_string() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Names = std::pair<std::string, std::string>;  // module and operation

  void recorded(const Tape& tape, const extension::SeenOperation& operation,
                std::span<const Variable> outputs) override;
  void vjp_begins(const Tape& tape, const extension::SeenTape& seen,
                  const extension::SeenOperation& operation,
                  std::span<const Variable> gradients) override;
  void vjp_ended(const extension::SeenOperation& operation) noexcept override;
  void gathered(const Tape& tape, const extension::SeenTape& seen, std::uint32_t slot,
                const Variable& gradient) override;
  void moved() noexcept override { start(); }

  ProfileRow& row(const std::string& module, const std::string& operation);
  void start();
  /// Adds the memory since the start and returns the time.
  double stop(ProfileRow& row);
  std::vector<ProfileRow> summed(Names (*key)(const Names&)) const;

  std::map<Names, ProfileRow> rows_;
  Clock::time_point started_;
  std::uint64_t blocks_ = 0, allocations_ = 0;
};

}  // namespace unroll
