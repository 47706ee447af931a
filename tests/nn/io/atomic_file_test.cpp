// What happens to the file that a save replaces, whatever happens to the save.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/io/safetensors.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "support/folder.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

nn::TensorFile small_file() { return {{{"weight", ones({2, 2})}}, {}}; }

}  // namespace

TEST_CASE("a write that fails half way leaves the old file and nothing else") {
  const Folder folder;
  const fs::path path = folder / "model";
  nn::save_safetensors(path, small_file());
  const std::string before = read(path);

  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const ::rlimit small{.rlim_cur = 4096, .rlim_max = old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_WITH_AS(nn::save_safetensors(path, {{{"big", zeros({4096})}}, {}}),
                       doctest::Contains("cannot write: File too large"), Error);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);

  CHECK(read(path) == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that is saved over keeps its mode") {
  const Folder folder;
  const fs::path path = folder / "model";
  nn::save_safetensors(path, small_file());
  for (const auto mode : {fs::perms(0600), fs::perms(0644), fs::perms(0660)}) {
    fs::permissions(path, mode);
    nn::save_safetensors(path, small_file());
    CHECK(fs::status(path).permissions() == mode);
  }
}

TEST_CASE("a file that root saves over keeps its owner") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root may give files away");
    return;
  }
  const Folder folder;
  const fs::path path = folder / "model";
  nn::save_safetensors(path, small_file());
  REQUIRE(::chown(path.c_str(), 12345, 54321) == 0);
  nn::save_safetensors(path, small_file());
  struct ::stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_uid == 12345);
  CHECK(status.st_gid == 54321);
}

TEST_CASE("what a killed writer left is removed by the next, and what a live one writes is not") {
  const Folder folder;
  const fs::path path = folder / "model";
  write(folder / "model.99999999-0.tmp", "left");
  write(folder / "model.notes.tmp", "a user's");
  write(folder / "model2.99999999-0.tmp", "another file's");

  const ::pid_t child = ::fork();
  if (child == 0) {
    nn::AtomicFile unfinished(path);
    unfinished.write("half", 4);
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(!fs::exists(folder / "model.99999999-0.tmp"));
  CHECK(folder.files() == 3);  // with what the child left

  nn::AtomicFile alive(path);
  alive.write("whole", 5);
  CHECK(folder.files() == 3);
  nn::save_safetensors(path, small_file());
  CHECK(folder.files() == 4);
  alive.commit();
  CHECK(read(path) == "whole");
  CHECK(folder.files() == 3);
}

TEST_CASE("of several writers at once each leaves a whole file, and all succeed") {
  const Folder folder;
  const std::string path = folder / "model";
  std::vector<std::string> failures(4);
  std::vector<std::thread> writers;
  for (std::size_t k = 0; k < failures.size(); ++k)
    writers.emplace_back([&, k] {
      try {
        for (int round = 0; round < 100; ++round)
          nn::save_safetensors(path, {{{"x", full({1000}, static_cast<double>(k))}}, {}});
      } catch (const Error& error) {
        failures[k] = error.what();
      }
    });
  for (int round = 0; round < 100; ++round) {
    if (!fs::exists(path)) continue;
    const std::vector<float> x = nn::load_safetensors(path).at("x").to_vector<float>();
    CHECK(x == std::vector<float>(1000, x[0]));
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failures == std::vector<std::string>(4));
  CHECK(folder.files() == 1);
}

TEST_CASE("saving through a link replaces the file it stands for") {
  const Folder folder;
  write(folder / "file", "old");
  fs::create_symlink("file", folder / "link");
  nn::save_safetensors(folder / "link", small_file());
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(nn::load_safetensors(folder / "file").at("weight").shape() == Shape{2, 2});
}
