#include <autograd/tape/destination.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace unroll::extension {

GradientDestination::GradientDestination(BackwardPass& pass, std::span<const Variable> x,
                                         const Shape& shape, std::span<Tensor> g)
    : pass_(pass), x_(x), g_(g) {
  if (x.size() > kMost || g.size() != x.size()) [[unlikely]]
    throw ArgumentError("gradient destination: " + std::to_string(x.size()) + " variables and " +
                        std::to_string(g.size()) + " tensors were given; there must be as many, " +
                        std::to_string(kMost) + " at most");
  if (pass.differentiable_ || pass.plain_) return;
  for (std::size_t k = 0; k < x.size();) {
    if (!pass.wants(x[k]) || x[k].shape() != shape) {
      ++k;
      continue;
    }
    const std::size_t count = columns_from(k);
    if (count == 1) {
      g[k] = acquire(x[k]);
    } else {
      const Variable all = joined(k, count);
      Tensor whole = acquire(all);
      if (!whole.defined()) whole = Tensor::empty(all.shape(), all.dtype());
      g[k] = whole.with_layout(shape, whole.strides(), 0);
      for (std::size_t i = 1; i < count; ++i)
        g[k + i] = g[k].with_layout_of(g[k], static_cast<Index>(i) * shape.back());
      continues_ |= ((1U << count) - 2U) << k;
    }
    k += count;
  }
}

GradientDestination::~GradientDestination() {
  for (std::size_t i = 0; i < reservations_; ++i) reserved_[i]->give_back();
}

void GradientDestination::commit() {
  for (std::size_t k = 0; k < x_.size();) {
    const std::size_t count = block_from(k);
    if (count == 1) {
      if (g_[k].defined()) pass_.add(x_[k], std::move(g_[k]));
    } else {
      check_block(k, count);
      const Variable all = joined(k, count);
      Tensor whole = g_[k].with_layout(all.shape(), g_[k].strides(), 0);
      for (std::size_t i = 0; i < count; ++i) g_[k + i] = {};
      pass_.add(all, std::move(whole));
    }
    k += count;
  }
  reservations_ = 0;
}

Tensor GradientDestination::acquire(const Variable& x) {
  const bool is_whole = x.base_ == 0 || (x.value().size() == size_of(pass_.base_shape(x)) &&
                                         x.value().is_contiguous());
  if (!is_whole) return reserve(x);
  const Variable* sequence = passes_to(x.slot_);
  if (!sequence || pass_.has_terms(x.slot_)) return {};
  const Tensor part = reserve(*sequence);
  return part.defined() && part.shape() != x.shape() ? part.reshape(x.shape()) : part;
}

Tensor GradientDestination::reserve(const Variable& x) {
  detail::GradientBuffer& buffer = pass_.terms(x).dense;
  Tensor part = buffer.reserve(pass_.base_shape(x), x.dtype(), BackwardPass::part_of(x));
  if (part.defined()) reserved_[reservations_++] = &buffer;
  return part;
}

/// The step of a sequence to whose gradient that of a slot is added unchanged; null when there is
/// none.
const Variable* GradientDestination::passes_to(std::uint32_t slot) {
  const auto& passings = pass_.tape().passings_;
  std::size_t& at = pass_.passing_;
  while (at < passings.size() && passings[at].output < slot) ++at;
  while (at > 0 && passings[at - 1].output >= slot) --at;
  const bool found = at < passings.size() && passings[at].output == slot;
  return found ? &passings[at].to : nullptr;
}

/// How many variables from `first` on are neighbouring columns of one variable.
std::size_t GradientDestination::columns_from(std::size_t first) const {
  const Variable& head = x_[first];
  if (head.base_ == 0 || head.shape().empty() || head.value().strides().back() != 1) return 1;
  std::size_t count = 1;
  for (; first + count < x_.size(); ++count) {
    const Variable& next = x_[first + count];
    if (!pass_.wants(next) || next.base_ != head.base_ || next.slot_ != head.slot_ ||
        next.offset_ != head.offset_ + static_cast<Index>(count) * head.shape().back() ||
        next.shape() != head.shape() || next.value().strides() != head.value().strides())
      break;
  }
  // Windows along another axis, like x[:-1] and x[1:] of a column, satisfy this too, but overlap.
  Shape shape = head.shape();
  shape[shape.rank() - 1] *= static_cast<Index>(count);
  return is_disjoint(shape, head.value().strides()) ? count : 1;
}

/// The part that `count` such neighbours make up.
Variable GradientDestination::joined(std::size_t first, std::size_t count) const {
  Variable all = x_[first].without_value();
  Shape shape = all.shape();
  shape[shape.rank() - 1] *= static_cast<Index>(count);
  all.value_ = all.value().with_layout(shape, all.value().strides(), 0);
  return all;
}

std::size_t GradientDestination::block_from(std::size_t first) const {
  std::size_t count = 1;
  while ((continues_ >> (first + count) & 1U) != 0) ++count;
  return count;
}

void GradientDestination::check_block(std::size_t first, std::size_t count) const {
  const Tensor& head = g_[first];
  const auto* place = static_cast<const std::byte*>(head.address());
  const std::size_t width =
      head.defined() ? static_cast<std::size_t>(head.shape().back()) * size_of(head.dtype()) : 0;
  for (std::size_t i = 0; i < count; ++i)
    if (!g_[first + i].defined() || g_[first + i].address() != place + i * width) [[unlikely]]
      throw ArgumentError("gradient destination: the gradient of input " +
                          std::to_string(first + i) +
                          " is not in the memory that was acquired for it; write into g[k] where "
                          "it is defined, do not replace it");
}

}  // namespace unroll::extension
