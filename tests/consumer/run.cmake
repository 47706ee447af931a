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
