#pragma once

#include <nn/recurrent/cell.hpp>

#include <concepts>
#include <memory>
#include <utility>

namespace unroll::nn {

/// A cell of any class: what layers and wrappers hold. A handle; nn::clone() of what holds it
/// copies the cell.
class AnyCell {
 public:
  template <std::derived_from<Cell> C>
  AnyCell(C cell) : cell_(std::make_shared<const C>(std::move(cell))) {
    if constexpr (std::copy_constructible<C>)
      copy_ = [](const Cell& original) -> std::shared_ptr<const Cell> {
        return std::make_shared<const C>(static_cast<const C&>(original));
      };
  }
  AnyCell(const AnyCell& other);
  AnyCell(AnyCell&&) = default;
  AnyCell& operator=(const AnyCell&) = default;
  AnyCell& operator=(AnyCell&&) = default;
  ~AnyCell() = default;

  const Cell& operator*() const { return *cell_; }
  const Cell* operator->() const { return cell_.get(); }

  /// Another object of the class as it is now, which shares the parameters: what its steps do to
  /// members of its own stays with it. The cell itself where the class cannot be copied.
  AnyCell snapshot() const;

 private:
  std::shared_ptr<const Cell> cell_;
  std::shared_ptr<const Cell> (*copy_)(const Cell&) = nullptr;
};

}  // namespace unroll::nn
