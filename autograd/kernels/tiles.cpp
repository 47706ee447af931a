#include <autograd/kernels/tiles.hpp>
#include <autograd/tensor/error.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace unroll::kernels {
namespace {

// The vectors of one register, as an extension that g++ and clang share: unlike intrinsics, one
// template serves every instruction set, and each use below is compiled for the set its caller
// names.
template <int Lanes>
struct Register {
  using type __attribute__((vector_size(Lanes * sizeof(float)), aligned(4), may_alias)) = float;
};

/// Has the compiler load a vector into a register here rather than as part of every instruction
/// that takes it.
template <int Lanes>
[[gnu::always_inline]] inline void load_now(typename Register<Lanes>::type& v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#else
  static_cast<void>(v);
#endif
}

/// Has the compiler keep a vector in its register up to here, and so not put a sum there.
template <int Lanes>
[[gnu::always_inline]] inline void keep_to_here(const typename Register<Lanes>::type& v) {
#if defined(__x86_64__)
  asm("" ::"v"(v));
#else
  static_cast<void>(v);
#endif
}

/// Of the two vectors that make up a row of the panel, `Vectors` are computed.
template <int Lanes, int Vectors, int Rows, bool Transposed>
[[gnu::always_inline]] inline void run_tile(const float* a, Index a_stride, const float* panel,
                                            Index inner, const float* start, Index start_stride,
                                            float* c, Index c_stride) {
  using V = typename Register<Lanes>::type;
  constexpr int kInLine = 64 / (Lanes * static_cast<int>(sizeof(float)));
  // On their way from memory while the sums are computed.
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Vectors; j += kInLine) {
      if (start) __builtin_prefetch(start + i * start_stride + j * Lanes);
      __builtin_prefetch(c + i * c_stride + j * Lanes, 1);
    }
  V sums[Rows][Vectors];
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Vectors; ++j) sums[i][j] = V{};  // = {} would clear them in memory
  // Measured with AVX2. Left alone, the compiler reads the panel's vectors for each row anew and
  // moves sums from register to register: 4 rows are then a third slower. The panel's next lines
  // are fetched into the second-level cache, which pays where the matrix does not stay there.
  constexpr bool kAvx2 = Lanes == 8;
  constexpr Index kAhead = 2048 / sizeof(float);
  Index k = 0;
  do {  // at least once: the zeros then never go through memory
    V b[Vectors];
    for (int j = 0; j < Vectors; ++j) {
      b[j] = *reinterpret_cast<const V*>(panel + (2 * k + j) * Lanes);
      if constexpr (kAvx2) load_now<Lanes>(b[j]);
    }
    if constexpr (kAvx2) __builtin_prefetch(panel + 2 * k * Lanes + kAhead, 0, 2);
    for (int i = 0; i < Rows; ++i) {
      // Less zero, which changes no number: a vector of it, so that it can be kept.
      const V x = (Transposed ? a[k * a_stride + i] : a[i * a_stride + k]) - V{};
      for (int j = 0; j < Vectors; ++j) sums[i][j] += x * b[j];
      if constexpr (kAvx2) keep_to_here<Lanes>(x);
    }
    if constexpr (kAvx2)
      for (int j = 0; j < Vectors; ++j) keep_to_here<Lanes>(b[j]);
  } while (++k < inner);
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Vectors; ++j) {
      if (start) sums[i][j] += *reinterpret_cast<const V*>(start + i * start_stride + j * Lanes);
      *reinterpret_cast<V*>(c + i * c_stride + j * Lanes) = sums[i][j];
    }
}

template <int Lanes, int Panels>
[[gnu::always_inline]] inline void run_row_tile(const float* a, const float* panels,
                                                Index panel_stride, Index inner, const float* start,
                                                float* c) {
  using V = typename Register<Lanes>::type;
  V sums[Panels][2];
  for (int p = 0; p < Panels; ++p)
    for (int j = 0; j < 2; ++j) sums[p][j] = V{};
  for (Index k = 0; k < inner; ++k) {
    const float x = a[k];
    for (int p = 0; p < Panels; ++p)
      for (int j = 0; j < 2; ++j)
        sums[p][j] +=
            x * *reinterpret_cast<const V*>(panels + p * panel_stride + (2 * k + j) * Lanes);
  }
  for (int p = 0; p < Panels; ++p)
    for (int j = 0; j < 2; ++j) {
      const Index at = (2 * p + j) * Lanes;
      if (start) sums[p][j] += *reinterpret_cast<const V*>(start + at);
      *reinterpret_cast<V*>(c + at) = sums[p][j];
    }
}

template <int Lanes>
[[gnu::always_inline]] inline float sum_of(typename Register<Lanes>::type v);

template <int Lanes, int... I>
[[gnu::always_inline]] inline float sum_of_halves(typename Register<Lanes>::type v,
                                                  std::integer_sequence<int, I...>) {
  return sum_of<Lanes / 2>(__builtin_shufflevector(v, v, I...) +
                           __builtin_shufflevector(v, v, (I + Lanes / 2)...));
}

template <int Lanes>
[[gnu::always_inline]] inline float sum_of(typename Register<Lanes>::type v) {
  if constexpr (Lanes == 2)
    return v[0] + v[1];
  else
    return sum_of_halves<Lanes>(v, std::make_integer_sequence<int, Lanes / 2>{});
}

/// `Count` rows, `apart` from each other.
template <int Lanes, int Count>
[[gnu::always_inline]] inline void dot_rows(const float* w, Index apart, const float* x,
                                            Index inner, float* y, Index y_apart, bool add) {
  using V = typename Register<Lanes>::type;
  constexpr int kSums = 4;
  V sums[Count][kSums];
  for (int i = 0; i < Count; ++i)
    for (int j = 0; j < kSums; ++j) sums[i][j] = V{};
  Index k = 0;
  for (; k + kSums * Lanes <= inner; k += kSums * Lanes)
    for (int j = 0; j < kSums; ++j) {
      const V right = *reinterpret_cast<const V*>(x + k + j * Lanes);
      for (int i = 0; i < Count; ++i)
        sums[i][j] += *reinterpret_cast<const V*>(w + i * apart + k + j * Lanes) * right;
    }
  float totals[Count];
  for (int i = 0; i < Count; ++i)
    totals[i] = sum_of<Lanes>((sums[i][0] + sums[i][1]) + (sums[i][2] + sums[i][3]));
  for (; k < inner; ++k)
    for (int i = 0; i < Count; ++i) totals[i] += w[i * apart + k] * x[k];
  for (int i = 0; i < Count; ++i) y[i * y_apart] = add ? y[i * y_apart] + totals[i] : totals[i];
}

/// One row of either half after the other: read from memory, they are two streams.
template <int Lanes>
[[gnu::always_inline]] inline void run_dots(const float* w, Index w_stride, Index rows,
                                            const float* x, Index inner, float* y, bool add) {
  const Index half = rows / 2;
  for (Index row = 0; row < half; ++row)
    dot_rows<Lanes, 2>(w + row * w_stride, half * w_stride, x, inner, y + row, half, add);
  if (rows % 2 != 0)
    dot_rows<Lanes, 1>(w + (rows - 1) * w_stride, 0, x, inner, y + rows - 1, 0, add);
}

#define UNROLL_TILE_SET(name, target, lanes, most_rows)                                            \
  template <int Vectors, bool Transposed, int Rows>                                                \
  target void name##_tile(const float* a, Index a_stride, const float* panel, Index inner,         \
                          const float* start, Index start_stride, float* c, Index c_stride) {      \
    run_tile<lanes, Vectors, Rows, Transposed>(a, a_stride, panel, inner, start, start_stride, c,  \
                                               c_stride);                                          \
  }                                                                                                \
  template <int Vectors, bool Transposed, int... R>                                                \
  constexpr std::array<Tile, sizeof...(R)> name##_tiles(std::integer_sequence<int, R...>) {        \
    return {name##_tile<Vectors, Transposed, R + 1>...};                                           \
  }                                                                                                \
  template <int Vectors, bool Transposed>                                                          \
  constexpr auto name##_table =                                                                    \
      name##_tiles<Vectors, Transposed>(std::make_integer_sequence<int, most_rows>{});             \
  template <int Panels>                                                                            \
  target void name##_row_tile(const float* a, const float* panels, Index panel_stride,             \
                              Index inner, const float* start, float* c) {                         \
    run_row_tile<lanes, Panels>(a, panels, panel_stride, inner, start, c);                         \
  }                                                                                                \
  target void name##_dots(const float* w, Index w_stride, Index rows, const float* x, Index inner, \
                          float* y, bool add) {                                                    \
    run_dots<lanes>(w, w_stride, rows, x, inner, y, add);                                          \
  }                                                                                                \
  constexpr TileSet name##_set{#name,                                                              \
                               lanes,                                                              \
                               most_rows,                                                          \
                               {{name##_table<1, false>.data(), name##_table<2, false>.data()},    \
                                {name##_table<1, true>.data(), name##_table<2, true>.data()}},     \
                               name##_row_tile<2>,                                                 \
                               name##_row_tile<4>,                                                 \
                               name##_dots};

// Rows times vectors sums, the panel's vectors and one broadcast must fit the registers: 32 in
// AVX-512, else 16.
#if defined(__x86_64__)
UNROLL_TILE_SET(avx512, [[gnu::target("avx512f")]], 16, 12)
UNROLL_TILE_SET(avx2, [[gnu::target("avx2,fma")]], 8, 6)
#endif
UNROLL_TILE_SET(baseline, , 4, 4)
#undef UNROLL_TILE_SET

std::vector<const TileSet*> find_usable() {
  std::vector<const TileSet*> usable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) usable.push_back(&avx512_set);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable.push_back(&avx2_set);
#endif
  usable.push_back(&baseline_set);
  return usable;
}

}  // namespace

std::span<const TileSet* const> usable_tiles() {
  static const std::vector<const TileSet*> usable = find_usable();
  return usable;
}

const TileSet& tiles_named(std::string_view name) {
  std::string names;
  for (const TileSet* set : usable_tiles()) {
    if (name.empty() || name == set->name) return *set;
    names += (names.empty() ? "" : ", ") + std::string(set->name);
  }
  throw ArgumentError("UNROLL_KERNELS: this processor has no kernels \"" + std::string(name) +
                      "\"; choose one of " + names + ", or unset it for the best");
}

const TileSet& tiles() {
  static const TileSet& chosen = []() -> const TileSet& {
    const char* name = std::getenv("UNROLL_KERNELS");
    return tiles_named(name ? name : "");
  }();
  return chosen;
}

}  // namespace unroll::kernels
