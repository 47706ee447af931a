// The model of a training run survives whatever ends or disturbs the run.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nn/io/safetensors.hpp>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "lm.hpp"

using namespace lm_program;
using unroll::nn::TensorFile;

TEST_CASE("a run that is killed leaves the model it saved last") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const std::string model = folder / "model";
  const ::pid_t child =
      start(folder, Arguments{"train", "--text", text, "--model", model} + kSmall +
                        Arguments{"--epochs", "1000000", "--eval-every", "5"});
  wait_for(model);
  ::kill(child, SIGKILL);
  CHECK(finish(folder, child).code == -SIGKILL);
  CHECK(run(folder, {"sample", "--model", model, "--length", "10"}).code == 0);
}

TEST_CASE("a run that is asked to end does so in order") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string model = folder / ("model" + std::to_string(signal));
    const ::pid_t child =
        start(folder, Arguments{"train", "--text", text, "--model", model} + kSmall +
                          Arguments{"--epochs", "1000000", "--eval-every", "5"});
    wait_for(model);
    ::kill(child, signal);
    const Outcome outcome = finish(folder, child);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "interrupted"));
    CHECK(run(folder, {"sample", "--model", model, "--length", "5"}).code == 0);
  }
}

TEST_CASE(
    "a run whose terminal goes away, or the reader of its log, saves and says so by its code") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const Arguments training =
      Arguments{"train", "--text", text} + kSmall + Arguments{"--eval-every", "5"};

  int master = -1, terminal = -1;
  REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
  ::fcntl(master, F_SETFD, FD_CLOEXEC);
  const ::pid_t hung_up =
      start(folder, training + Arguments{"--model", folder / "a", "--epochs", "1000000"}, terminal);
  ::close(terminal);
  wait_for(folder / "a");
  ::close(master);
  ::kill(hung_up, SIGHUP);
  CHECK(finish(folder, hung_up).code == 1);
  CHECK(run(folder, {"sample", "--model", folder / "a", "--length", "5"}).code == 0);

  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const ::pid_t unread =
      start(folder, training + Arguments{"--model", folder / "b", "--epochs", "3"}, ends[1]);
  ::close(ends[1]);
  ::close(ends[0]);
  CHECK(finish(folder, unread).code == 1);
  CHECK(run(folder, {"sample", "--model", folder / "b", "--length", "5"}).code == 0);
}

TEST_CASE("a standard output that takes nothing is an error of every command") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const auto into_full = [&](const Arguments& arguments) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    const ::pid_t child = start(folder, arguments, full);
    ::close(full);
    const Outcome outcome = finish(folder, child);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "lm: "));
  };
  into_full(Arguments{"train", "--text", text, "--model", folder / "model"} + kSmall);
  CHECK(run(folder, {"sample", "--model", folder / "model", "--length", "5"}).code == 0);
  into_full({"sample", "--model", folder / "model"});
  into_full({"eval", "--model", folder / "model", "--text", text});
}

namespace {

#ifdef __SANITIZE_ADDRESS__  // every start takes ten times as long there
constexpr int kMostKills = 3;
constexpr std::size_t kMostConfigurations = 1;
constexpr const char* kSteps = "30";
#else
constexpr int kMostKills = 12;
constexpr std::size_t kMostConfigurations = 100;
constexpr const char* kSteps = "120";
#endif

/// What a run ends with, killed at random moments and resumed until it is done.
struct Ended {
  std::string model, log;
  int kills = 0;
};

Ended run_to_the_end(const Folder& folder, const std::string& name, const Arguments& options,
                     bool kill) {
  const std::string model = folder / name;
  const Arguments begin = Arguments{"train", "--model", model, "--quiet"} + options;
  const Arguments resume{"train", "--resume", "--model", model, "--quiet"};
  unroll::Generator generator(options.size() + kill);
  Ended ended;
  ::pid_t child = start(folder, begin);
  while (kill) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + generator.below(90)));
    if (::kill(child, SIGKILL) != 0) break;
    if (finish(folder, child).code == 0) break;
    ++ended.kills;
    // There is nothing to resume when it was killed before it began.
    child = start(folder, std::filesystem::exists(model + ".run/settings") ? resume : begin);
    if (ended.kills == kMostKills) kill = false;  // a slow machine gets to the end
  }
  if (!kill) {
    const Outcome outcome = finish(folder, child);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
  }
  ended.model = read(model);
  ended.log = read(model + ".run/log.jsonl");
  return ended;
}

}  // namespace

TEST_CASE("a run that is killed again and again ends with the bytes of one that never was") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::vector<Arguments> all{
      {"--optimizer", "adam", "--threads", "1"},
      {"--optimizer", "sgd:momentum=0.9", "--threads", "2", "--cell", "gru"},
      {"--optimizer", "asgd:start=20", "--threads", "1", "--weight-drop", "0.3"},
      {"--optimizer", "rmsprop", "--threads", "2", "--average", "0.95"},
      {"--optimizer", "nadam", "--threads", "1", "--schedule", "plateau"},
      {"--optimizer", "lion", "--threads", "1", "--locked-dropout", "0.2"},
      {"--optimizer", "adagrad", "--threads", "2", "--zoneout", "0.1"},
      {"--optimizer", "adadelta", "--threads", "1", "--tied", "--embedding", "24"},
      {"--optimizer", "radam", "--threads", "2", "--schedule", "constant"}};
  const std::size_t count = std::min(all.size(), kMostConfigurations);
  int kills = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const Arguments& how = all[k];
    CAPTURE(how[1]);
    const Arguments options =
        Arguments{"--text",         text,   "--hidden",        "24",    "--embedding", "8",
                  "--layers",       "2",    "--dropout",       "0.2",   "--batch",     "4",
                  "--steps",        "16",   "--learning-rate", "0.002", "--max-steps", kSteps,
                  "--save-minutes", "1e-9", "--eval-every",    "7"} +
        how;
    const Ended once = run_to_the_end(folder, how[1] + "_once", options, false);
    const Ended killed = run_to_the_end(folder, how[1] + "_killed", options, true);
    CHECK(once.model == killed.model);
    CHECK(once.log == killed.log);
    kills += killed.kills;
  }
  MESSAGE(kills << " kills");
  CHECK(kills > 0);
}

TEST_CASE("what a run leaves that was killed before it began is not in the way of the next") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300)), model = folder / "model";
  std::filesystem::create_directory(model + ".run");
  write(model + ".run/settings.1234-0.tmp", "# The sett");
  train(folder, text, model, {"--max-steps", "2"});
  CHECK_FALSE(std::filesystem::exists(model + ".run/settings.1234-0.tmp"));

  std::filesystem::create_directory(folder / "mine.run");
  write(folder / "mine.run/notes", "of another kind");
  expect_refused(
      run(folder, Arguments{"train", "--text", text, "--model", folder / "mine"} + kSmall),
      "is in the way of the run");
}

TEST_CASE("a run that is resumed after its end changes nothing") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::string model = folder / "model", log = model + ".run/log.jsonl";
  for (const char* validation : {"0.1", "0"}) {
    CAPTURE(validation);
    train(
        folder, text, model,
        {"--max-steps", "12", "--save-minutes", "1e-9", "--validation", validation, "--overwrite"});
    const std::string saved = read(model), logged = read(log);
    CHECK(run(folder, {"train", "--resume", "--model", model}).code == 0);
    CHECK(read(model) == saved);
    CHECK(read(log) == logged);
  }
}

TEST_CASE("a run goes on from a whole checkpoint when the newest is damaged") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::string model = folder / "model";
  train(folder, text, model, {"--max-steps", "40", "--eval-every", "10"});
  const std::string newest = model + ".run/step-00000040.safetensors";
  const std::string good = read(newest);
  const Arguments more{"train", "--resume", "--model", model, "--max-steps", "45"};

  write(newest, good.substr(0, good.size() / 2));
  const Outcome resumed = run(folder, more);
  CHECK(resumed.code == 0);
  CHECK(contains(resumed.out, "damaged"));
  CHECK(contains(resumed.out, "resumed  at step 30\n"));
}

TEST_CASE("a run is resumed with its own settings, or replaced only when that is asked for") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::string model = folder / "model";
  const Arguments resume{"train", "--resume", "--model", model};
  expect_refused(run(folder, resume), "--resume: there is no run of");
  train(folder, text, model, {"--max-steps", "100", "--dropout", "0.25"});
  const std::string first = read(model);
  expect_refused(run(folder, Arguments{"train", "--text", text, "--model", model} + kSmall),
                 "exists; --resume goes on with its run, --overwrite replaces it");
  expect_refused(run(folder, resume + Arguments{"--overwrite"}), "--overwrite");
  for (const auto& [option, value] : std::map<std::string, std::string>{{"--cell", "gru"},
                                                                        {"--layers", "2"},
                                                                        {"--dropout", "0.5"},
                                                                        {"--learning-rate", "1"},
                                                                        {"--text", text}})
    expect_refused(run(folder, resume + Arguments{option, value}), option + " cannot be given");
  CHECK(read(model) == first);

  const Outcome resumed = run(folder, resume + Arguments{"--max-steps", "150"});
  CHECK(resumed.code == 0);
  CHECK(contains(resumed.out, "resumed  at step 100\n"));
  CHECK(unroll::nn::load_safetensors(model).metadata.at("step") == "150");

  const auto refuse_text = [&](const std::string& other, const std::string& message) {
    write(text, other);
    const Outcome outcome = run(folder, resume + Arguments{"--max-steps", "160"});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, message));  // among all that does not fit
  };
  // As many symbols, one of them another.
  std::string other = sentences(300);
  other[other.find('c')] = 'd';
  refuse_text(other, "setting vocabulary");
  refuse_text(sentences(299), "give the text of that run");
  write(text, sentences(300));

  train(folder, text, model, {"--max-steps", "2", "--overwrite"});
  CHECK(unroll::nn::load_safetensors(model).metadata.at("step") == "2");
}

TEST_CASE("a model that gets worse than equal probabilities ends the run with advice") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  for (const char* validation : {"0.1", "0"}) {
    const Outcome outcome =
        run(folder, Arguments{"train", "--text", text, "--model", folder / validation} + kSmall +
                        Arguments{"--learning-rate", "1000", "--epochs", "100", "--validation",
                                  validation, "--eval-every", "20"});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "worse than equal probabilities for all 23 symbols (3.1355)"));
    CHECK(contains(outcome.err, "try a lower --learning-rate"));
    CHECK(!fs::exists(folder / validation));
  }
}

TEST_CASE("a save that fails is reported and tried again, and the run goes on") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const fs::path place = folder / "place", away = folder / "away";
  const std::string model = (place / "model").string();
  fs::create_directory(place);
  const auto begin = [&] {
    const ::pid_t child =
        start(folder, Arguments{"train", "--text", text, "--model", model} + kSmall +
                          Arguments{"--epochs", "1000000", "--eval-every", "5"});
    wait_for(model);
    fs::rename(place, away);
    for (int i = 0; i < 3000 && !contains(read(folder / ".out"), "not saved"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return child;
  };
  ::pid_t child = begin();
  const std::string kept = read((away / "model").string());
  fs::rename(away, place);
  for (int i = 0; i < 3000 && read(model) == kept; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(read(model) != kept);
  ::kill(child, SIGTERM);
  const Outcome outcome = finish(folder, child);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "not saved, the next validation tries again"));

  fs::remove(model);
  fs::remove_all(model + ".run");
  child = begin();
  ::kill(child, SIGTERM);
  const Outcome failed = finish(folder, child);
  CHECK(failed.code == 1);
  CHECK(contains(failed.err, "could not be saved"));
}

#ifndef __SANITIZE_ADDRESS__  // steps this large take minutes there
TEST_CASE("a model that waits to be saved is saved when the run ends by an error") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(2000));
  const fs::path place = folder / "place", away = folder / "away";
  const std::string model = (place / "model").string();
  fs::create_directory(place);
  // The validation of step 19 asks for a save while the folder is away, that of step 38 ends the
  // run. Steps this large leave time to bring the folder back between the two.
  const ::pid_t child = start(
      folder, Arguments{"train", "--text",      text,  "--model",         model,  "--hidden",
                        "256",   "--embedding", "8",   "--batch",         "32",   "--steps",
                        "64",    "--threads",   "1",   "--learning-rate", "1000", "--eval-every",
                        "19",    "--epochs",    "1000"});
  const auto wait_until_it_says = [&](const char* words) {
    for (int i = 0; i < 60000 && !contains(read(folder / ".out"), words); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  wait_until_it_says("parameters");
  fs::rename(place, away);
  wait_until_it_says("step 19: not saved");
  fs::rename(away, place);
  const Outcome outcome = finish(folder, child);
  CAPTURE(outcome.out);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome.err, "at step 38 the model predicts"));
  CHECK(unroll::nn::load_safetensors(model).metadata.at("step") == "19");
}
#endif
