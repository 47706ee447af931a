#include <autograd/tensor/error.hpp>
#include <nn/recurrent/any_cell.hpp>
#include <nn/recurrent/cell_checks.hpp>

namespace unroll::nn {

AnyCell::AnyCell(const AnyCell& other) : cell_(other.cell_), copy_(other.copy_) {
  auto* deep = unroll::detail::DeepCopies::active();
  if (!deep || !cell_) return;
  if (!copy_)
    throw ArgumentError(
        "clone: the cell cannot be copied, since its class has no copy constructor"
        " (class " +
        class_name(*cell_) + ")");
  cell_ = deep->of(cell_, [&] { return copy_(*cell_); });
}

AnyCell AnyCell::snapshot() const {
  AnyCell other = *this;
  if (copy_) other.cell_ = copy_(*cell_);
  return other;
}

}  // namespace unroll::nn
