#pragma once

#include <string>

namespace unroll {

/// Number of threads that one operation may use; at first, that of the processor's cores. Work that
/// is too little to share stays on the calling thread. Results repeat bit for bit for a given
/// number of threads.
///
/// The library has one pool of threads and keeps OpenBLAS, for the whole process, to one thread.
int threads();
/// Throws ArgumentError unless `count` lies in 1..4096, and inside an operation, as from a lambda
/// of pointwise. Where the system starts fewer threads, operations go on with those.
void set_threads(int count);

/// The BLAS that was linked, and the processor it was built or chosen for: `OpenBLAS 0.3.21 ...
/// SkylakeX`.
std::string blas_description();

}  // namespace unroll
