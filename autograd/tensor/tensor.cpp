#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/tensor.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace unroll {
namespace {

/// Strides that show `tensor` as `shape` without a copy, if there are any.
std::optional<Strides> strides_for(const Tensor& tensor, const Shape& shape) {
  if (tensor.is_contiguous()) return row_major(shape);
  Strides strides(shape.rank(), 1);
  int axis = shape.rank() - 1;
  // Each maximal run of old axes that lies in memory like one axis is cut into new axes.
  for (int old = tensor.rank() - 1; old >= 0;) {
    Index run = tensor.shape()[old];
    const Index step = tensor.strides()[old];
    while (old > 0 && (tensor.shape()[old - 1] == 1 || tensor.strides()[old - 1] == run * step))
      run *= tensor.shape()[--old];
    --old;
    Index covered = 1;
    while (axis >= 0 && (covered < run || shape[axis] == 1)) {
      strides[axis] = covered * step;
      covered *= shape[axis--];
    }
    if (covered != run) return std::nullopt;
  }
  return strides;
}

void check_defined(const char* operation, const Tensor& tensor) {
  if (!tensor.defined())
    throw ArgumentError(std::string(operation) + ": the tensor is undefined, it holds no numbers");
}

/// A NaN or a number beyond int64 has no conversion: what the processor makes of it is arbitrary.
void check_whole_numbers(const Tensor& tensor) {
  const Tensor packed = tensor.contiguous();
  dispatch_floating(tensor.dtype(), [&]<class T>(T) {
    for (const T x : std::span(packed.data<T>(), static_cast<std::size_t>(packed.size())))
      if (!(x >= T{-0x1p63} && x < T{0x1p63}))
        throw ArgumentError("to: " + std::to_string(x) + " in " + describe(tensor) +
                            " has no value in int64");
  });
}

Shape resolve(const Tensor& tensor, Shape shape) {
  // The product of the sizes known must be counted without overflow.
  constexpr Index kMost = std::numeric_limits<Index>::max();
  Index* unknown = nullptr;
  Index known = 1;
  bool fits = true;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == -1 && !unknown)
      unknown = &shape[axis];
    else if (shape[axis] < 0 || shape[axis] > kMost / std::max<Index>(known, 1))
      fits = false;
    else
      known *= shape[axis];
  }
  if (fits && unknown && known > 0) *unknown = tensor.size() / known;
  if (!fits || size_of(shape) != tensor.size() || (unknown && *unknown < 0))
    throw ShapeError("reshape: " + to_string(tensor.shape()) + " has " +
                     std::to_string(tensor.size()) + " elements and cannot become " +
                     to_string(shape));
  return shape;
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, Dtype dtype) {
  detail::LayoutReference layout = detail::LayoutReference::row_major(shape, dtype);
  memory::Buffer buffer(static_cast<std::size_t>(layout->size) * unroll::size_of(dtype));
  std::byte* data = buffer.data();
  return Tensor(std::move(buffer), data, std::move(layout));
}

template <class T>
Tensor Tensor::of(const Shape& shape, std::span<const T> values) {
  if (static_cast<Index>(values.size()) != size_of(shape))
    throw ShapeError("tensor: shape " + to_string(shape) + " needs " +
                     std::to_string(size_of(shape)) + " values, got " +
                     std::to_string(values.size()));
  Tensor tensor = empty(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), tensor.in_place<T>());
  return tensor;
}

template Tensor Tensor::of(const Shape&, std::span<const float>);
template Tensor Tensor::of(const Shape&, std::span<const double>);
template Tensor Tensor::of(const Shape&, std::span<const std::int64_t>);

void Tensor::become_copy() { *this = clone(); }

double Tensor::item() const {
  if (!defined() || size() != 1)
    throw ShapeError("item: the tensor must have exactly one element, its shape is " +
                     to_string(shape()));
  return dispatch(dtype(), [&]<class T>(T) { return static_cast<double>(*data<T>()); });
}

double Tensor::at(std::initializer_list<Index> position) const {
  const Shape wanted(position);
  bool inside = defined() && wanted.rank() == rank();
  Index offset = 0;
  for (int axis = 0; inside && axis < rank(); ++axis) {
    inside = wanted[axis] >= 0 && wanted[axis] < shape()[axis];
    offset += wanted[axis] * strides()[axis];
  }
  if (!inside)
    throw ArgumentError("at: position " + to_string(wanted) + " lies outside shape " +
                        to_string(shape()));
  return dispatch(dtype(), [&]<class T>(T) { return static_cast<double>(data<T>()[offset]); });
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  check_defined("to_vector", *this);
  const Tensor packed = to(dtype_of<T>()).contiguous();
  return std::vector<T>(packed.data<T>(), packed.data<T>() + packed.size());
}

template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<std::int64_t> Tensor::to_vector() const;

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
  check_defined("clone", *this);
  Tensor copy = empty(shape(), dtype());
  kernels::copy(*this, copy);
  return copy;
}

Tensor Tensor::to(Dtype dtype) const {
  check_defined("to", *this);
  if (dtype == this->dtype()) return *this;
  if (dtype == Dtype::int64) check_whole_numbers(*this);
  Tensor converted = empty(shape(), dtype);
  kernels::copy(*this, converted);
  return converted;
}

Tensor Tensor::reshape(const Shape& shape) const {
  check_defined("reshape", *this);
  const Shape full = resolve(*this, shape);
  if (const auto strides = strides_for(*this, full)) return with_layout(full, *strides, 0);
  return clone().with_layout(full, row_major(full), 0);
}

Tensor Tensor::select(int axis, Index position) const {
  check_defined("select", *this);
  axis = normalize_axis("select", axis, rank());
  const Index at = position < 0 ? position + this->shape()[axis] : position;
  if (at < 0 || at >= this->shape()[axis])
    throw ArgumentError("select: position " + std::to_string(position) + " lies outside axis " +
                        std::to_string(axis) + " of " + to_string(this->shape()));
  Shape shape = this->shape();
  Strides strides = this->strides();
  shape.erase(axis);
  strides.erase(axis);
  return with_layout(shape, strides, at * this->strides()[axis]);
}

Tensor Tensor::slice(int axis, Index begin, Index end, Index step) const {
  check_defined("slice", *this);
  axis = normalize_axis("slice", axis, rank());
  const Index size = this->shape()[axis];
  const Index first = begin < 0 ? begin + size : begin;
  const Index last = end < 0 ? end + size : end;
  if (first < 0 || last > size || first > last || step < 1)
    throw ArgumentError("slice: [" + std::to_string(begin) + ", " + std::to_string(end) +
                        ") with step " + std::to_string(step) + " does not fit axis " +
                        std::to_string(axis) + " of " + to_string(this->shape()));
  Shape shape = this->shape();
  Strides strides = this->strides();
  shape[axis] = last == first ? 0 : (last - first - 1) / step + 1;
  if (shape[axis] > 1) strides[axis] *= step;  // the step may be any number otherwise
  return with_layout(shape, strides, first * this->strides()[axis]);
}

Tensor Tensor::transpose(int first, int second) const {
  check_defined("transpose", *this);
  first = normalize_axis("transpose", first, rank());
  second = normalize_axis("transpose", second, rank());
  Shape shape = this->shape();
  Strides strides = this->strides();
  std::swap(shape[first], shape[second]);
  std::swap(strides[first], strides[second]);
  return with_layout(shape, strides, 0);
}

Tensor Tensor::permute(std::span<const int> axes) const {
  check_defined("permute", *this);
  Shape shape;
  Strides strides;
  unsigned seen = 0;
  for (int axis : axes) {
    axis = normalize_axis("permute", axis, rank());
    seen |= 1U << static_cast<unsigned>(axis);
    shape.push_back(this->shape()[axis]);
    strides.push_back(this->strides()[axis]);
  }
  if (shape.rank() != rank() || seen != (1U << static_cast<unsigned>(rank())) - 1)
    throw ArgumentError("permute: every axis of " + to_string(this->shape()) +
                        " must be named exactly once");
  return with_layout(shape, strides, 0);
}

Tensor Tensor::unsqueeze(int axis) const {
  check_defined("unsqueeze", *this);
  axis = normalize_axis("unsqueeze", axis, rank() + 1);
  Shape shape = this->shape();
  Strides strides = this->strides();
  strides.insert(axis, axis < rank() ? this->shape()[axis] * this->strides()[axis] : 1);
  shape.insert(axis, 1);
  return with_layout(shape, strides, 0);
}

Tensor Tensor::squeeze(int axis) const {
  check_defined("squeeze", *this);
  axis = normalize_axis("squeeze", axis, rank());
  if (shape()[axis] != 1)
    throw ShapeError("squeeze: axis " + std::to_string(axis) + " of " + to_string(shape()) +
                     " is not of size 1");
  return select(axis, 0);
}

Tensor Tensor::broadcast_to(const Shape& shape) const {
  check_defined("broadcast_to", *this);
  if (broadcast("broadcast_to", this->shape(), shape) != shape)
    throw ShapeError("broadcast_to: " + to_string(this->shape()) + " does not broadcast to " +
                     to_string(shape));
  Strides strides(shape.rank(), 0);
  const int offset = shape.rank() - rank();
  for (int axis = 0; axis < rank(); ++axis)
    if (this->shape()[axis] == shape[axis + offset])
      strides[axis + offset] = this->shape()[axis] == 1 ? 0 : this->strides()[axis];
  return with_layout(shape, strides, 0);
}

void Tensor::throw_dtype(Dtype wanted) const {
  throw DtypeError("data: the tensor holds " + std::string(to_string(dtype())) + ", not " +
                   std::string(to_string(wanted)) + "; convert it with to()");
}

Tensor zeros(const Shape& shape, Dtype dtype) { return full(shape, 0.0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return full(shape, 1.0, dtype); }

Tensor full(const Shape& shape, double value, Dtype dtype) {
  Tensor tensor = Tensor::empty(shape, dtype);
  kernels::fill(tensor, value);
  return tensor;
}

Tensor arange(Index count, Dtype dtype) {
  Tensor tensor = Tensor::empty({count}, dtype);
  dispatch(dtype, [&]<class T>(T) {
    T* data = tensor.in_place<T>();
    for (Index i = 0; i < count; ++i) data[i] = static_cast<T>(i);
  });
  return tensor;
}

std::string describe(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  return std::string(to_string(tensor.dtype())) + ' ' + to_string(tensor.shape());
}

}  // namespace unroll
