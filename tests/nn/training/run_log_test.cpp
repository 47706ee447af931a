// A log says what happened, also after crashes and when a run resumes.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/run_log.hpp>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <limits>
#include <string>

#include "support/expect.hpp"
#include "support/folder.hpp"

namespace unroll::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A run of some steps that logs at each.
void run(nn::RunLog& log, std::int64_t from, std::int64_t to) {
  for (std::int64_t step = from; step <= to; ++step)
    log.write(step, {{"loss", 1.0 / static_cast<double>(step)}});
}

}  // namespace

TEST_CASE("a log is one JSON object a line") {
  const Folder folder;
  nn::RunLog log(folder / "log", {.settings = {{"cell", "LSTM"}, {"hidden", 128}}});
  log.write(100, {{"loss", 1.25}, {"learning_rate", 1e-3}, {"tokens", 3}, {"best", true}});
  log.write(200,
            {{"loss", std::nan("")}, {"norm", kInfinity}, {"least", -kInfinity}, {"note", "\""}});
  log.write(300, {});
  CHECK(read(folder / "log") ==
        "{\"unroll_run_log\":1,\"settings\":{\"cell\":\"LSTM\",\"hidden\":128}}\n"
        "{\"step\":100,\"loss\":1.25,\"learning_rate\":0.001,\"tokens\":3,\"best\":true}\n"
        "{\"step\":200,\"loss\":\"NaN\",\"norm\":\"Infinity\",\"least\":\"-Infinity\",\"note\":"
        "\"\\\"\"}\n"
        "{\"step\":300}\n");
}

TEST_CASE("what is read is what was written, while the log is open") {
  const Folder folder;
  nn::RunLog log(folder / "log", {.settings = {{"seed", std::int64_t{1} << 60}}});
  const double third = 1.0 / 3.0;
  log.write(1, {{"third", third}, {"three", 3.0}, {"nan", std::nan("")}, {"least", -kInfinity}});
  log.write(2, {{"count", 3}, {"done", false}, {"text", "a\nb"}});
  const nn::RunLogContent content = nn::read_run_log(folder / "log");
  CHECK(!content.torn);
  CHECK(content.settings == nn::RunValues{{"seed", std::int64_t{1} << 60}});
  REQUIRE(content.records.size() == 2);
  const nn::RunRecord& first = content.records[0];
  CHECK(first.step == 1);
  REQUIRE(first.values.size() == 4);
  CHECK(first.values[0].first == "third");
  CHECK(std::get<double>(first.values[0].second) == third);
  CHECK(std::get<double>(first.values[1].second) == 3.0);
  CHECK(std::isnan(std::get<double>(first.values[2].second)));
  CHECK(std::get<double>(first.values[3].second) == -kInfinity);
  CHECK(content.records[1].values ==
        nn::RunValues{{"count", 3}, {"done", false}, {"text", "a\nb"}});
}

TEST_CASE("a run that resumes leaves the log of one that was never stopped") {
  const Folder folder;
  const nn::RunLogOptions options{.settings = {{"hidden", 128}}};
  {
    nn::RunLog log(folder / "whole", options);
    run(log, 1, 9);
  }
  const std::string whole = read(folder / "whole");
  // The last checkpoint is that of step 4; the crash cuts the log anywhere behind it.
  const std::size_t checkpoint = whole.find("{\"step\":5");
  REQUIRE(checkpoint != std::string::npos);
  for (std::size_t size = checkpoint; size <= whole.size(); ++size) {
    write(folder / "log", whole.substr(0, size));
    nn::RunLog log(folder / "log", {.settings = {}, .resume_after = 4});
    run(log, 5, 9);
    CHECK((read(folder / "log") == whole));
  }
  // Also when its last line is complete but for the end of the line.
  write(folder / "log", whole.substr(0, checkpoint - 1));
  nn::RunLog log(folder / "log", {.resume_after = 4});
  run(log, 5, 9);
  CHECK((read(folder / "log") == whole));
}

TEST_CASE("a run that resumes from nothing begins its log") {
  const Folder folder;
  for (const char* left : {"", "{\"unr", "{\"unroll_run_log\":1,\"set"}) {
    write(folder / "log", left);
    nn::RunLog log(folder / "log", {.settings = {{"hidden", 128}}, .resume_after = 0});
    CHECK(nn::read_run_log(folder / "log").settings.size() == 1);
  }
  nn::RunLog log(folder / "new", {.resume_after = 0});
  CHECK(nn::read_run_log(folder / "new").records.empty());
}

TEST_CASE("a torn last line is left out, a torn line elsewhere is an error with its number") {
  const Folder folder;
  const std::string header = "{\"unroll_run_log\":1,\"settings\":{}}\n";
  const std::string good = "{\"step\":1,\"loss\":2.5}\n";
  for (const std::string torn : {"{\"step\":2,\"lo", "{", "\xff"}) {
    write(folder / "log", header + good + torn);
    const nn::RunLogContent content = nn::read_run_log(folder / "log");
    CHECK(content.torn);
    CHECK(content.records.size() == 1);
    write(folder / "log", header + torn + '\n' + good);
    expect_error<FormatError>([&] { nn::read_run_log(folder / "log"); }, {"log\", line 2: "});
  }
  write(folder / "log", header + good + std::string(100, '\0'));  // after a loss of power
  CHECK(nn::read_run_log(folder / "log").torn);
}

TEST_CASE("what is no log is refused, and no log is overwritten") {
  const Folder folder;
  CHECK_THROWS_AS(nn::read_run_log(folder / "none"), FormatError);
  for (const char* text : {"", "step 1\n", "{}\n", "[1]\n", "{\"step\":1}\n", "notes"}) {
    write(folder / "log", text);
    CHECK_THROWS_AS(nn::read_run_log(folder / "log"), FormatError);
    expect_error<Error>([&] { nn::RunLog log(folder / "log"); }, {"exists; resume it or"});
    if (std::string(text).empty()) continue;
    CHECK_THROWS_AS(nn::RunLog(folder / "log", {.resume_after = 3}), FormatError);
    CHECK(read(folder / "log") == text);
  }
  write(folder / "log", "{\"unroll_run_log\":2,\"settings\":{}}\n");
  expect_error<FormatError>([&] { nn::read_run_log(folder / "log"); }, {"version 2"});
  for (const char* line : {"{\"loss\":1}\n", "{\"step\":\"x\"}\n", "{\"step\":1,\"a\":[]}\n",
                           "{\"step\":1,\"a\":null}\n"}) {
    write(folder / "log", std::string("{\"unroll_run_log\":1,\"settings\":{}}\n") + line);
    expect_error<FormatError>([&] { nn::read_run_log(folder / "log"); }, {"line 2"});
  }
  CHECK_THROWS_AS(nn::RunLog(folder / "none/log"), Error);
}

TEST_CASE("a record with a name that is empty, reserved or taken is refused whole") {
  const Folder folder;
  nn::RunLog log(folder / "log");
  const std::string before = read(folder / "log");
  CHECK_THROWS_AS(log.write(1, {{"a", 1}, {"step", 1}}), ArgumentError);
  CHECK_THROWS_AS(log.write(1, {{"a", 1}, {"a", 2}}), ArgumentError);
  CHECK_THROWS_AS(log.write(1, {{"", 1}}), ArgumentError);
  CHECK_THROWS_AS(log.write(1, {{"a", "\xff"}}), ArgumentError);
  CHECK(read(folder / "log") == before);
}

TEST_CASE("a full disk leaves whole lines, and the log goes on when there is space again") {
  const Folder folder;
  nn::RunLog log(folder / "log");
  log.write(1, {{"loss", 0.5}});
  const std::string before = read(folder / "log");

  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const ::rlimit small{.rlim_cur = before.size() + 10, .rlim_max = old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(log.write(2, {{"loss", 0.25}}), Error);
  const std::string full = read(folder / "log");
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);

  CHECK(full == before);
  log.write(3, {{"loss", 0.125}});
  log.sync();
  CHECK(read(folder / "log") == before + "{\"step\":3,\"loss\":0.125}\n");
}

}  // namespace unroll::testing
