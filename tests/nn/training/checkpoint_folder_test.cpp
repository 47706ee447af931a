// Which files a run leaves in its folder, whatever happens to it.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/training/checkpoint_folder.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/folder.hpp"

namespace unroll::testing {
namespace {

struct Run {
  std::int64_t step = 0;
  nn::Checkpoint checkpoint;
  Run() { checkpoint.add("step", step); }

  void save(nn::CheckpointFolder& folder, std::int64_t at, std::optional<double> metric = {}) {
    step = at;
    folder.save(checkpoint, at, metric);
  }
  std::int64_t step_in(const std::string& path) {
    checkpoint.load(path);
    return step;
  }
};

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(path))
    names.push_back(file.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("the last files stay, and the best one") {
  const Folder temporary;
  nn::CheckpointFolder folder(temporary / "runs/a", {.keep_last = 2});
  CHECK(!folder.latest().path);
  Run run;
  run.save(folder, 100, 2.5);
  run.save(folder, 200, 1.5);
  run.save(folder, 300, 2.0);
  run.save(folder, 1200, std::numeric_limits<double>::quiet_NaN());
  run.save(folder, 1300);
  CHECK(names_in(temporary / "runs/a") == std::vector<std::string>{"best.safetensors",
                                                                   "step-00001200.safetensors",
                                                                   "step-00001300.safetensors"});
  CHECK(folder.best_metric() == 1.5);
  CHECK(run.step_in(folder.best_path()) == 200);
  CHECK(folder.latest().path == folder.path_of(1300));
  CHECK(folder.latest().notes.empty());
}

TEST_CASE("a new process knows the best metric so far, digit by digit") {
  const Folder temporary;
  Run run;
  {
    nn::CheckpointFolder folder(temporary / "run");
    run.save(folder, 1, 0.1);
  }
  nn::CheckpointFolder folder(temporary / "run");
  CHECK(folder.best_metric() == 0.1);
  run.save(folder, 2, 0.1);
  CHECK(run.step_in(folder.best_path()) == 1);
  run.save(folder, 3, std::nextafter(0.1, 0.0));
  CHECK(run.step_in(folder.best_path()) == 3);

  nn::CheckpointFolder accuracy(temporary / "accuracy", {.higher_is_better = true});
  run.save(accuracy, 1, 0.5);
  run.save(accuracy, 2, 0.75);
  run.save(accuracy, 3, 0.5);
  CHECK(run.step_in(accuracy.best_path()) == 2);

  nn::CheckpointFolder none(temporary / "none", {.keep_best = false});
  run.save(none, 1, 0.5);
  CHECK(!fs::exists(none.best_path()));
}

TEST_CASE("a damaged newest file is skipped with a note, and replaced by the run that goes on") {
  const Folder temporary;
  nn::CheckpointFolder folder(temporary / "run");
  Run run;
  for (const std::int64_t step : {10, 20, 30}) run.save(folder, step, 1.0);
  const std::string newest = read(folder.path_of(30));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, newest.size() / 2, newest.size() - 1}) {
    write(folder.path_of(30), newest.substr(0, size));
    const nn::LatestCheckpoint latest = folder.latest();
    CHECK(latest.path == folder.path_of(20));
    REQUIRE(latest.notes.size() == 1);
    CHECK(latest.notes[0].find("step-00000030.safetensors\" is damaged") != std::string::npos);
  }
  CHECK(run.step_in(*folder.latest().path) == 20);
  run.save(folder, 25, 1.0);
  CHECK(folder.latest().path == folder.path_of(25));
  CHECK(!fs::exists(folder.path_of(30)));

  write(folder.best_path(), "cut");
  CHECK(!folder.best_metric());
  run.save(folder, 26, 9.0);
  CHECK(folder.best_metric() == 9.0);
}

TEST_CASE("what a killed writer has left is removed by the next save, and nothing else") {
  const Folder temporary;
  nn::CheckpointFolder folder(temporary / "run");
  Run run;
  run.save(folder, 10);
  const ::pid_t child = ::fork();
  if (child == 0) {
    nn::AtomicFile unfinished(folder.path_of(20));
    unfinished.write("half", 4);
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  write(temporary / "run/best.safetensors.1-0.tmp", "half");
  for (const char* name : {"notes.1-0.tmp", "step-x.safetensors", "step-30.safetensors", "log"})
    write(temporary / ("run/" + std::string(name)), "a user's");
  CHECK(folder.latest().path == folder.path_of(10));
  run.save(folder, 30);
  CHECK(names_in(temporary / "run") ==
        std::vector<std::string>{"log", "notes.1-0.tmp", "step-00000010.safetensors",
                                 "step-00000030.safetensors", "step-30.safetensors",
                                 "step-x.safetensors"});
}

TEST_CASE("a save that fails removes nothing") {
  const Folder temporary;
  nn::CheckpointFolder folder(temporary / "run", {.keep_last = 1});
  Run run;
  run.save(folder, 10);
  nn::State undefined{Variable(Tensor())};
  run.checkpoint.add("state", undefined);
  CHECK_THROWS_AS(run.save(folder, 20), ArgumentError);
  CHECK(folder.latest().path == folder.path_of(10));
}

TEST_CASE("arguments of a checkpoint folder are checked") {
  const Folder temporary;
  CHECK_THROWS_AS(nn::CheckpointFolder(temporary / "run", {.keep_last = 0}), ArgumentError);
  write(temporary / "file", "");
  expect_error<Error>([&] { nn::CheckpointFolder folder(temporary / "file"); },
                      {"file\" cannot be made"});
  nn::CheckpointFolder folder(temporary / "run");
  Run run;
  CHECK_THROWS_AS(run.save(folder, -1), ArgumentError);
  run.save(folder, 123456789012);
  run.save(folder, 123456789013);
  CHECK(folder.latest().path == folder.path_of(123456789013));
}

}  // namespace unroll::testing
