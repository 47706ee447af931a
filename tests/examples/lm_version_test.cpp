#include <doctest/doctest.h>
#include <autograd/tensor/version.hpp>

#include <string>

#include "lm.hpp"

using namespace lm_program;

TEST_CASE("the version is that of the package, and the program prints it") {
  const std::string build = read(UNROLL_SOURCE_DIR "/CMakeLists.txt");
  CHECK(contains(build, std::string("project(unroll VERSION ") + unroll::kVersion + ' '));
  const Folder folder;
  const Outcome outcome = run(folder, {"--version"});
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "");
  CHECK(outcome.out == std::string("lm, unroll ") + unroll::kVersion + '\n');
}
