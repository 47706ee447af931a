#include <autograd/kernels/packed.hpp>
#include <autograd/kernels/parallel.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace unroll::kernels {
namespace {

// The vectors of one register, as an extension that g++ and clang share: unlike intrinsics, one
// template serves every instruction set, and each use below is compiled for the set its caller
// names.
template <int Lanes>
struct Register {
  using type __attribute__((vector_size(Lanes * sizeof(float)), aligned(4), may_alias)) = float;
};

/// One tile of the product: Rows rows of a times one panel, kept in registers while it runs down K.
using Tile = void (*)(const float* a, Index a_stride, const float* panel, Index inner, float* c,
                      Index c_stride, bool add);

template <int Lanes, int Vectors, int Rows>
[[gnu::always_inline]] inline void tile(const float* a, Index a_stride, const float* panel,
                                        Index inner, float* c, Index c_stride, bool add) {
  using V = typename Register<Lanes>::type;
  V sums[Rows][Vectors];
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Vectors; ++j) {
      if (add)
        sums[i][j] = *reinterpret_cast<const V*>(c + i * c_stride + j * Lanes);
      else
        sums[i][j] = V{};
    }
  for (Index k = 0; k < inner; ++k) {
    V b[Vectors];
    for (int j = 0; j < Vectors; ++j)
      b[j] = *reinterpret_cast<const V*>(panel + (k * Vectors + j) * Lanes);
    for (int i = 0; i < Rows; ++i) {
      const float x = a[i * a_stride + k];
      for (int j = 0; j < Vectors; ++j) sums[i][j] += x * b[j];
    }
  }
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Vectors; ++j)
      *reinterpret_cast<V*>(c + i * c_stride + j * Lanes) = sums[i][j];
}

/// The tiles of one instruction set: width of a panel, most rows of a tile, and a tile for each
/// number of rows.
struct TileSet {
  Index width;
  int max_rows;
  const Tile* by_rows;  // by_rows[r - 1] has r rows
};

constexpr int kMaxRows = 12;
constexpr int kMaxWidth = 32;

#define UNROLL_TILE_SET(name, target, lanes, vectors, rows)                                 \
  template <int Rows>                                                                       \
  target void name##_tile(const float* a, Index a_stride, const float* panel, Index inner,  \
                          float* c, Index c_stride, bool add) {                             \
    tile<lanes, vectors, Rows>(a, a_stride, panel, inner, c, c_stride, add);                \
  }                                                                                         \
  template <int... R>                                                                       \
  constexpr std::array<Tile, sizeof...(R)> name##_tiles(std::integer_sequence<int, R...>) { \
    return {name##_tile<R + 1>...};                                                         \
  }                                                                                         \
  constexpr auto name##_table = name##_tiles(std::make_integer_sequence<int, rows>{});      \
  constexpr TileSet name##_set{lanes * vectors, rows, name##_table.data()};

// Rows times vectors sums, the panel's vectors and one broadcast must fit the registers: 32 in
// AVX-512, else 16.
#if defined(__x86_64__)
UNROLL_TILE_SET(avx512, [[gnu::target("avx512f")]], 16, 2, kMaxRows)
UNROLL_TILE_SET(avx2, [[gnu::target("avx2,fma")]], 8, 2, 6)
#endif
UNROLL_TILE_SET(baseline, , 4, 2, 4)
#undef UNROLL_TILE_SET

const TileSet& choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512_set;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_set;
#endif
  return baseline_set;
}

const TileSet& tiles() {
  static const TileSet& chosen = choose();
  return chosen;
}

/// A block of a panel fits the first-level cache beside the rows that meet it.
constexpr Index kInnerBlock = 256;

/// One block of rows times one block of a panel. The last panel may be partly filled; it goes
/// through a buffer.
struct Block {
  const float* a;
  Index a_stride;
  const float* panel;
  Index inner;
  float* c;
  Index c_stride;
  Index rows, columns;
  bool add;

  void run(const TileSet& set) const {
    for (Index row = 0; row < rows;) {
      // Tiles of nearly equal height: 32 rows are 11, 11 and 10 rather than 12, 12 and 8.
      const Index left = rows - row;
      const Index count = (left + set.max_rows - 1) / set.max_rows;
      const Index height = (left + count - 1) / count;
      const Tile tile = set.by_rows[height - 1];
      const float* x = a + row * a_stride;
      float* y = c + row * c_stride;
      if (columns == set.width) {
        tile(x, a_stride, panel, inner, y, c_stride, add);
      } else {
        std::array<float, kMaxRows * kMaxWidth> buffer;
        for (Index i = 0; add && i < height; ++i)
          std::copy_n(y + i * c_stride, columns, buffer.data() + i * set.width);
        tile(x, a_stride, panel, inner, buffer.data(), set.width, add);
        for (Index i = 0; i < height; ++i)
          std::copy_n(buffer.data() + i * set.width, columns, y + i * c_stride);
      }
      row += height;
    }
  }
};

}  // namespace

PackedMatrix::PackedMatrix(const Tensor& b) : inner_(b.shape()[0]), columns_(b.shape()[1]) {
  const Index width = tiles().width;
  const Index count = (columns_ + width - 1) / width;
  panels_ = Tensor::empty({count, inner_, width}, Dtype::float32);
  const float* from = b.data<float>();
  float* to = panels_.mutable_data<float>();
  const Index down = b.strides()[0];
  const Index across = b.strides()[1];
  for (Index panel = 0; panel < count; ++panel) {
    const Index filled = std::min(width, columns_ - panel * width);
    const float* corner = from + panel * width * across;
    float* start = to + panel * inner_ * width;
    if (across == 1) {
      for (Index k = 0; k < inner_; ++k) {
        std::copy_n(corner + k * down, filled, start + k * width);
        std::fill_n(start + k * width + filled, width - filled, 0.0F);
      }
      continue;
    }
    if (filled < width) std::fill_n(start, inner_ * width, 0.0F);
    // Transposing a few rows at a time keeps the lines that are written in the first-level cache.
    constexpr Index kBlock = 16;
    for (Index block = 0; block < inner_; block += kBlock) {
      const Index end = std::min(inner_, block + kBlock);
      for (Index j = 0; j < filled; ++j)
        for (Index k = block; k < end; ++k) start[k * width + j] = corner[k * down + j * across];
    }
  }
}

bool PackedMatrix::pays(Dtype dtype, Index rows, Index inner, Index columns) {
  return dtype == Dtype::float32 && rows >= 4 && rows <= 256 && inner >= 16 && columns >= 16;
}

void PackedMatrix::multiply(const Tensor& a, Tensor& c, bool add) const {
  const TileSet& set = tiles();
  const Index rows = a.shape()[0];
  const Index a_stride = a.strides()[0];
  const Index c_stride = c.strides()[0];
  const Index panels = panels_.shape()[0];
  const float* left = a.data<float>();
  const float* packed = panels_.data<float>();
  float* result = c.mutable_data<float>();

  // Cut along columns: an element's terms are added in the same order whatever the number of parts.
  const int parts = static_cast<int>(std::min<Index>(
      panels, parts_for(2.0 * static_cast<double>(rows) * static_cast<double>(inner_) *
                        static_cast<double>(columns_))));
  parallel_for(parts, [&](int part) {
    const Range range = part_of(panels, parts, part, 1);
    for (Index k = 0; k < inner_; k += kInnerBlock)
      for (Index panel = range.begin; panel < range.end; ++panel) {
        const Index column = panel * set.width;
        const Block block{left + k,
                          a_stride,
                          packed + (panel * inner_ + k) * set.width,
                          std::min(kInnerBlock, inner_ - k),
                          result + column,
                          c_stride,
                          rows,
                          std::min(set.width, columns_ - column),
                          add || k > 0};
        block.run(set);
      }
  });
}

}  // namespace unroll::kernels
