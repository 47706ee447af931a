#include <autograd/pointwise/short_rows.hpp>
#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/tensor.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace unroll::detail {

void ShortRows::add_input(const void* address, Index step, bool spread) {
  Kind kind = Kind::copied;
  if (step == 0)
    kind = spread ? Kind::number : Kind::repeated;
  else if (step == n_ && (!spread || n_ == 1))
    kind = Kind::in_place;
  else if (spread)
    kind = Kind::spread;
  has_gaps_ = has_gaps_ || kind == Kind::copied;
  inputs_[input_count_++] = {static_cast<const std::byte*>(address), step, kind};
}

void ShortRows::add_output(void* address, Index step) {
  const Kind kind = !address ? Kind::number : step == n_ ? Kind::in_place : Kind::copied;
  has_gaps_ = has_gaps_ || kind == Kind::copied;
  outputs_[output_count_++] = {static_cast<std::byte*>(address), step, kind};
}

/// Rows of an input, one behind the other.
void ShortRows::fill(const Input& x, Index row, Index count, std::byte* to) const {
  if (x.kind == Kind::spread) {
    dispatch_floating(dtype_, [&]<class T>(T) {
      const T* from = reinterpret_cast<const T*>(row_of(x, row));
      T* numbers = reinterpret_cast<T*>(to);
      for (Index r = 0; r < count; ++r) std::fill_n(numbers + r * n_, n_, from[r * x.step]);
    });
    return;
  }
  const Index bytes = n_ * bytes_;
  for (Index r = 0; r < count; ++r)
    std::memcpy(to + r * bytes, row_of(x, row + r), static_cast<std::size_t>(bytes));
}

void ShortRows::run(RowKernel kernel, const void* f) {
  constexpr Index kTogether = 1024;  // elements: an operand takes an eighth of the nearest cache
  const Index batch = std::min(rows_, std::max(kTogether / n_, Index{1}));
  Index staged = 0;
  for (std::size_t i = 0; i < input_count_; ++i) staged += inputs_[i].is_staged() ? 1 : 0;
  for (std::size_t k = 0; k < output_count_; ++k) staged += outputs_[k].is_staged() ? 1 : 0;
  Tensor buffers = Tensor::empty({staged, batch * n_}, dtype_);
  auto* free = static_cast<std::byte*>(buffers.address_in_place());
  const auto next_buffer = [&] { return std::exchange(free, free + batch * n_ * bytes_); };

  Rows rows;
  std::array<std::byte*, kMaxOperands> in, out;
  for (std::size_t i = 0; i < input_count_; ++i) {
    const Input& x = inputs_[i];
    in[i] = x.is_staged() ? next_buffer() : nullptr;
    rows.step[i] = x.kind == Kind::number ? 0 : 1;
    if (x.kind == Kind::repeated) fill(x, 0, batch, in[i]);
  }
  for (std::size_t k = 0; k < output_count_; ++k)
    out[k] = outputs_[k].is_staged() ? next_buffer() : nullptr;

  for (Index row = 0; row < rows_; row += batch) {
    const Index count = std::min(batch, rows_ - row);
    for (std::size_t i = 0; i < input_count_; ++i) {
      const Input& x = inputs_[i];
      if (x.kind == Kind::copied || x.kind == Kind::spread) fill(x, row, count, in[i]);
      rows.in[i] = x.is_staged() ? in[i] : row_of(x, row);
    }
    for (std::size_t k = 0; k < output_count_; ++k) {
      const Output& y = outputs_[k];
      rows.out[k] = y.kind == Kind::in_place ? row_of(y, row) : out[k];
    }
    kernel(f, rows.in.data(), rows.step.data(), rows.out.data(), count * n_);
    for (std::size_t k = 0; k < output_count_; ++k) {
      const Output& y = outputs_[k];
      for (Index r = 0; y.kind == Kind::copied && r < count; ++r)
        std::memcpy(row_of(y, row + r), out[k] + r * n_ * bytes_,
                    static_cast<std::size_t>(n_ * bytes_));
    }
  }
}

}  // namespace unroll::detail
