# Run by ctest: installs the library into an empty prefix, and configures, builds and runs this folder's project with it.
file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")
set(build "${WORK}/build")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run("${CMAKE_COMMAND}" --install "${LIBRARY_BUILD}" --prefix "${prefix}")

# The include folder has what the umbrella headers need and no more, and nobody is made to have xtensor.
file(GLOB_RECURSE targets "${prefix}/*/unrollTargets*.cmake")
foreach(file IN LISTS targets)
  file(STRINGS "${file}" lines REGEX "xtensor")
  if(lines)
    message(FATAL_ERROR "${file} demands xtensor: ${lines}")
  endif()
endforeach()
foreach(header IN ITEMS autograd/autograd.hpp autograd/tensor/xtensor.hpp nn/nn.hpp nn/cells/lstm.hpp)
  if(NOT targets OR NOT EXISTS "${prefix}/include/${header}")
    message(FATAL_ERROR "${header} is not installed")
  endif()
endforeach()
foreach(header IN ITEMS autograd/kernels/gemm.hpp autograd/verify/replay.hpp nn/io/atomic_file.hpp)
  if(EXISTS "${prefix}/include/${header}")
    message(FATAL_ERROR "${header} is installed, though no public header needs it")
  endif()
endforeach()

run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${build}" -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${prefix}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
run("${CMAKE_COMMAND}" --build "${build}")
run("${build}/consumer")

# A file for another instruction set than that of the library is an error of the linker that says so.
separate_arguments(flags UNIX_COMMAND "${FLAGS} -std=c++20")
execute_process(COMMAND "${COMPILER}" ${flags} -dM -E -x c++ /dev/null OUTPUT_VARIABLE macros)
if(ARCH AND macros MATCHES "__x86_64__")
  if(ARCH MATCHES "^x86-64$")
    set(other haswell)
  else()
    set(other x86-64)
  endif()
  file(GLOB_RECURSE library "${prefix}/*/libunroll.a")
  execute_process(
    COMMAND "${COMPILER}" ${flags} "-march=${other}" "-I${prefix}/include" "${SOURCE}/other_march.cpp" "${library}"
      -o "${build}/other_march"
    ERROR_VARIABLE message RESULT_VARIABLE failed)
  if(NOT failed OR NOT message MATCHES "this_file_and_the_library_differ_in_march")
    message(FATAL_ERROR "a program for another instruction set must not link: ${message}")
  endif()
endif()
