# `cmake --install` and find_package(unroll); tests/consumer is a project that uses both.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/unroll")
install(TARGETS unroll EXPORT unroll)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/autograd" "${PROJECT_SOURCE_DIR}/nn"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(EXPORT unroll NAMESPACE unroll:: FILE unrollTargets.cmake DESTINATION "${package_dir}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/unrollConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/unrollConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/unrollConfig.cmake" "${PROJECT_BINARY_DIR}/unrollConfigVersion.cmake"
  DESTINATION "${package_dir}")
