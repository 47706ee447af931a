# `cmake --install` and find_package(unroll); tests/consumer is a project that uses both.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/unroll")
install(TARGETS unroll EXPORT unroll)

# What the umbrella headers and the opt-in one include, and what that includes, is public; the rest is not installed.
set(found "")
set(ahead autograd/autograd.hpp nn/nn.hpp autograd/tensor/xtensor.hpp)
while(ahead)
  list(POP_FRONT ahead header)
  if(NOT header IN_LIST found)
    list(APPEND found "${header}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${header}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/${header}" includes REGEX "^#include <(autograd|nn)/")
    list(TRANSFORM includes REPLACE "^#include <([^>]+)>.*" "\\1")
    list(APPEND ahead ${includes})
  endif()
endwhile()
foreach(header IN LISTS found)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/${folder}")
endforeach()
install(EXPORT unroll NAMESPACE unroll:: FILE unrollTargets.cmake DESTINATION "${package_dir}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/unrollConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/unrollConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/unrollConfig.cmake" "${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake"
  DESTINATION "${package_dir}")
