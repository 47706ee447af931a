#pragma once

#include <autograd/tape/variable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace unroll {

class Tape;

namespace extension {

/// Sees every operation when a tape records it, and may replace its value: the program continues
/// with the value that the observer returns. Derive from it and install it with
/// TapeAccess::observe or TapeAccess::observe_thread (docs/extension_points.md). A tape without an
/// observer pays one test for null.
class TapeObserver {
 public:
  TapeObserver() = default;
  TapeObserver(const TapeObserver&) = delete;
  TapeObserver& operator=(const TapeObserver&) = delete;
  virtual ~TapeObserver() = default;

  /// Operation `node` has put `value` at `slot`. Returns it, or another of its shape and dtype.
  virtual Tensor recorded(const char* operation, std::size_t node, std::uint32_t slot,
                          const Tensor& value) = 0;
  /// detach() makes a constant of `value`. Returns it, or another of its shape and dtype.
  virtual Tensor detached(const Tensor& value) = 0;

  // For tools that do not replace values, such as those of autograd/inspect.

  /// A Scope has opened, of a module or of a time step; and the last one opened has closed.
  virtual void entered(std::string_view /*module*/, std::optional<Index> /*time_step*/) {}
  virtual void left() noexcept {}
  /// `operation` will be recorded next, with these inputs.
  virtual void uses(const char* /*operation*/, std::span<const Variable* const> /*inputs*/) {}
  /// Operation `node` stands on the tape with all its outputs; undefined those that nobody wanted.
  virtual void appended(const Tape& /*tape*/, const char* /*operation*/, std::size_t /*node*/,
                        std::span<const Variable> /*outputs*/) {}
  /// The vjp of `node` is about to run on the gradients of its outputs; and has run, or thrown.
  virtual void vjp_begins(const Tape& /*tape*/, const char* /*operation*/, std::size_t /*node*/,
                          std::span<const Variable> /*gradients*/) {}
  virtual void vjp_ended() noexcept {}
  /// The gradient of a leaf is complete; undefined when it is kept as rows.
  virtual void gathered(const Tape& /*tape*/, std::uint32_t /*slot*/,
                        const Variable& /*gradient*/) {}
  virtual void ended(const Tape& /*tape*/) noexcept {}
};

}  // namespace extension
}  // namespace unroll
