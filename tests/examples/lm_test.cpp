#include <doctest/doctest.h>
#include <fmt/format.h>
#include <autograd/tensor/random.hpp>
#include <nn/io/safetensors.hpp>

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "lm.hpp"

using namespace lm_program;
using unroll::nn::TensorFile;

TEST_CASE("train, eval and sample: the model learns, and the file holds what was learnt") {
  const Folder folder;
  const std::string all = sentences(600);
  const std::string text = write(folder / "text", all);
  const std::string model = folder / "model";
  const std::string out = train(folder, text, model, {"--max-steps", "300"});

  const double unigram = number_after(out, "unigram");
  const double validation = number_after(out, "\nvalidation: ") / std::log(2);
  CHECK(unigram > 3.5);
  CHECK(validation < unigram / 2);
  CHECK(contains(out, "symbols, 23 different"));
  CHECK(contains(out, "BLAS "));
  CHECK(contains(out, "seed     1\n"));
  CHECK(contains(out, "ETA 0:00"));

  const Outcome eval = run(folder, {"eval", "--text", text, "--model", model});
  CHECK(eval.code == 0);
  CHECK(number_after(eval.out, "") == doctest::Approx(validation).epsilon(0.1));
  CHECK(number_after(eval.out, "nats, perplexity") < 4);
  CHECK(number_after(eval.out.substr(eval.out.find('\n')), "\n") ==
        doctest::Approx(unigram).epsilon(0.01));

  const Arguments sampling{"sample", "--model", model, "--prompt", "the wörm ", "--length", "200"};
  const Outcome sample = run(folder, sampling);
  CHECK(sample.code == 0);
  CHECK(sample.out.starts_with("the wörm "));
  CHECK(sample.out.size() >= 200);
  CHECK((contains(sample.out, "sees") || contains(sample.out, "likes") ||
         contains(sample.out, "follows")));
  CHECK(run(folder, sampling).out == sample.out);
  CHECK(run(folder, sampling + Arguments{"--seed", "2"}).out != sample.out);

  // Cold, it repeats the likeliest; hot, it draws almost evenly from its vocabulary.
  const auto distinct = [&](const char* temperature) {
    std::string written =
        run(folder, {"sample", "--model", model, "--temperature", temperature}).out;
    std::sort(written.begin(), written.end());
    return std::unique(written.begin(), written.end()) - written.begin();
  };
  CHECK(distinct("1e-300") <= distinct("1"));
  CHECK(distinct("1e300") >= 23);
}

TEST_CASE("the same seed gives the same bytes, another one others, whatever the cell") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  for (const char* cell : {"lstm", "gru", "min_gru", "recurrent_highway:depth=2"}) {
    CAPTURE(cell);
    const Arguments options{"--cell", cell,          "--layers", "2",          "--dropout",
                            "0.2",    "--max-steps", "25",       "--overwrite"};
    train(folder, text, folder / "a", options);
    train(folder, text, folder / "b", options);
    train(folder, text, folder / "c", options + Arguments{"--seed", "2"});
    CHECK(read(folder / "a") == read(folder / "b"));
    CHECK(read(folder / "a") != read(folder / "c"));
    CHECK(run(folder, {"sample", "--model", folder / "a", "--length", "5"}).code == 0);
  }
}

TEST_CASE("several texts are joined, limits end the run, validation can be left out") {
  const Folder folder;
  const std::string a = write(folder / "a", sentences(10));
  const std::string b = write(folder / "b", "\xF0\x9F\x90\x9B and \xE2\x82\xAC\n" + sentences(20));
  const Outcome outcome =
      run(folder, Arguments{"train", "--text", a, b, "--model", folder / "model"} + kSmall +
                      Arguments{"--validation", "0", "--epochs", "2"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "symbols, 26 different; validation: 0 bytes"));
  CHECK(contains(outcome.out, "epoch 2/2"));
  CHECK(run(folder,
            {"sample", "--model", folder / "model", "--prompt", "\xF0\x9F\x90\x9B\xE2\x82\xAC"})
            .code == 0);
  CHECK(run(folder, {"--help"}).code == 0);
  CHECK(contains(run(folder, {"--help"}).out, "bytes, characters or words"));

  const auto begin = std::chrono::steady_clock::now();
  train(folder, a, folder / "timed", {"--validation", "0", "--minutes", "0.01"});
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE(
    "a terminal gets one line that is written anew, cut to its width; a file gets dated lines") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  int master = -1, terminal = -1;
  const ::winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, &size) == 0);
  const ::pid_t child = start(
      folder, Arguments{"train", "--text", text, "--model", folder / "model"} + kSmall, terminal);
  ::close(terminal);
  std::string shown;
  std::array<char, 4096> block{};
  for (::ssize_t got = 0; (got = ::read(master, block.data(), block.size())) > 0;)
    shown.append(block.data(), static_cast<std::size_t>(got));
  ::close(master);
  CHECK(finish(folder, child).code == 0);

  const std::size_t line = shown.find("\repoch ");
  REQUIRE(line != std::string::npos);
  CHECK(contains(shown.substr(line, 60), "ETA "));
  CHECK(shown.find("\033[K", line) - line == 60);  // 59 characters after the return

  const std::string logged = train(folder, text, folder / "logged", {});
  CHECK(!contains(logged, "\r"));
  const std::size_t dated = logged.find("  epoch ");
  REQUIRE(dated != std::string::npos);
  REQUIRE(dated >= 19);
  CHECK(logged[dated - 9] == ' ');  // 2024-06-11 12:00:05
  CHECK(logged[dated - 19] == '2');
}

TEST_CASE(
    "carriage returns and a byte order mark are told, and left out only when that is asked for") {
  const Folder folder;
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : sentences(100))
    windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::string text = write(folder / "text", windows);
  const Arguments training = Arguments{"train", text} + kSmall + Arguments{"--max-steps", "1"};
  const Outcome told = run(folder, training + Arguments{"--model", folder / "a"});
  CHECK(told.code == 0);
  CHECK(contains(told.err, "has a byte order mark and 100 carriage returns"));
  CHECK(contains(told.out, "symbols, 25 different"));
  const Outcome without = run(folder, training + Arguments{"--model", folder / "b", "--normalise"});
  CHECK(without.code == 0);
  CHECK(without.err == "");
  CHECK(contains(without.out, "symbols, 23 different"));
}

TEST_CASE("bad text is refused with one message, and nothing is written") {
  const Folder folder;
  const std::string model = folder / "model";
  const auto refuse = [&](const Arguments& text, const std::string& message) {
    expect_refused(run(folder, Arguments{"train", "--model", model, "--text"} + text + kSmall),
                   message);
    CHECK(!fs::exists(model));
  };
  const std::string good = write(folder / "good", sentences(20));
  refuse({folder / "none"},
         "\"" + folder / "none" + "\" cannot be read: No such file or directory");
  fs::create_directory(folder / "nothing");
  refuse({folder / "nothing"}, "is a folder without files");
  refuse({write(folder / "empty", "")}, "\"" + folder / "empty" + "\" is empty");
  refuse({good, folder / "none"}, "cannot be read");
  refuse({"/dev/zero"}, "is not a regular file");
  refuse({write(folder / "binary", std::string("ab\0c", 4))}, "NUL byte at offset 2");

  refuse({write(folder / "short", std::string(8, 'a'))},
         "8 streams need at least 9 symbols, the text has 8");
  train(folder, write(folder / "just", std::string(12, 'a')), folder / "other", {"--epochs", "1"});

  struct Invalid {
    const char* bytes;
    int offset;
  };
  const std::vector<Invalid> cases{{"ab\xff", 2},           {"\x80", 0},
                                   {"abc\xC3", 3},          {"\xC3(", 0},
                                   {"\xC0\x80", 0},         {"\xE0\x80\x80", 0},
                                   {"x\xED\xA0\x80", 1},    {"\xF0\x80\x80\x80", 0},
                                   {"\xF4\x90\x80\x80", 0}, {"\xF8\x88\x80\x80\x80", 0},
                                   {"\xC3\xA9\xE2\x82", 2}};
  for (const Invalid& c : cases)
    refuse({good, write(folder / "bad", c.bytes)},
           fmt::format("\"{}\": not valid UTF-8 at byte offset {} ", folder / "bad", c.offset));
}

TEST_CASE("nonsense options are refused with one message") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const Arguments training{"train", "--text", text, "--model", folder / "model"};
  const auto refuse = [&](const Arguments& options, const std::string& message) {
    expect_refused(run(folder, options), message);
    CHECK(!fs::exists(folder / "model"));
  };
  for (const char* option : {"--layers", "--hidden", "--embedding", "--batch", "--steps"})
    for (const char* value : {"0", "-3", "2.5", "many", "99999999999999999999"})
      refuse(training + Arguments{option, value},
             std::string(option) + ": expected a whole number from 1 to ");
  for (const char* value : {"0", "-1", "nan", "inf", "fast"})
    refuse(training + Arguments{"--learning-rate", value},
           "--learning-rate: expected a number above 0");
  for (const char* option : {"--clip", "--minutes"})
    for (const char* value : {"-1", "nan", "inf", "fast"})
      refuse(training + Arguments{option, value},
             std::string(option) + ": expected a number from 0");
  for (const char* value : {"-0.1", "1", "nan"}) {
    refuse(training + Arguments{"--dropout", value},
           "--dropout: expected a number from 0 to below 1");
    refuse(training + Arguments{"--validation", value},
           "--validation: expected a number from 0 to below 0.9");
  }
  refuse(training + Arguments{"--seed", "-1"}, "--seed: expected a whole number from 0 to");
  refuse(training + Arguments{"--cell", "transformer"},
         "--cell: there is no cell \"transformer\"; there are antisymmetric_rnn, atr, ");
  refuse(training + Arguments{"--cell", "clockwork:period=2"},
         "--cell: clockwork has no option \"period\"; it has periods, activation");
  refuse(training + Arguments{"--cell", "lem:dt=fast"},
         "--cell: dt of lem: expected a number, got \"fast\"");
  refuse(training + Arguments{"--optimizer", "adams"}, "--optimizer: there is no optimizer");
  refuse(training + Arguments{"--schedule", "cosine:ceiling=1"},
         "--schedule: cosine has no option \"ceiling\"");
  refuse(training + Arguments{"--adaptive-softmax"}, "needs a vocabulary by frequency");
  refuse(training + Arguments{"--recipe", "none"}, "--recipe: there is no recipe \"none\"");
  refuse(training + Arguments{"--colour"}, "--colour");
  refuse({"train", "--model", folder / "model"}, "text is required");
  refuse({},
         "expected a command: train, sample, eval, compress, decompress, inspect, report, info or "
         "export");
  refuse({"tain"}, "tain");

  train(folder, text, folder / "trained", {"--max-steps", "1"});
  const Arguments sampling{"sample", "--model", folder / "trained"};
  for (const char* value : {"-1", "nan", "inf", "warm"})
    refuse(sampling + Arguments{"--temperature", value}, "--temperature: expected a number from 0");
  refuse(sampling + Arguments{"--top-k", "-1"}, "--top-k: expected a whole number from 0");
  for (const char* value : {"0", "-1", "1.5", "nan"})
    refuse(sampling + Arguments{"--top-p", value}, "--top-p: expected a number from 1e-09 to 1");
  for (const char* value : {"-0.1", "1.5", "nan"})
    refuse(sampling + Arguments{"--min-p", value}, "--min-p: expected a number from 0 to 1");
  for (const char* value : {"0", "-1", "inf"})
    refuse(sampling + Arguments{"--repetition-penalty", value},
           "--repetition-penalty: expected a number above 0");
  refuse(sampling + Arguments{"--samples", "0"}, "--samples: expected a whole number from 1");
  refuse(sampling + Arguments{"--prompt", "a", "--prompt-file", text},
         "--prompt excludes --prompt-file");
  refuse(sampling + Arguments{"--prompt-file", folder / "none"}, "cannot be read");
  refuse(sampling + Arguments{"--length", "0"}, "--length: expected a whole number from 1");
  refuse(sampling + Arguments{"--prompt", "cat X€\n\t"},
         "the model never saw U+0009, 'X' (U+0058), '€' (U+20AC) in training");
  refuse(sampling + Arguments{"--prompt", "a\xff"}, "--prompt: not valid UTF-8 at byte offset 1");
  refuse({"eval", "--model", folder / "trained", "--text", write(folder / "foreign", "the fox")},
         "the model never saw 'x' (U+0078) in training");
  refuse({"eval", "--model", folder / "trained", "--text", write(folder / "one", "a")},
         "at least 2 symbols");
}

TEST_CASE(
    "a model path that cannot be written, or holds something else, is refused before the "
    "training") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const auto refuse = [&](const std::string& model, const std::string& message) {
    expect_refused(run(folder, {"train", "--text", text, "--model", model}), message);
  };
  const std::string before = read(text);
  refuse(folder / "none/model", "No such file or directory");
  refuse(folder / "", "expected the name of a file");
  fs::create_directory(folder / "sub");
  refuse(folder / "sub", "not a regular file");
  refuse("/dev/null", "not a regular file");
  refuse(text, "exists and is not a model of lm, so it is not overwritten");
  CHECK(read(text) == before);
  CHECK(folder.files() == 2);
}

TEST_CASE("a damaged or foreign model file is refused with one message") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(100));
  const std::string model = folder / "model";
  train(folder, text, model, {"--max-steps", "2"});
  const TensorFile good = unroll::nn::load_safetensors(model);
  const auto refuse = [&](const std::string& path, const std::string& message) {
    expect_refused(run(folder, {"sample", "--model", path}), message);
  };
  const auto refuse_file = [&](const TensorFile& file, const std::string& message) {
    unroll::nn::save_safetensors(folder / "changed", file);
    refuse(folder / "changed", message);
  };
  const auto refuse_metadata = [&](const char* key, const char* value, const std::string& message) {
    TensorFile file = good;
    file.metadata[key] = value;
    refuse_file(file, message);
  };

  refuse(folder / "none", "no such file");
  refuse(folder / "", "not a regular file");
  refuse(text, "not a safetensors file");
  refuse(write(folder / "empty", ""), "not a safetensors file");
  const std::string bytes = read(model);
  for (const std::size_t length :
       {std::size_t{7}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1})
    refuse(write(folder / "cut", bytes.substr(0, length)), "load_safetensors: ");

  refuse_file({{{"x", unroll::ones({2})}}, {}}, "not a model of lm: expected metadata format");
  refuse_metadata("format", "unroll lm 2", "got \"unroll lm 2\"");
  const std::string network = good.metadata.at("network");
  const auto refuse_network = [&](const std::string& old, const std::string& changed,
                                  const std::string& message) {
    std::string other = network;
    REQUIRE(contains(other, old));
    other.replace(other.find(old), old.size(), changed);
    refuse_metadata("network", other.c_str(), message);
  };
  refuse_network("\"lstm\"", "\"linear\"", "there is no cell \"linear\"");
  refuse_network("\"lstm\"", "\"gru\"",
                 "rnn.weight_ih_l0: expected float32 [72,8], got float32 [96,8]");
  refuse_network("\"hidden\":24", "\"hidden\":16384", "too few for 1 layers of 16384");
  refuse_network("\"hidden\":24", "\"hidden\":-1",
                 "hidden: expected a whole number from 1 to 16384");
  refuse_network("\"layers\":1", "\"layers\":2", "there is no tensor rnn.weight_ih_l1");
  refuse_network("\"embedding\":8", "\"embedding\":\"8x\"", "embedding: expected a whole number");
  refuse_network("\"hidden\"", "\"depth\"", "\"hidden\"");
  refuse_network("{", "{\"colour\":1,", "\"colour\" is unknown");
  refuse_network("{", "", "expected a JSON object");
  refuse_metadata("vocabulary", "", "vocabulary: expected level, lower_case, symbols");
  const std::string less = characters("abc").serialise();
  refuse_metadata("vocabulary", less.c_str(), "expected float32 [3,8], got float32 [23,8]");
  {
    TensorFile file = good;
    file.metadata.erase("network");
    refuse_file(file, "the metadata lack \"network\"");
    file = good;
    file.tensors.emplace_back("extra", unroll::ones({1}));
    refuse_file(file, "expected 7 tensors, got 8");
    file = good;
    file.tensors[0].second = file.tensors[0].second.to(unroll::Dtype::float64);
    refuse_file(file, "embedding.weight: expected float32 [23,8], got float64 [23,8]");
    file = good;
    file.tensors.back().second =
        unroll::full(file.tensors.back().second.shape(), std::numeric_limits<double>::quiet_NaN());
    refuse_file(file, "a value is not finite");
  }

  unroll::Generator generator(5);
  for (int trial = 0; trial < 60; ++trial) {
    std::string damaged = bytes;
    // Two in three hit the header, where most can go wrong.
    const std::uint64_t reach = trial % 3 == 0 ? bytes.size() : 1200;
    damaged[generator.below(reach)] ^= static_cast<char>(1U << generator.below(8));
    const Outcome outcome =
        run(folder, {"sample", "--length", "20", "--model", write(folder / "damaged", damaged)});
    if (outcome.code != 0) expect_refused({outcome.code, "", outcome.err}, "lm: ");
  }
}
