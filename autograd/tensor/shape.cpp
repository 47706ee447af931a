#include <autograd/tensor/error.hpp>
#include <autograd/tensor/shape.hpp>

#include <algorithm>
#include <cstdlib>

namespace unroll {

void Dims::throw_rank(std::size_t rank) {
  throw ShapeError("shape: rank " + std::to_string(rank) +
                   " is above the highest supported rank, " + std::to_string(kMaxRank));
}

void Dims::throw_axis(int axis) const {
  throw ShapeError("shape: there is no axis " + std::to_string(axis) + " in " + to_string(*this) +
                   ", of rank " + std::to_string(rank_));
}

void Dims::insert(int axis, Index value) {
  checked(static_cast<std::size_t>(rank_) + 1);
  if (axis < 0 || axis > rank_) throw_axis(axis);
  const auto at = values_.begin() + axis;
  ++rank_;
  std::copy_backward(at, values_.begin() + rank_ - 1, values_.begin() + rank_);
  *at = value;
}

void Dims::erase(int axis) {
  const auto at = values_.begin() + static_cast<std::ptrdiff_t>(place(axis));
  std::copy(at + 1, values_.begin() + rank_, at);
  --rank_;
}

bool is_disjoint(const Shape& shape, const Strides& strides) {
  std::array<int, kMaxRank> axes{};
  int count = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 0) return true;
    if (shape[axis] == 1) continue;
    auto place = static_cast<std::size_t>(count++);
    for (; place > 0 && std::abs(strides[axes[place - 1]]) > std::abs(strides[axis]); --place)
      axes[place] = axes[place - 1];
    axes[place] = axis;
  }
  Index reach = 0;
  for (int k = 0; k < count; ++k) {
    const int axis = axes[static_cast<std::size_t>(k)];
    const Index step = std::abs(strides[axis]);
    if (step <= reach) return false;
    reach += (shape[axis] - 1) * step;
  }
  return true;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ',';
    text += std::to_string(shape[axis]);
  }
  return text + ']';
}

Shape broadcast(const char* operation, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int offset = longer.rank() - shorter.rank();
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    const Index m = longer[axis + offset];
    const Index n = shorter[axis];
    if (m == n || n == 1) continue;
    if (m != 1)
      throw ShapeError(
          std::string(operation) + ": shapes " + to_string(a) + " and " + to_string(b) +
          " do not broadcast: axis " + std::to_string(axis - shorter.rank()) + " has sizes " +
          std::to_string(longer.rank() == a.rank() && &longer == &a ? m : n) + " and " +
          std::to_string(longer.rank() == a.rank() && &longer == &a ? n : m));
    result[axis + offset] = n;
  }
  return result;
}

void detail::throw_axis(const char* operation, int axis, int rank) {
  throw ArgumentError(std::string(operation) + ": axis " + std::to_string(axis) +
                      " lies outside a tensor of rank " + std::to_string(rank));
}

}  // namespace unroll
