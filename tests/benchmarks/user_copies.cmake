# user_copies: the cells of nn/cells as a user would have written them: the same text in another namespace, compiled
# against the installed headers' interface and outside the library. What makes built-in cells fast must make these fast.
set(copies "${CMAKE_CURRENT_BINARY_DIR}/copies/user_copies")
set(copied_sources)
set(copied_headers "#include <nn/nn.hpp>\n")
file(GLOB cell_files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/nn/cells/*.?pp")
foreach(file IN LISTS cell_files ITEMS "${PROJECT_SOURCE_DIR}/tests/support/cells.hpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" text)
  foreach(inner nn testing)
    string(REPLACE "namespace unroll::${inner} {" "namespace user_copies {
using namespace unroll;
}
namespace user_copies::${inner} {
using namespace unroll::${inner};" text "${text}")
  endforeach()
  string(REPLACE "<nn/cells/" "<user_copies/" text "${text}")
  string(REPLACE "<nn/nn.hpp>" "<user_copies/all.hpp>" text "${text}")
  cmake_path(GET file FILENAME name)
  file(CONFIGURE OUTPUT "${copies}/${name}" CONTENT "${text}" @ONLY)
  if(name MATCHES "[.]cpp$")
    list(APPEND copied_sources "${copies}/${name}")
  elseif(NOT name STREQUAL "cells.hpp")
    string(APPEND copied_headers "#include <user_copies/${name}>\n")
  endif()
endforeach()
file(CONFIGURE OUTPUT "${copies}/all.hpp" CONTENT "#pragma once\n\n${copied_headers}" @ONLY)

add_library(user_copies STATIC ${copied_sources})
target_include_directories(user_copies PUBLIC
  "${CMAKE_CURRENT_BINARY_DIR}/copies" "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(user_copies PUBLIC unroll::unroll)
