// The examples of the lectures, run quickly: every one prints its figures of merit and draws its
// picture. What a full run reaches is in docs/examples.md.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "program.hpp"

using namespace programs;

namespace {

struct Figure {
  std::string name;
  double low, high;  ///< of a quick run, with room on both sides
};

struct Example {
  std::string name;
  std::vector<Figure> figures;
  std::vector<std::string> in_picture;  ///< axes and legends
};

const std::vector<Example> kExamples{
    {"temporal_generalisation",
     {{"LSTM, median accuracy at n = 8", 0.9, 1.0},
      {"window, median accuracy at n = 8", 0.9, 1.0},
      {"LSTM, median accuracy at n = 1000", 0.3, 1.0},
      {"window, median accuracy at n = 1000", 0.4, 0.6},
      {"LSTMs of 1 that found the rule", 0.0, 1.0}},
     {"number of yellows n", "accuracy", "LSTM", "window of ten"}},
    {"forced_oscillator",
     {{"k/m", 1.6, 2.6},  // starts at 1.5
      {"A/m", 0.2, 1.0},  // starts at 0
      {"root mean squared error of the noisy positions", 0.04, 0.3},
      {"root mean squared error of the exact positions", 0.0, 0.3}},
     {"time t (s)", "position s (m)", "observed", "after the fit", "true A/m"}},
    {"mackey_glass",
     {{"NRMSE 6 ahead, open loop", 0.0, 0.8},
      {"NRMSE 84 ahead, closed loop", 0.0, 3.0},
      {"NRMSE 6 ahead, linear", 0.0, 2.0},
      {"NRMSE 84 ahead, linear", 0.0, 3.0}},
     {"time ahead", "NRMSE", "linear, closed loop", "open loop"}},
    {"learned_delays",
     {{"delays found, of 4", 4.0, 4.0},
      {"least probability of a true delay", 0.2, 1.0},  // starts at 0.05
      {"largest error of a weight", 0.0, 1.5},
      {"root mean squared error", 0.09, 1.0}},
     {"update", "probability", "delay (steps)", "delay 17"}},
    {"elman_1990",
     {{"XOR: RMS error of the random bits", 0.45, 0.6},
      {"XOR: RMS error of the determined bits", 0.0, 0.55},
      {"letters: RMS error of the consonants", 0.25, 0.4},
      {"letters: RMS error of the vowels", 0.0, 0.2}},
     {"element to predict", "RMS error", "Temporal XOR", "Letters"}},
    {"truncation_length",
     {{"lag 4, k = 4: error in bits", 0.9, 1.2},
      {"lag 8, k = 8: error in bits", 0.9, 1.2},
      {"lag 4, k = 8: error in bits", 0.0, 0.8},
      {"lag 8, k = 16: error in bits", 0.0, 1.1}},
     {"truncation length k", "error (bits", "lag 4", "lag 8"}},
    {"learning_rules",
     {{"BPTT, sequences of 25: bits", 0.8, 1.1},
      {"truncated BPTT, k1 = 1, k2 = 10: bits", 0.0, 0.8},  // these two have begun to fall
      {"RTRL: bits", 0.0, 0.8},
      {"truncated BPTT, k1 = k2 = 5: bits", 0.7, 1.1},
      {"focused backpropagation: bits", 0.7, 1.1},
      {"simple backpropagation: bits", 0.8, 1.1}},
     {"steps of the stream", "error (bits", "RTRL", "focused backpropagation"}},
    {"gradient_flow",
     {{"Elman: factor in a step", 0.4, 0.8},
      {"identity ReLU: factor in a step", 1.0, 1.0},
      {"GRU: factor in a step", 0.5, 0.85},
      {"LSTM: factor in a step", 0.5, 0.85},
      {"LSTM, bias 4: factor in a step", 0.95, 1.15}},
     {"lag t - k (steps)", "time step k", "norm of d", "identity ReLU"}},
    {"ntm_copy",
     {{"NTM, bit error at length 20", 0.0, 0.6},
      {"LSTM, bit error at length 20", 0.2, 0.6},
      {"LSTM, bit error at length 120", 0.4, 0.6}},
     {"length of the sequence", "bit error", "NTM", "location of the memory"}},
    {"tagger",
     {{"most frequent tag of each word", 0.6, 0.8},
      {"LSTM, one way", 0.1, 0.9},
      {"LSTM, both ways", 0.1, 0.95}},
     {"accuracy", "both ways"}},
    {"translation",
     {{"numbers never seen", 0.0, 1.0},
      {"dates never seen", 0.0, 1.0},
      {"numbers of 5 words, never seen", 0.0, 1.0},
      {"numbers of 8 words, never seen", 0.0, 1.0},
      {"numbers of 6 digits, never seen", 0.0, 0.2}},
     {"update", "fraction of the items", "attention weight", "forty", "numbers never seen"}},
    {"alignment",
     {{"F1, Needleman-Wunsch, 1 and -1", 0.5, 0.9},
      {"F1, Needleman-Wunsch, log odds", 0.6, 0.95},
      {"F1, soft alignment", 0.0, 0.95}},
     {"update", "F1 (pairs)", "probability of being aligned"}},
    {"long_memory", {}, {"sequences learned from", "knowing nothing"}},
};

std::string program(const std::string& name) {
  return std::string(UNROLL_EXAMPLES_DIR) + "/" + name + "/" + name;
}

Outcome quick(const Folder& folder, const std::string& name, const Arguments& more = {}) {
  Arguments arguments{"--quick", "--picture", folder / "picture.svg"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(program(name).c_str(), folder, arguments);
}

bool has_gnuplot() { return std::system("gnuplot --version >/dev/null 2>&1") == 0; }

/// Leaves the programs that are started in its life no path to find gnuplot on.
class NoPath {
 public:
  NoPath() : path_(std::getenv("PATH")) { ::setenv("PATH", "/nowhere", 1); }
  NoPath(const NoPath&) = delete;
  NoPath& operator=(const NoPath&) = delete;
  ~NoPath() { ::setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("every example prints its figures beside the expected ones and draws its picture") {
  for (const Example& example : kExamples) {
    CAPTURE(example.name);
    const Folder folder;
    const Outcome outcome = quick(folder, example.name);
    CAPTURE(outcome.out);
    CHECK(outcome.err == "");
    REQUIRE(outcome.code == 0);
    for (const Figure& figure : example.figures) {
      CAPTURE(figure.name);
      const double measured = number_after(outcome.out, "\n" + figure.name + ":");
      CHECK(measured >= figure.low);
      CHECK(measured <= figure.high);
    }
    CHECK(contains(outcome.out, "   expected "));
    CHECK(contains(outcome.out, "Look at "));
    const std::string script = read(folder / "picture.gnuplot");
    for (const std::string& text : example.in_picture) CHECK(contains(script, text));
    if (!has_gnuplot()) continue;
    const std::string picture = read(folder / "picture.svg");
    CHECK(picture.starts_with("<?xml"));
    CHECK(contains(picture, "</svg>"));
    for (const std::string& text : example.in_picture) CHECK(contains(picture, text));
    CHECK(contains(outcome.out, "Picture: " + (folder / "picture.svg")));
  }
}

TEST_CASE("every folder of examples with a program is tested and described") {
  std::set<std::string> tested{"lm"};
  for (const Example& example : kExamples) tested.insert(example.name);
  const fs::path root = UNROLL_SOURCE_DIR;
  const std::string page = read(root / "docs" / "examples.md");
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(root / "examples"))
    if (fs::exists(entry.path() / "main.cpp")) {
      found.insert(entry.path().filename());
      CHECK(contains(page, "../examples/" + entry.path().filename().string() + "/main.cpp"));
    }
  CHECK(found == tested);
}

TEST_CASE("examples/run --help prints how it is used, and every example that there is") {
  const Folder folder;
  const std::string script = std::string(UNROLL_SOURCE_DIR) + "/examples/run";
  const Outcome outcome = run(script.c_str(), folder, {"--help"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "examples/run NAME"));
  for (const Example& example : kExamples) CHECK(contains(outcome.out, " " + example.name));
  const Outcome unknown = run(script.c_str(), folder, {"no_such_example"});
  CHECK(unknown.code == 2);
  CHECK(contains(unknown.err, "no_such_example"));
  CHECK(contains(unknown.err, "mackey_glass"));
}

TEST_CASE("an example with the same seed prints the same, with another something else") {
  const Folder folder;
  for (const char* name : {"learned_delays", "elman_1990", "temporal_generalisation"}) {
    CAPTURE(name);
    const std::string out = quick(folder, name).out;
    CHECK(quick(folder, name).out == out);
    CHECK(quick(folder, name, {"--seed", "2"}).out != out);
  }
}

TEST_CASE("without gnuplot an example says so, leaves the script, and goes on") {
  const Folder folder;
  const NoPath none;
  // Of an option given twice the last counts: examples/run gives a --picture of its own.
  const Outcome outcome = quick(folder, "forced_oscillator", {"--picture", folder / "other.svg"});
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "gnuplot is not installed"));
  CHECK(contains(read(folder / "other.gnuplot"), "plot $curve0"));
  CHECK_FALSE(fs::exists(folder / "other.svg"));
}

TEST_CASE("an example whose figures cannot be written says so by its code") {
  const Folder folder;
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  const std::string program = UNROLL_EXAMPLES_DIR "/mackey_glass/mackey_glass";
  const ::pid_t child =
      start(program.c_str(), folder, {"--quick", "--picture", folder / "a.svg"}, full);
  ::close(full);
  const Outcome outcome = finish(folder, child);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome.err, "mackey_glass: "));
}

TEST_CASE("an example refuses a picture that it could not draw before it trains") {
  const Folder folder;
  for (const std::string& picture : {folder / "a.gif", folder / "no/folder/a.svg"}) {
    CAPTURE(picture);
    const Outcome outcome =
        run(program("forced_oscillator").c_str(), folder, {"--quick", "--picture", picture});
    CHECK(outcome.code == 1);
    CHECK(outcome.out == "");
    CHECK(contains(outcome.err, picture));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(run(program("forced_oscillator").c_str(), folder, {"--seed", "x"}).code == 1);
}
