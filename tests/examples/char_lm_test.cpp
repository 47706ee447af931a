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
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "char_lm.hpp"

using namespace char_lm_program;
using unroll::nn::TensorFile;

TEST_CASE("train, eval and sample: the model learns, and the file holds what was learnt") {
  const Folder folder;
  const std::string all = sentences(600);
  const std::string text = write(folder / "text", all);
  const std::string model = folder / "model";
  const std::string out = train(folder, text, model, {"--max-steps", "300"});

  const double unigram = number_after(out, "unigram");
  const double validation = number_after(out, "\nvalidation: ");
  CHECK(unigram > 3.5);
  CHECK(validation < unigram / 2);
  CHECK(contains(out, "characters, 23 different"));
  CHECK(contains(out, "BLAS "));
  CHECK(contains(out, "seed     1\n"));
  CHECK(contains(out, "ETA 0:00"));
  CHECK(contains(out, "A sample:"));

  const Outcome eval = run(folder, {"eval", "--text", text, "--model", model});
  CHECK(eval.code == 0);
  CHECK(number_after(eval.out, "") == doctest::Approx(validation).epsilon(0.1));
  CHECK(number_after(eval.out, "nats, perplexity") < 4);
  CHECK(contains(eval.out, fmt::format("{:.4f} bits per character by", unigram)));

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
  for (const char* cell : {"lstm", "gru", "elman"}) {
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
  CHECK(contains(outcome.out, "characters, 26 different; the last 0 are for validation"));
  CHECK(contains(outcome.out, "epoch 2/2"));
  CHECK(run(folder,
            {"sample", "--model", folder / "model", "--prompt", "\xF0\x9F\x90\x9B\xE2\x82\xAC"})
            .code == 0);
  CHECK(run(folder, {"--help"}).code == 0);
  CHECK(contains(run(folder, {"--help"}).out, "Unicode code points"));

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

TEST_CASE("bad text is refused with one message, and nothing is written") {
  const Folder folder;
  const std::string model = folder / "model";
  const auto refuse = [&](const Arguments& text, const std::string& message) {
    expect_refused(run(folder, Arguments{"train", "--model", model, "--text"} + text + kSmall),
                   message);
    CHECK(!fs::exists(model));
  };
  const std::string good = write(folder / "good", sentences(20));
  refuse({folder / "none"}, "cannot open \"" + folder / "none" + "\": No such file or directory");
  refuse({folder / ""}, "is a folder, expected a file");
  refuse({write(folder / "empty", "")}, "no characters in \"" + folder / "empty" + "\"");
  refuse({good, folder / "none"}, "cannot open");

  // 8 streams of 16 steps and the character after the last make 129; a tenth of 144 is 15 when
  // rounded up.
  const std::string too_few =
      "143 characters are too few: --batch 8, --steps 16 and --validation 0.1 need at least 144";
  refuse({write(folder / "short", std::string(143, 'a'))}, too_few);
  train(folder, write(folder / "just", std::string(144, 'a')), folder / "other", {"--epochs", "1"});

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
  for (const char* option :
       {"--layers", "--hidden", "--embedding", "--batch", "--steps", "--epochs", "--max-steps"})
    for (const char* value : {"0", "-3", "2.5", "many", "99999999999999999999"})
      refuse(training + Arguments{option, value},
             std::string(option) + ": expected a whole number from 1 to ");
  for (const char* option : {"--learning-rate", "--clip", "--minutes"})
    for (const char* value : {"0", "-1", "nan", "inf", "fast"})
      refuse(training + Arguments{option, value},
             std::string(option) + ": expected a number above 0");
  for (const char* value : {"-0.1", "1", "nan"}) {
    refuse(training + Arguments{"--dropout", value},
           "--dropout: expected a number from 0 to below 1");
    refuse(training + Arguments{"--validation", value},
           "--validation: expected a number from 0 to below 0.9");
  }
  refuse(training + Arguments{"--seed", "-1"}, "--seed: expected a whole number from 0 to");
  refuse(training + Arguments{"--cell", "transformer"},
         "--cell: expected lstm, gru or elman, got transformer");
  refuse(training + Arguments{"--colour"}, "--colour");
  refuse({"train", "--model", folder / "model"}, "--text is required");
  refuse({}, "expected a command: train, sample or eval");
  refuse({"tain"}, "tain");

  train(folder, text, folder / "trained", {"--max-steps", "1"});
  const Arguments sampling{"sample", "--model", folder / "trained"};
  for (const char* value : {"0", "-1", "nan", "inf", "warm"})
    refuse(sampling + Arguments{"--temperature", value},
           "--temperature: expected a number above 0");
  refuse(sampling + Arguments{"--length", "0"}, "--length: expected a whole number from 1");
  refuse(sampling + Arguments{"--prompt", "cat X€\n\t"},
         "the model never saw U+0009, 'X' (U+0058), '€' (U+20AC) in training");
  refuse(sampling + Arguments{"--prompt", "a\xff"}, "--prompt: not valid UTF-8 at byte offset 1");
  refuse({"eval", "--model", folder / "trained", "--text", write(folder / "foreign", "the fox")},
         "the model never saw 'x' (U+0078) in training");
  refuse({"eval", "--model", folder / "trained", "--text", write(folder / "one", "a")},
         "at least 2 characters");
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
  refuse(text, "exists and is not a model of char_lm, so it is not overwritten");
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

  refuse_file({{{"x", unroll::ones({2})}}, {}}, "not a model of char_lm: expected metadata format");
  refuse_metadata("format", "unroll char_lm 2", "got \"unroll char_lm 2\"");
  refuse_metadata("cell", "linear", "cell: expected lstm, gru or elman, got \"linear\"");
  refuse_metadata("cell", "gru", "rnn.weight_hh_l0: expected float32 [72,24], got float32 [96,24]");
  refuse_metadata("hidden", "16384", "readout.weight: expected float32 [23,16384]");
  refuse_metadata("hidden", "-1", "hidden: expected a whole number from 1 to 16384, got \"-1\"");
  refuse_metadata("layers", "2", "there is no tensor rnn.weight_hh_l1");
  refuse_metadata("embedding", "8x", "embedding: expected a whole number");
  refuse_metadata("vocabulary", "", "vocabulary: expected distinct characters");
  refuse_metadata("vocabulary", "abb", "vocabulary: expected distinct characters");
  refuse_metadata("vocabulary", "abc", "expected float32 [3,8], got float32 [23,8]");
  {
    TensorFile file = good;
    file.metadata.erase("hidden");
    refuse_file(file, "the metadata lack \"hidden\"");
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
    if (outcome.code != 0) expect_refused({outcome.code, "", outcome.err}, "char_lm: ");
  }
}
