#pragma once

#include <autograd/inspect/inspector.hpp>
#include <autograd/tensor/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace unroll {

/// The first NaN or infinity that a FiniteCheck has met. The message names the operation, its
/// module and time step, the element, and where the number comes from as far as that is known.
class NonFiniteError : public Error {
 public:
  /// Where it was found.
  struct Where {
    std::string operation;           ///< or the name of the leaf
    std::string module;              ///< path of the scopes; empty outside all
    std::optional<Index> time_step;  ///< the innermost
    bool is_gradient = false;
  };
  NonFiniteError(const std::string& message, Where found)
      : Error(message), where(std::move(found)) {}

  Where where;
};

struct FiniteCheckOptions {
  bool infinity = true;  ///< false: infinities are wanted, as in masks, and only a NaN is an error
};

/// Stops a program at its first NaN or infinity. While it lives, every value that a tape of this
/// thread records is checked, and every gradient when it is complete; the operation, or
/// Tape::gradients, throws NonFiniteError:
///
///     tanh in decoder.l0 at time step 17: element [3,5] of the result [8,64] is nan; its inputs
///     are finite
///
///     const FiniteCheck check;
///     train_one_epoch();
///
/// It reads all elements once more. Nothing is seen without a tape.
class FiniteCheck : private extension::Inspector {
 public:
  explicit FiniteCheck(const FiniteCheckOptions& options = {}) : options_(options) {}

 private:
  void recorded(const Tape& tape, const extension::SeenOperation& operation,
                std::span<const Variable> outputs) override;
  void vjp_begins(const Tape& tape, const extension::SeenTape& seen,
                  const extension::SeenOperation& operation,
                  std::span<const Variable> gradients) override;
  void gathered(const Tape& tape, const extension::SeenTape& seen, std::uint32_t slot,
                const Variable& gradient) override;

  FiniteCheckOptions options_;
};

}  // namespace unroll
