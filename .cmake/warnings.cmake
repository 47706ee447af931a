# unroll_warnings(target): the project's warnings, for its own code only; users of the library do not inherit them.
# -Wsign-conversion stays off: sizes are signed (Index), the standard containers' are not, and the casts would bury the
# conversions that lose something.
function(unroll_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wold-style-cast -Wextra-semi -Wimplicit-fallthrough -Wundef)
  # g++ 12's own AVX-512 intrinsics read a variable "uninitialized" on purpose (GCC bug 105593), and warn wherever they
  # are inlined. Clang's warnings, which clang-tidy reports, still find such reads in our code.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
  if(UNROLL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
