#include <autograd/kernels/dropout.hpp>
#include <autograd/kernels/parallel.hpp>

#include <algorithm>

namespace unroll::kernels {

void dropout(const Tensor& x, double rate, Generator& generator, Tensor& result) {
  constexpr Index kWords = 4;
  constexpr double kCost = 20.0;  // operations an element
  const Index size = x.size();
  const std::uint64_t first = generator.position();
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);  // of the words 0..2^32 - 1
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
    const auto scale = static_cast<T>(rate < 1.0 ? 1.0 / (1.0 - rate) : 0.0);
    const int parts = parts_for(static_cast<double>(size) * kCost);
    parallel_for(parts, [&](int part) {
      const Range range = part_of(size, parts, part, kWords);
      Generator words = generator;
      words.set_position(first + static_cast<std::uint64_t>(range.begin / kWords));
      for (Index i = range.begin; i < range.end; i += kWords) {
        const auto block = words.next();
        const Index count = std::min(kWords, range.end - i);
        for (Index j = 0; j < count; ++j)
          to[i + j] = from[i + j] * (block[static_cast<std::size_t>(j)] < threshold ? T(0) : scale);
      }
    });
  });
  generator.set_position(first + static_cast<std::uint64_t>((size + kWords - 1) / kWords));
}

}  // namespace unroll::kernels
