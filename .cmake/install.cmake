# `cmake --install` and find_package(unroll); tests/consumer is a project that uses both.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/unroll")
install(TARGETS unroll EXPORT unroll)

# Headers that no public header includes are not installed.
include("${CMAKE_CURRENT_LIST_DIR}/public_headers.cmake")
unroll_public_headers("${PROJECT_SOURCE_DIR}" found)
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
