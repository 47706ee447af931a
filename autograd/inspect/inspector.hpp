#pragma once

#include <autograd/tape/scope.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unroll::extension {

/// Where in a program an operation stands: the scopes that were open, the outermost first.
struct Place {
  /// One scope: a module or a time step.
  struct Frame {
    std::string module;  ///< empty for a time step
    std::optional<Index> time_step;
    friend bool operator==(const Frame&, const Frame&) = default;
  };
  std::vector<Frame> frames;

  /// "decoder.l0"; empty outside all modules.
  std::string module() const;
  /// The innermost time step.
  std::optional<Index> time_step() const;
  /// " in decoder.l0 at time step 17"; empty outside all scopes.
  std::string to_string() const;
};

/// An operation that a tape recorded.
struct SeenOperation {
  std::string name;
  std::shared_ptr<const Place> place;
  std::vector<Variable> inputs;  ///< with their values only until it is recorded
  std::uint32_t first_slot = 0;  ///< of its outputs
};

/// All that was seen of a tape, by node; an operation that was recorded before has no name.
using SeenTape = std::vector<SeenOperation>;

/// Base class of tools that inspect a program. While an inspector lives, its functions are called
/// for everything that the tapes of its thread record and differentiate: the innermost tape at its
/// construction, and later tapes. Several inspectors may live at a time. Nothing records while such
/// a function runs: what it computes, also of recorded variables, is a constant.
class Inspector {
 public:
  Inspector();
  virtual ~Inspector();
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

 protected:
  /// `operation` stands on the tape with all its outputs; undefined those that nobody wanted.
  virtual void recorded(const Tape& /*tape*/, const SeenOperation& /*operation*/,
                        std::span<const Variable> /*outputs*/) {}
  /// The vjp of `operation` is about to run; and has run.
  virtual void vjp_begins(const Tape& /*tape*/, const SeenTape& /*seen*/,
                          const SeenOperation& /*operation*/,
                          std::span<const Variable> /*gradients*/) {}
  virtual void vjp_ended(const SeenOperation& /*operation*/) noexcept {}
  /// The gradient of a leaf is complete; undefined when it is kept as rows.
  virtual void gathered(const Tape& /*tape*/, const SeenTape& /*seen*/, std::uint32_t /*slot*/,
                        const Variable& /*gradient*/) {}
  /// A scope opens or closes.
  virtual void moved() noexcept {}

 private:
  friend class Inspection;
};

/// The operations among `seen` that use a slot, in the order of recording.
std::vector<const SeenOperation*> users(const SeenTape& seen, std::uint32_t slot);

}  // namespace unroll::extension
