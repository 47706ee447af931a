#include <autograd/ops/layout.hpp>
#include <autograd/ops/stack_builder.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace unroll::detail {

StackBuilder::StackBuilder(Index count, int axis)
    : parts_(static_cast<std::size_t>(std::max<Index>(count, 0))), axis_(axis) {
  if (count < 1) throw ArgumentError("stack: there must be at least one tensor");
}

Variable StackBuilder::put(Index k, const Variable& x) {
  const auto count = static_cast<Index>(parts_.size());
  if (k < 0 || k >= count)
    throw ArgumentError("stack: position " + std::to_string(k) + " lies outside 0.." +
                        std::to_string(count - 1));
  if (!x.defined())
    throw ArgumentError("stack: tensor " + std::to_string(k) + " of " + std::to_string(count) +
                        " is undefined");
  Variable& part = parts_[static_cast<std::size_t>(k)];
  if (part.defined())
    throw ArgumentError("stack: position " + std::to_string(k) +
                        " was put before, and its place may have been read");
  if (!whole_.defined()) {
    axis_ = normalize_axis("stack", axis_, x.rank() + 1);
    Shape shape = x.shape();
    shape.insert(axis_, count);
    whole_ = Tensor::empty(shape, x.dtype());
  }
  Tensor place = whole_.select(axis_, k);
  if (x.shape() != place.shape())
    throw ShapeError("stack: all tensors must have one shape, got " + describe(place) + " and " +
                     describe(x.value()));
  if (x.dtype() != place.dtype())
    throw DtypeError("stack: one dtype is needed, got " + describe(place) + " and " +
                     describe(x.value()));
  kernels::copy(x.value(), place);
  part = x.value().strides() == place.strides() ? x.with_value(std::move(place)) : x;
  return part;
}

Variable StackBuilder::finish() {
  for (std::size_t k = 0; k < parts_.size(); ++k)
    if (!parts_[k].defined())
      throw ArgumentError("stack: tensor " + std::to_string(k) + " of " +
                          std::to_string(parts_.size()) + " is missing; put each before finish");
  if (!recording("stack", std::span<const Variable>(parts_))) return whole_;
  memory::Vector<Variable> places;
  for (const Variable& part : parts_) places.push_back(part.without_value());
  return record("stack", whole_,
                [parts = std::move(places), axis = axis_](const Variable& g, BackwardPass& pass) {
                  for (std::size_t k = 0; k < parts.size(); ++k)
                    if (pass.wants(parts[k]))
                      pass.add(parts[k], select(g, axis, static_cast<Index>(k)));
                });
}

}  // namespace unroll::detail
