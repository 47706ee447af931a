# unroll_warnings(target): the project's warnings, for its own code only; users of the library do not inherit them.
# -Wsign-conversion stays off: sizes are signed (Index), the standard containers' are not, and the casts would bury the
# conversions that lose something.
function(unroll_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wold-style-cast -Wextra-semi -Wimplicit-fallthrough -Wundef)
  if(UNROLL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
