#include <autograd/packing.hpp>

namespace unroll {

const kernels::PackedMatrix* Packing::find(std::uint32_t slot, const Tensor& b, bool transposed,
                                           Index rows) {
  const Index inner = b.shape()[transposed ? 1 : 0];
  const Index columns = b.shape()[transposed ? 0 : 1];
  if (!kernels::PackedMatrix::pays(b.dtype(), rows, inner, columns)) return nullptr;
  Entry& entry = entries_[slot];
  // The parameter may have got a new value since, its own transpose even.
  if (entry.address != b.address() || entry.strides != b.strides()) {
    entry = Entry{};
    entry.address = b.address();
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

}  // namespace unroll
