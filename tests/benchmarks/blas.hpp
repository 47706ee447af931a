#pragma once

/// The calls of OpenBLAS that the benchmarks make beside the library.
extern "C" {
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                 const float* a, int a_stride, const float* b, int b_stride, float beta, float* c,
                 int c_stride);
void cblas_sgemv(int order, int transpose, int rows, int columns, float alpha, const float* a,
                 int a_stride, const float* x, int x_stride, float beta, float* y, int y_stride);
void openblas_set_num_threads(int count);
}

namespace benchmarks {

inline constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;

/// Lets OpenBLAS use its own threads for a while. The library keeps it to one and shares work
/// itself.
class BlasThreads {
 public:
  explicit BlasThreads(int count) { openblas_set_num_threads(count); }
  ~BlasThreads() { openblas_set_num_threads(1); }
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;
};

}  // namespace benchmarks
