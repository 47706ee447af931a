// Prints "vendor;description;file" of the BLAS this program was linked with.
// Run when CMake configures: see blas.cmake.
#include <cblas.h>
#include <dlfcn.h>

#include <cstdio>

int main() {
  const float a = 3, b = 4;
  float c = 0;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
  if (c != 12) return 1;

  const char* vendor = "reference";
  const char* description = "reference or unknown";
  if (void* f = dlsym(RTLD_DEFAULT, "openblas_get_config")) {
    vendor = "OpenBLAS";
    description = reinterpret_cast<const char* (*)()>(f)();
  } else if (dlsym(RTLD_DEFAULT, "mkl_get_version")) {
    vendor = description = "MKL";
  } else if (dlsym(RTLD_DEFAULT, "bli_info_get_version_str")) {
    vendor = description = "BLIS";
  } else if (dlsym(RTLD_DEFAULT, "ATL_buildinfo")) {
    vendor = description = "ATLAS";
  }
  Dl_info origin;
  if (dladdr(reinterpret_cast<void*>(&cblas_sgemm), &origin) == 0) return 2;
  std::printf("%s;%s;%s", vendor, description, origin.dli_fname);
}
