// What a checkpoint accepts, what it refuses, and that a refusal changes nothing.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/checkpoint_file.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/folder.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// One object of each kind, small.
struct Objects {
  explicit Objects(double value, const Shape& shape = {2})
      : linear(1, 2),
        adam(linear.parameters(), {.learning_rate = value}),
        generator(static_cast<std::uint64_t>(value * 10), ~std::uint64_t{0}),
        states{nn::State(full(shape, value), full({1}, value, Dtype::float64)), nn::State()},
        step(static_cast<std::int64_t>(value * 100)),
        loss(value),
        done(value > 1),
        text(value > 1 ? "zwei \"Schritte\"\n\xc3\xa4" : "") {
    for (Parameter& parameter : parameters) parameter.set(full(parameter.shape(), value));
    const Variable x = full({1, 1}, value);
    Tape tape;
    adam.step(tape.gradients(sum(linear(x))));
    generator.set_position(5);
    checkpoint.add("model", linear);
    checkpoint.add("optimizer", adam, linear);
    checkpoint.add("generator", generator);
    checkpoint.add("states", states);
    checkpoint.add("state", state);
    checkpoint.add("order", order);
    checkpoint.add("step", step);
    checkpoint.add("loss", loss);
    checkpoint.add("done", done);
    checkpoint.add("text", text);
  }

  nn::Linear linear;
  std::vector<Parameter> parameters = linear.parameters();
  nn::Adam adam;
  Generator generator;
  nn::States states;
  nn::State state;
  Tensor order;
  std::int64_t step;
  double loss;
  bool done;
  std::string text;
  nn::Checkpoint checkpoint;
};

std::string bytes_of(const nn::Checkpoint& checkpoint) {
  const Folder folder;
  checkpoint.save(folder / "bytes");
  return read(folder / "bytes");
}

}  // namespace

TEST_CASE("what is loaded is what was saved, for every kind of object") {
  const Folder folder;
  Objects saved(1.5);
  saved.order = permutation(7);
  saved.state = nn::State(ones({2, 3}));
  saved.checkpoint.save(folder / "run");
  Objects loaded(0.25);
  loaded.states.clear();
  loaded.checkpoint.load(folder / "run");
  CHECK((bytes_of(loaded.checkpoint) == bytes_of(saved.checkpoint)));
  CHECK(loaded.adam.learning_rate() == 1.5);
  CHECK(loaded.adam.steps() == 1);
  CHECK(loaded.generator.seed() == 15);
  CHECK(loaded.generator.stream() == ~std::uint64_t{0});
  CHECK(loaded.generator.position() == 5);
  REQUIRE(loaded.states.size() == 2);
  CHECK(loaded.states[0].size() == 2);
  CHECK(loaded.states[0][1].dtype() == Dtype::float64);
  CHECK(loaded.states[1].empty());
  CHECK(loaded.step == 150);
  CHECK(loaded.done);
  CHECK(loaded.text == saved.text);

  Objects empty(0.25);
  empty.states.clear();
  empty.checkpoint.save(folder / "run");
  loaded.checkpoint.load(folder / "run");
  CHECK(loaded.states.empty());
  CHECK(loaded.state.empty());
  CHECK(!loaded.order.defined());
  CHECK(loaded.text.empty());
}

TEST_CASE("the file is a safetensors file whose tensors are named entry.path") {
  const Folder folder;
  Objects objects(1.5);
  objects.checkpoint.require("hidden", "128");
  objects.checkpoint.save(folder / "run", {{"validation", "1.25"}});
  const nn::TensorFile file = nn::load_safetensors(folder / "run");
  CHECK(file.at("model.weight").shape() == Shape{2, 1});
  CHECK(file.at("optimizer.weight.first").shape() == Shape{2, 1});
  CHECK(file.at("optimizer.learning_rate").item() == 1.5);
  CHECK(file.at("generator").to_vector<std::int64_t>() == std::vector<std::int64_t>{15, -1, 5});
  CHECK(file.at("states.layers").to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 0});
  CHECK(file.at("states.0.1").dtype() == Dtype::float64);
  CHECK(file.at("step").item() == 150);
  CHECK(file.metadata.at("format") == "unroll.checkpoint");
  CHECK(file.metadata.at("version") == "1");
  CHECK(file.metadata.at("entry.optimizer") == "optimizer Adam");
  CHECK(file.metadata.at("setting.hidden") == "128");
  CHECK(file.metadata.at("note.validation") == "1.25");
}

TEST_CASE("every changed byte and every truncation is an error and changes nothing") {
  const Folder folder;
  const std::string path = folder / "run";
  double loss = 0.5;
  std::string text = "begin";
  nn::States states{nn::State(full({2}, 1.5))};
  nn::Checkpoint saved;
  saved.add("loss", loss);
  saved.add("text", text);
  saved.add("states", states);
  saved.save(path);
  const std::string whole = read(path);

  double own = 3.0;
  std::string own_text = "own";
  nn::States own_states;
  nn::Checkpoint checkpoint;
  checkpoint.add("loss", own);
  checkpoint.add("text", own_text);
  checkpoint.add("states", own_states);
  const auto expect_refused = [&](const std::string& bytes) {
    write(path, bytes);
    CHECK_THROWS_AS(checkpoint.load(path), FormatError);
    CHECK(own == 3.0);
    CHECK(own_text == "own");
    CHECK(own_states.empty());
  };
  for (std::size_t k = 0; k < whole.size(); ++k) {
    for (const int flip : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[k] = static_cast<char>(bytes[k] ^ flip);
      expect_refused(bytes);
    }
    expect_refused(whole.substr(0, k));
  }
  expect_refused(whole + '\0');
  write(path, whole);
  checkpoint.load(path);
  CHECK(own == 0.5);
}

TEST_CASE("damage is called damage") {
  const Folder folder;
  Objects objects(1.5);
  objects.checkpoint.save(folder / "run");
  std::string bytes = read(folder / "run");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write(folder / "flipped", bytes);
  expect_error<FormatError>([&] { objects.checkpoint.load(folder / "flipped"); },
                            {"flipped\" is damaged: its checksum", "use an older checkpoint"});
  write(folder / "cut", bytes.substr(0, bytes.size() / 2));
  expect_error<FormatError>([&] { objects.checkpoint.load(folder / "cut"); },
                            {"cut\" is damaged or not a checkpoint"});
  expect_error<FormatError>([&] { objects.checkpoint.load(folder / "none"); }, {"no such file"});
}

TEST_CASE("an error lists all entries that do not fit, and nothing has changed") {
  const Folder folder;
  Objects saved(1.5);
  std::int64_t extra = 1;
  saved.checkpoint.add("extra", extra);
  saved.checkpoint.require("cell", "LSTM");
  saved.checkpoint.save(folder / "run");

  nn::Linear wide(1, 3);
  nn::RAdam radam(wide.parameters());
  double step = 4.0;
  double missing = 5.0;
  double loss = 6.0;
  nn::Checkpoint other;
  other.require("cell", "GRU");
  other.require("hidden", "128");
  other.add("loss", loss);  // fits, and is set back
  other.add("model", wide);
  other.add("optimizer", radam, wide);
  other.add("step", step);
  other.add("missing", missing);
  const std::string before = bytes_of(other);
  expect_error<FormatError>(
      [&] { other.load(folder / "run"); },
      {"run\" does not fit", "nothing was changed", "setting cell: \"LSTM\" in the file, \"GRU\"",
       "setting hidden: not in the file, \"128\" here", "extra (integer): in the file, not",
       "weight: float32 [2,1] in the file, float32 [3,1] here",
       "bias: float32 [2] in the file, float32 [3] here",
       "optimizer: optimizer Adam in the file, optimizer RAdam here",
       "step: integer in the file, number here", "missing (number): not in the file"});
  CHECK((bytes_of(other) == before));
}

TEST_CASE("a model of another dtype or with other parameters is refused by name") {
  const Folder folder;
  nn::Linear linear(1, 2);
  nn::Checkpoint saved;
  saved.add("model", linear);
  saved.save(folder / "run");
  nn::Linear wide(1, 2);
  wide.to(Dtype::float64);
  nn::Checkpoint other;
  other.add("model", wide);
  expect_error<FormatError>([&] { other.load(folder / "run"); },
                            {"weight: float32 [2,1] in the file, float64 [2,1] here"});
  nn::MLP mlp({1, 2});
  nn::Checkpoint third;
  third.add("model", mlp);
  expect_error<FormatError>(
      [&] { third.load(folder / "run"); },
      {mlp.named_parameters()[0].name + ": not in the file", "weight: float32 [2,1] left over"});
}

TEST_CASE("objects that are set first are set back when a later one refuses") {
  struct Refusing {
    nn::NamedTensors state() const { return {{"x", ones({})}}; }
    void set_state(const nn::NamedTensors& /*state*/) { throw FormatError("refusing: never"); }
  };
  const Folder folder;
  Objects saved(1.5);
  Refusing refusing;
  saved.checkpoint.add("refusing", refusing);
  saved.checkpoint.save(folder / "run");
  Objects other(0.25, {3, 4});
  other.checkpoint.add("refusing", refusing);
  const std::string before = bytes_of(other.checkpoint);
  expect_error<FormatError>([&] { other.checkpoint.load(folder / "run"); },
                            {"refusing: refusing: never"});
  CHECK((bytes_of(other.checkpoint) == before));
}

TEST_CASE("a program reads the files of its older version: what it has added keeps its value") {
  const Folder folder;
  std::int64_t step = 3;
  nn::Checkpoint old_version;
  old_version.add("step", step);
  old_version.save(folder / "run");

  double added = 0.5;
  nn::Linear averaged(1, 1);
  nn::Checkpoint new_version;
  new_version.add("step", step);
  new_version.add("added", added, nn::Checkpoint::optional);
  new_version.add("averaged", averaged, nn::Checkpoint::optional);
  step = 0;
  new_version.load(folder / "run");
  CHECK(step == 3);
  CHECK(added == 0.5);
  new_version.save(folder / "run");
  added = 0.0;
  new_version.load(folder / "run");
  CHECK(added == 0.5);
}

TEST_CASE("a program that needs the model alone loads it from the checkpoint of a run") {
  const Folder folder;
  Objects saved(1.5);
  saved.checkpoint.require("cell", "LSTM");
  saved.checkpoint.save(folder / "run");
  nn::Linear model(1, 2);
  nn::Checkpoint some;
  some.add("model", model);
  CHECK_THROWS_AS(some.load(folder / "run"), FormatError);
  some.load(folder / "run", {.ignore_others = true});
  CHECK(model.parameters()[0].value().at({0, 0}) == saved.parameters[0].value().at({0, 0}));
}

TEST_CASE("files of newer versions and of other programs are refused as such") {
  const Folder folder;
  std::int64_t step = 3;
  nn::Checkpoint checkpoint;
  checkpoint.add("step", step);
  checkpoint.save(folder / "run");
  nn::TensorFile file = nn::load_safetensors(folder / "run");
  for (const char* version : {"2", "10"}) {
    file.metadata["version"] = version;
    nn::save_safetensors(folder / "newer", file);
    expect_error<FormatError>([&] { checkpoint.load(folder / "newer"); },
                              {"version " + std::string(version), "up to version 1"});
  }
  for (const char* version : {"0", "-1", "one", "1 ", ""}) {
    file.metadata["version"] = version;
    nn::save_safetensors(folder / "unknown", file);
    CHECK_THROWS_AS(checkpoint.load(folder / "unknown"), FormatError);
  }
  nn::save(nn::Linear(1, 1), folder / "model");
  expect_error<FormatError>([&] { checkpoint.load(folder / "model"); }, {"not a checkpoint but"});
  write(folder / "text", "step 3");
  expect_error<FormatError>([&] { checkpoint.load(folder / "text"); }, {"not a checkpoint"});
}

TEST_CASE("a name is taken once and has no dot") {
  double value = 0.0;
  nn::Checkpoint checkpoint;
  checkpoint.add("value", value);
  for (const char* name : {"value", "", "a.b"})
    CHECK_THROWS_AS(checkpoint.add(name, value), ArgumentError);
  checkpoint.require("cell", "LSTM");
  CHECK_THROWS_AS(checkpoint.require("cell", "GRU"), ArgumentError);
  std::string bytes = "\xff";
  checkpoint.add("bytes", bytes);
  const Folder folder;
  CHECK_THROWS_AS(checkpoint.save(folder / "run"), ArgumentError);
  CHECK(folder.files() == 0);
}

TEST_CASE("a full disk leaves the older checkpoint") {
  const Folder folder;
  Objects objects(1.5);
  Tensor large = ones({4096});
  objects.checkpoint.save(folder / "run");
  const std::string before = read(folder / "run");
  objects.checkpoint.add("large", large);

  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const ::rlimit small{.rlim_cur = 8192, .rlim_max = old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(objects.checkpoint.save(folder / "run"), Error);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK((read(folder / "run") == before));
  CHECK(folder.files() == 1);
}

TEST_CASE("a folder that may not be written to is an error that says so") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: root writes to every folder");
    return;
  }
  const Folder folder;
  fs::create_directory(folder / "closed");
  fs::permissions(folder / "closed", fs::perms(0500));
  Objects objects(1.5);
  expect_error<Error>([&] { objects.checkpoint.save(folder / "closed/run"); },
                      {"Permission denied"});
}

}  // namespace unroll::testing
