#pragma once

#include <autograd/tensor/dtype.hpp>
#include <autograd/tensor/layout.hpp>
#include <autograd/tensor/memory.hpp>
#include <autograd/tensor/shape.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

/// A strided array of elements: shape, strides, dtype and a shared buffer. Copies and views are
/// cheap and share the buffer; an operation never writes to a tensor that it has returned. Views
/// and copies of an undefined tensor throw ArgumentError.
class Tensor {
 public:
  /// No tensor at all; defined() is false.
  Tensor() = default;

  /// An uninitialised row-major tensor, for kernels to fill.
  static Tensor empty(const Shape& shape, Dtype dtype);

  /// A row-major tensor of these values. Throws ShapeError unless there are size_of(shape) of them.
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values);
  template <class T>
  static Tensor of(const Shape& shape, const std::vector<T>& values) {
    return of(shape, std::span<const T>(values));
  }
  template <class T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of(shape, std::span<const T>(values.begin(), values.size()));
  }

  bool defined() const { return static_cast<bool>(buffer_); }
  Dtype dtype() const { return layout_->dtype; }
  const Shape& shape() const { return layout_->shape; }
  const Strides& strides() const { return layout_->strides; }
  int rank() const { return layout_->shape.rank(); }
  Index size() const { return layout_->size; }
  /// Size of an axis; -1 is the last. Throws ArgumentError when there is no such axis.
  Index size(int axis) const { return shape()[normalize_axis("size", axis, rank())]; }

  /// First element. Throws DtypeError unless T is the element type.
  template <class T>
  const T* data() const {
    check_dtype(dtype_of<T>());
    return reinterpret_cast<const T*>(data_);
  }
  /// First element, for writing. If a tape, a view or a copy shares the buffer, this tensor becomes
  /// a row-major copy first and the shared elements stay as they were. Take the pointer and the
  /// strides anew after each use of the tensor. Throws DtypeError unless T is the element type.
  template <class T>
  T* mutable_data() {
    check_dtype(dtype_of<T>());
    if (!unique()) become_copy();
    return reinterpret_cast<T*>(data_);
  }

  /// First element, for kernels that fill a tensor they have just made: it is written where it
  /// lies, whoever else refers to it.
  template <class T>
  T* in_place() {
    check_dtype(dtype_of<T>());
    return reinterpret_cast<T*>(data_);
  }
  /// The same, untyped, for kernels that know the dtype.
  const void* address() const { return data_; }
  void* address_in_place() { return data_; }
  bool shares_buffer(const Tensor& other) const { return buffer_ == other.buffer_; }

  /// The only element, whatever the dtype. Throws ShapeError when there are none or several.
  double item() const;
  /// The element at a position, whatever the dtype. Throws ArgumentError outside the shape.
  double at(std::initializer_list<Index> position) const;
  /// All elements in row-major order, converted.
  template <class T>
  std::vector<T> to_vector() const;

  /// Row-major without gaps.
  bool is_contiguous() const { return layout_->contiguous; }
  /// This tensor if it is contiguous, otherwise a copy that is.
  Tensor contiguous() const;
  Tensor clone() const;
  /// This tensor if it has that dtype, otherwise a converted copy.
  Tensor to(Dtype dtype) const;
  /// True when nothing else refers to the buffer, so that its owner may write to it.
  bool unique() const { return buffer_.unique(); }

  // Views: they share the buffer. Shapes are checked; the operation is named in the error.
  Tensor reshape(const Shape& shape)
      const;  ///< one size may be -1; copies when the strides do not allow a view
  Tensor select(int axis, Index position) const;  ///< drops the axis
  /// Positions begin, begin + step, ... below end; negative ones count from the end.
  Tensor slice(int axis, Index begin, Index end, Index step = 1) const;
  Tensor transpose(int first, int second) const;
  Tensor permute(std::span<const int> axes) const;
  Tensor unsqueeze(int axis) const;
  Tensor squeeze(int axis) const;
  Tensor broadcast_to(const Shape& shape) const;  ///< broadcast axes get stride 0

  /// Shape and dtype alone; defined() is false.
  Tensor without_buffer() const { return Tensor({}, nullptr, layout_); }

  /// Same buffer seen with another layout; `offset` in elements from the first element. Not
  /// checked.
  Tensor with_layout(const Shape& shape, const Strides& strides, Index offset) const {
    return with_layout(detail::LayoutReference::of(shape, strides, dtype()), offset);
  }
  /// The same with the layout of another tensor of this dtype.
  Tensor with_layout_of(const Tensor& other, Index offset) const {
    return with_layout(other.layout_, offset);
  }

 private:
  Tensor(memory::Buffer buffer, std::byte* data, detail::LayoutReference layout)
      : buffer_(std::move(buffer)), data_(data), layout_(std::move(layout)) {}

  Tensor with_layout(detail::LayoutReference layout, Index offset) const {
    return Tensor(buffer_, data_ + offset * static_cast<Index>(unroll::size_of(dtype())),
                  std::move(layout));
  }
  void check_dtype(Dtype wanted) const {
    if (dtype() != wanted) throw_dtype(wanted);
  }
  [[noreturn]] void throw_dtype(Dtype wanted) const;
  void become_copy();

  memory::Buffer buffer_;
  std::byte* data_ = nullptr;
  detail::LayoutReference layout_;
};

/// A tensor of zeros.
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::float32);
/// A tensor of ones.
Tensor ones(const Shape& shape, Dtype dtype = Dtype::float32);
/// A tensor whose elements all have this value.
Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::float32);
/// 0, 1, ..., count - 1.
Tensor arange(Index count, Dtype dtype = Dtype::int64);

/// `float32 [35,20,200]`
std::string describe(const Tensor& tensor);

}  // namespace unroll
