#include <autograd/tape/packing.hpp>

namespace unroll::detail {

const kernels::PackedMatrix* Packing::find(const Tensor& b, bool transposed, Index rows) {
  const Index inner = b.shape()[transposed ? 1 : 0];
  const Index columns = b.shape()[transposed ? 0 : 1];
  if (!kernels::PackedMatrix::pays(b.dtype(), rows, inner, columns)) return nullptr;
  Entry& entry = entries_[b.address()];
  // Another matrix may begin at the same place: a part of this one, or its transpose.
  if (entry.shape != b.shape() || entry.strides != b.strides()) {
    entry = Entry{};
    entry.shape = b.shape();
    entry.strides = b.strides();
  }
  const std::size_t form = transposed ? 1 : 0;
  kernels::PackedMatrix& packed = entry.packed[form];
  if (!packed.defined()) {
    if (++entry.uses[form] < 2) return nullptr;
    entry.source = b;
    packed = kernels::PackedMatrix(transposed ? b.transpose(0, 1) : b);
  }
  return &packed;
}

}  // namespace unroll::detail
