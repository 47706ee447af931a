#pragma once

#include <autograd/tensor/shape.hpp>

#include <span>
#include <string_view>

namespace unroll::kernels {

/// One tile of a product: some rows of a times one panel, kept in registers while it runs down K.
/// c = start + a panel; without a start, a panel. A panel has K >= 1 rows of TileSet::width()
/// elements.
using Tile = void (*)(const float* a, Index a_stride, const float* panel, Index inner,
                      const float* start, Index start_stride, float* c, Index c_stride);

/// A tile of one row and some full panels, so that its sums hide how long an addition takes;
/// `panel_stride` from one panel to the next.
using RowTile = void (*)(const float* a, const float* panels, Index panel_stride, Index inner,
                         const float* start, float* c);

/// The products of some rows of w with x, K elements each, added to y or not.
using Dots = void (*)(const float* w, Index w_stride, Index rows, const float* x, Index inner,
                      float* y, bool add);

/// The kernels for one instruction set. All but the last panel of a matrix are full: two vectors.
struct TileSet {
  std::string_view name;      ///< `avx512`, `avx2` or `baseline`
  Index lanes;                ///< elements in a vector
  Index max_rows;             ///< of a tile
  const Tile* by_rows[2][2];  ///< [a transposed][full panel][rows - 1]

  RowTile two_panels, four_panels;
  Dots dots;

  Index width() const { return 2 * lanes; }
  /// `transposed`: a lies in memory by columns, with a_stride from one to the next. `columns` of
  /// the panel are wanted; the tile computes one or two vectors of them.
  Tile tile(Index rows, Index columns, bool transposed) const {
    return by_rows[transposed ? 1 : 0][columns > lanes ? 1 : 0][rows - 1];
  }
  /// True when the tile computes no columns beside those.
  bool is_exact(Index columns) const { return columns % lanes == 0; }
};

/// Bounds over all sets, for buffers.
inline constexpr Index kMostTileRows = 12;
inline constexpr Index kWidestPanel = 32;

/// Those that the processor can run, the best first.
std::span<const TileSet* const> usable_tiles();

/// That of the name, or of an empty name the best. ArgumentError when it is not among them.
const TileSet& tiles_named(std::string_view name);

/// The one that the environment variable UNROLL_KERNELS names, as it was at the first product;
/// without it the best.
const TileSet& tiles();

}  // namespace unroll::kernels
