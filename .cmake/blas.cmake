# Finds the BLAS, says which one it is, and refuses the reference BLAS. Sets BLAS::BLAS and UNROLL_CBLAS_INCLUDE_DIR.
#
# A name tells little: on Debian libblas.so is whatever the alternatives system points at. So a small program is linked
# and run, and asks the loader which library its cblas_sgemm came from and whose functions stand beside it.

if(NOT BLA_VENDOR AND NOT BLAS_LIBRARIES)
  set(BLA_VENDOR OpenBLAS)
  find_package(BLAS QUIET)
  if(NOT BLAS_FOUND)
    unset(BLA_VENDOR)  # any other; what it is shows below
  endif()
endif()
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)  # OpenBLAS has it inside
find_path(UNROLL_CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-pthread REQUIRED)

unset(UNROLL_BLAS_RAN CACHE)  # asked at every configure: what a name stands for changes with update-alternatives
try_run(UNROLL_BLAS_RAN blas_compiled
  "${PROJECT_BINARY_DIR}/blas" "${CMAKE_CURRENT_LIST_DIR}/which_blas.cpp"
  CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${UNROLL_CBLAS_INCLUDE_DIR}"
  LINK_LIBRARIES ${BLAS_LIBRARIES} ${CMAKE_DL_LIBS}
  COMPILE_OUTPUT_VARIABLE blas_output
  RUN_OUTPUT_VARIABLE blas_answer)
if(NOT blas_compiled OR NOT UNROLL_BLAS_RAN EQUAL 0)
  message(FATAL_ERROR "BLAS: a program that calls cblas_sgemm does not link with ${BLAS_LIBRARIES}, or does not run:\n"
    "${blas_output}\n${blas_answer}")
endif()

list(GET blas_answer 0 blas_vendor)
list(GET blas_answer 1 blas_description)
list(GET blas_answer 2 blas_loaded)
file(REAL_PATH "${blas_loaded}" blas_loaded)
message(STATUS "BLAS: ${blas_description}; linked ${BLAS_LIBRARIES}, loaded ${blas_loaded}")

if(blas_vendor STREQUAL "reference" AND NOT UNROLL_ALLOW_REFERENCE_BLAS)
  message(FATAL_ERROR
    "BLAS: ${blas_loaded} is the reference BLAS, or one not known to be optimised: training would be many times slower.\n"
    "Install OpenBLAS (Debian: apt-get install libopenblas-pthread-dev), or name another BLAS with -DBLA_VENDOR=...,\n"
    "or accept this one with -DUNROLL_ALLOW_REFERENCE_BLAS=ON.")
endif()
