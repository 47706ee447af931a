#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tensor/copy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace unroll::extension {

/// Memory in which a vjp computes the gradients of some of its inputs. Acquire, write, commit:
///
///     std::array<Tensor, 2> g;
///     extension::GradientDestination destination(pass, inputs, shape, g);
///     compute(g);  // writes into the tensors that are defined, and makes the others
///     destination.commit();
///
/// Acquiring hands out, where it can, a part of the buffer in which the gradient of a whole
/// sequence is gathered; commit then copies nothing. The gates that a split made, neighbouring
/// columns of one variable, are handed out as one block. Whatever is not committed is given back.
///
/// An optimisation, with these preconditions, which are checked here and in GradientBuffer: the
/// backward pass is not differentiable, a part is free, in one piece and beside what is written,
/// its elements do not overlap, and nothing else is added to it before the commit. Where one fails,
/// the gradient is computed in memory of its own and added.
class GradientDestination {
 public:
  static constexpr std::size_t kMost = 31;

  /// `g[k]` becomes the destination for the gradient of x[k], or stays undefined when there is
  /// none; x[k] that are constants or not of this shape have none. Throws ArgumentError for
  /// more than kMost variables, or not a tensor for each. The spans must outlive the destination.
  GradientDestination(BackwardPass& pass, std::span<const Variable> x, const Shape& shape,
                      std::span<Tensor> g);
  ~GradientDestination();
  GradientDestination(const GradientDestination&) = delete;
  GradientDestination& operator=(const GradientDestination&) = delete;

  /// Adds each defined g[k] to the gradient of x[k] and takes it away. Throws ArgumentError when a
  /// block of neighbours was not computed in its destination.
  void commit();

 private:
  Tensor acquire(const Variable& x);
  Tensor reserve(const Variable& x);
  const Variable* passes_to(std::uint32_t slot);
  std::size_t columns_from(std::size_t first) const;
  Variable joined(std::size_t first, std::size_t count) const;
  std::size_t block_from(std::size_t first) const;
  void check_block(std::size_t first, std::size_t count) const;

  BackwardPass& pass_;
  std::span<const Variable> x_;
  std::span<Tensor> g_;
  std::uint32_t continues_ = 0;  // a bit for each variable in the block of the one before it
  std::size_t reservations_ = 0;
  std::array<detail::GradientBuffer*, kMost> reserved_;  // of which so many are set
};

}  // namespace unroll::extension
