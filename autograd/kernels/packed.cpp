#include <autograd/kernels/packed.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/tiles.hpp>

#include <algorithm>
#include <array>

namespace unroll::kernels {
namespace {

/// A block of a panel and the rows that meet it fit the second-level cache. Longer blocks pass over
/// the result less often.
constexpr Index kInnerBlock = 1024;

/// Rows that meet one panel after the other.
constexpr Index kRowBlock = 240;

/// Most rows of a product that is worth packing for; BLAS is as fast for more.
constexpr Index kMostRows = 512;

/// Most numbers of a matrix that is packed for one product of many rows.
constexpr Index kSmallMatrix = Index{1} << 16;

/// Most numbers of a matrix that is packed for few rows: one that does not stay in the second-level
/// cache is read from memory as fast in place.
constexpr Index kCachedMatrix = Index{1} << 18;

/// Rows that lie a multiple of this apart take each other's place in the first-level cache.
constexpr Index kAliasing = 4096 / sizeof(float);

/// Tiles of nearly equal height: 32 rows are 11, 11 and 10 rather than 12, 12 and 8.
Index tile_height(const TileSet& set, Index rows) {
  const Index tiles = (rows + set.max_rows - 1) / set.max_rows;
  return (rows + tiles - 1) / tiles;
}

/// Some rows of the left operand over a block of the inner axis.
struct LeftRows {
  const float* a;
  Index row_step;
  Index inner_step;
  Tensor copy = {};

  bool transposed() const { return inner_step != 1; }
  const float* at(Index row) const { return a + row * row_step; }
  /// From one row to the next, or when transposed from one column to the next.
  Index stride() const { return transposed() ? inner_step : row_step; }

  /// Copies rows that would take each other's place in the cache to where they do not.
  void spread(Index rows, Index inner) {
    if (transposed() || rows == 1 || row_step % kAliasing != 0) return;
    constexpr Index kGap = 16;
    copy = Tensor::empty({rows, inner + kGap}, Dtype::float32);
    float* to = copy.in_place<float>();
    for (Index i = 0; i < rows; ++i) std::copy_n(at(i), inner, to + i * (inner + kGap));
    a = to;
    row_step = inner + kGap;
  }
};

/// Some rows of a product that has a start or none.
struct ResultRows {
  const float* start;  // null: zeros
  Index start_stride;
  float* c;
  Index c_stride;
  Index count;

  ResultRows part(Index first, Index rows) const {
    return {start ? start + first * start_stride : nullptr, start_stride, c + first * c_stride,
            c_stride, rows};
  }
};

/// c = start + a panel for the `columns` columns of the panel, of which the first is `column`.
void multiply_panel(const TileSet& set, const LeftRows& a, const float* panel, Index inner,
                    const ResultRows& result, Index column, Index columns) {
  for (Index row = 0; row < result.count;) {
    const Index height = tile_height(set, result.count - row);
    const Tile tile = set.tile(height, columns, a.transposed());
    const ResultRows part = result.part(row, height);
    const float* from = part.start ? part.start + column : nullptr;
    float* to = part.c + column;
    if (set.is_exact(columns)) {
      tile(a.at(row), a.stride(), panel, inner, from, part.start_stride, to, part.c_stride);
    } else {
      constexpr Index kStride = kWidestPanel;
      std::array<float, kMostTileRows * kStride> buffer;
      for (Index i = 0; from && i < height; ++i)
        std::copy_n(from + i * part.start_stride, columns, buffer.data() + i * kStride);
      tile(a.at(row), a.stride(), panel, inner, from ? buffer.data() : nullptr, kStride,
           buffer.data(), kStride);
      for (Index i = 0; i < height; ++i)
        std::copy_n(buffer.data() + i * kStride, columns, to + i * part.c_stride);
    }
    row += height;
  }
}

/// c = start + a panels for a single row and full panels, some at a time. Returns the first panel
/// that is left.
Index multiply_row(const TileSet& set, const float* a, const float* packed, Index panel_stride,
                   Index inner, const ResultRows& result, Range panels) {
  Index panel = panels.begin;
  const auto run = [&](RowTile tile, Index count) {
    for (; panel + count <= panels.end; panel += count) {
      const Index column = panel * set.width();
      tile(a, packed + panel * panel_stride, panel_stride, inner,
           result.start ? result.start + column : nullptr, result.c + column);
    }
  };
  run(set.four_panels, 4);
  run(set.two_panels, 2);
  return panel;
}

constexpr Index kStrip = 4;

/// The first `count` numbers of kStrip rows, as columns: in registers, for a quarter of the stores.
void transpose_strip(const float* from, Index from_stride, Index count, float* to,
                     Index to_stride) {
  using V __attribute__((vector_size(kStrip * sizeof(float)), aligned(4), may_alias)) = float;
  Index k = 0;
  for (; k + kStrip <= count; k += kStrip) {
    const auto row = [&](Index i) {
      return *reinterpret_cast<const V*>(from + i * from_stride + k);
    };
    const auto put = [&](Index i, V column) {
      *reinterpret_cast<V*>(to + (k + i) * to_stride) = column;
    };
    const V a = row(0), b = row(1), c = row(2), d = row(3);
    const V ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const V ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const V cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const V cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    put(0, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
    put(1, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
    put(2, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    put(3, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
  }
  for (; k < count; ++k)
    for (Index i = 0; i < kStrip; ++i) to[k * to_stride + i] = from[i * from_stride + k];
}

}  // namespace

PackedMatrix::PackedMatrix(const Tensor& b) : inner_(b.shape()[0]), columns_(b.shape()[1]) {
  const Index width = tiles().width();
  const Index count = (columns_ + width - 1) / width;
  panels_ = Tensor::empty({count, inner_, width}, Dtype::float32);
  const float* from = b.data<float>();
  float* to = panels_.in_place<float>();
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
      const Index rows = std::min(kBlock, inner_ - block);
      const float* source = corner + block * down;
      float* target = start + block * width;
      Index j = 0;
      for (; down == 1 && j + kStrip <= filled; j += kStrip)
        transpose_strip(source + j * across, across, rows, target + j, width);
      for (; j < filled; ++j)
        for (Index k = 0; k < rows; ++k) target[k * width + j] = source[k * down + j * across];
    }
  }
}

bool PackedMatrix::pays(Dtype dtype, Index rows, Index inner, Index columns) {
  return dtype == Dtype::float32 && rows >= 1 && rows <= kMostRows && inner >= 16 &&
         columns >= 16 && (rows > 3 || inner * columns <= kCachedMatrix);
}

bool PackedMatrix::pays_once(Dtype dtype, Index rows, Index inner, Index columns) {
  return dtype == Dtype::float32 && rows >= 128 && inner >= 16 && columns >= 16 &&
         inner * columns <= kSmallMatrix;
}

void PackedMatrix::multiply(const Tensor& a, const Tensor& start, Tensor& c) const {
  const TileSet& set = tiles();
  const Index rows = a.shape()[0];
  const Index row_step = a.strides()[0];
  const Index inner_step = inner_ == 1 ? 1 : a.strides()[1];
  const Index panels = panels_.shape()[0];
  const float* left = a.data<float>();
  const float* packed = panels_.data<float>();
  ResultRows result{start.defined() ? start.data<float>() : nullptr,
                    start.defined() ? start.strides()[0] : 0, c.in_place<float>(), c.strides()[0],
                    rows};

  // An element's terms are added in the same order whatever the number of parts.
  const int parts = parts_for(2.0 * static_cast<double>(rows) * static_cast<double>(inner_) *
                              static_cast<double>(columns_));
  const bool by_rows = rows >= kRowBlock / 2 && rows >= parts * set.max_rows;
  for (Index k = 0; k < inner_; k += kInnerBlock) {
    const Index inner = std::min(kInnerBlock, inner_ - k);
    parallel_for(parts, [&](int part) {
      const Range own_rows = by_rows ? part_of(rows, parts, part, set.max_rows) : Range{0, rows};
      const Range own_panels = by_rows ? Range{0, panels} : part_of(panels, parts, part, 1);
      if (own_panels.begin == own_panels.end) return;
      for (Index row = own_rows.begin; row < own_rows.end; row += kRowBlock) {
        const Index count = std::min(kRowBlock, own_rows.end - row);
        LeftRows block{left + row * row_step + k * inner_step, row_step, inner_step};
        block.spread(count, inner);
        Index panel = own_panels.begin;
        if (rows == 1 && inner_step == 1)
          panel = multiply_row(set, left + k, packed + k * set.width(), inner_ * set.width(), inner,
                               result, {panel, std::min(own_panels.end, columns_ / set.width())});
        for (; panel < own_panels.end; ++panel) {
          const Index column = panel * set.width();
          multiply_panel(set, block, packed + (panel * inner_ + k) * set.width(), inner,
                         result.part(row, count), column, std::min(set.width(), columns_ - column));
        }
      }
    });
    result.start = result.c;
    result.start_stride = result.c_stride;
  }
}

}  // namespace unroll::kernels
