// The commands that use a model: sample, eval, compress, decompress, info, export.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <nn/io/safetensors.hpp>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "lm.hpp"

using namespace lm_program;
using nlohmann::json;

namespace {

/// A folder with a trained model and a text.
struct Trained {
  Trained() { train(folder, text, model, {"--max-steps", "150"}); }

  Outcome run(const std::string& command, const Arguments& more) const {
    return lm_program::run(folder, Arguments{command, "--model", model} + more);
  }
  std::string output(const std::string& command, const Arguments& more) const {
    const Outcome outcome = run(command, more);
    CAPTURE(command);
    CHECK(outcome.err == "");
    CHECK(outcome.code == 0);
    return outcome.out;
  }

  Folder folder;
  std::string text = write(folder / "text", sentences(300));
  std::string model = folder / "model";
};

/// One folder for all tests, which only add files of their own.
const Trained& trained() {
  static const Trained trained;
  return trained;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("sample: temperature 0 writes what is most probable, as the narrowest filters do") {
  const Trained& t = trained();
  const Arguments short_one{"--prompt", "the ", "--length", "60"};
  const std::string greedy = t.output("sample", short_one + Arguments{"--temperature", "0"});
  CHECK(greedy.size() >= 65);
  for (const Arguments& narrow :
       {Arguments{"--temperature", "0", "--seed", "7"}, Arguments{"--top-k", "1"},
        Arguments{"--top-p", "1e-9"}, Arguments{"--min-p", "1"}})
    CHECK(t.output("sample", short_one + narrow) == greedy);
  CHECK(t.output("sample", short_one + Arguments{"--temperature", "1"}) != greedy);

  // A penalty without mercy: nothing comes a second time while something else may.
  const std::string varied = t.output(
      "sample", short_one + Arguments{"--temperature", "0", "--repetition-penalty", "1e9"});
  CHECK(varied != greedy);
}

TEST_CASE("sample: a prompt comes from a file too, and several samples follow each other") {
  const Trained& t = trained();
  const Arguments length{"--length", "30"};
  const std::string one = t.output("sample", length + Arguments{"--prompt", "a dog "});
  const std::string prompt = write(t.folder / "prompt", "a dog ");
  CHECK(t.output("sample", length + Arguments{"--prompt-file", prompt}) == one);
  const std::string three =
      t.output("sample", length + Arguments{"--prompt", "a dog ", "--samples", "3"});
  CHECK(three.starts_with("--- sample 1 of 3 ---\n" + one + "\n--- sample 2 of 3 ---\na dog "));
  CHECK(contains(three, "\n--- sample 3 of 3 ---\na dog "));
}

TEST_CASE("eval: each of several files, the sum of them, and JSON with the same figures") {
  const Trained& t = trained();
  const std::string a = write(t.folder / "a", sentences(30));
  const std::string b = write(t.folder / "b", "a dog sees a dog.\n");
  const json all = json::parse(t.output("eval", {"--text", a, b, "--json"}));
  REQUIRE(all["files"].size() == 2);
  const json& first = all["files"][0];
  const json& second = all["files"][1];
  CHECK(first["file"] == a);
  CHECK(second["symbols"] == 17);
  const double characters = first["symbols"].get<double>() + 17;
  CHECK(all["total"]["symbols"] == characters);
  CHECK(all["total"]["nats"].get<double>() ==
        doctest::Approx((first["nats"].get<double>() * first["symbols"].get<double>() +
                         second["nats"].get<double>() * 17) /
                        characters));
  CHECK(second["bits"].get<double>() ==
        doctest::Approx(second["nats"].get<double>() / std::log(2)));
  CHECK(second["perplexity"].get<double>() ==
        doctest::Approx(std::exp(second["nats"].get<double>())));

  const std::string out = t.output("eval", {"--text", a, b});
  CHECK(contains(out, b + ":\n"));
  CHECK(number_after(out, "all 2 files:\n") ==
        doctest::Approx(all["total"]["bits"].get<double>()).epsilon(1e-3));
}

TEST_CASE("eval: the surprises of the characters are written, and their mean is the result") {
  const Trained& t = trained();
  const std::string a = write(t.folder / "a", "a dog sees\nthe cat.\n");
  const std::string table = t.folder / "surprise.tsv";
  const std::string lines = t.folder / "surprise.jsonl";
  const double bits = number_after(t.output("eval", {"--text", a, "--per-token", table}), "");
  t.output("eval", {"--text", a, "--per-token", lines});
  const std::vector<std::string> rows = lines_of(read(table));
  const std::vector<std::string> objects = lines_of(read(lines));
  REQUIRE(rows.size() == 20);
  REQUIRE(objects.size() == 19);
  CHECK(rows[0] == "file\tposition\tsymbol\tbits");
  CHECK(rows[10].starts_with(a + "\t10\t\\n\t"));
  CHECK(json::parse(objects[9])["symbol"] == "\n");
  double sum = 0;
  for (std::size_t i = 0; i < 19; ++i) {
    const json object = json::parse(objects[i]);
    CHECK(object["position"] == i + 1);
    CHECK(
        object["bits"].get<double>() ==
        doctest::Approx(std::stod(rows[i + 1].substr(rows[i + 1].rfind('\t') + 1))).epsilon(1e-4));
    sum += object["bits"].get<double>();
  }
  CHECK(sum / 19 == doctest::Approx(bits).epsilon(1e-4));
}

TEST_CASE("eval: unknown characters are refused, or left out and counted") {
  const Trained& t = trained();
  const std::string known = write(t.folder / "known", "the cat likes a dog.\n");
  const std::string some = write(t.folder / "some", "Xthe cat likes XYa dog.\n");
  expect_refused(t.run("eval", {"--text", some}), "the model never saw 'X' (U+0058), 'Y'");
  const std::string skipped = t.output("eval", {"--text", some, "--unknown", "skip"});
  CHECK(skipped == t.output("eval", {"--text", known}) +
                       "3 symbols that the model does not know are left out or count as <unk>\n");
  expect_refused(t.run("eval", {"--text", some, "--unknown", "map"}),
                 "its vocabulary has no <unk> to map to");
  expect_refused(t.run("eval", {"--text", some, "--unknown", "drop"}),
                 "--unknown: expected error, skip or map, got drop");
  expect_refused(t.run("eval", {"--text", write(t.folder / "foreign", "XYZ"), "--unknown", "skip"}),
                 "expected at least 2 symbols that the model knows, got 0");
}

TEST_CASE("eval: says what the cache and dynamic evaluation gain") {
  const Trained& t = trained();
  std::string repeated;
  for (int i = 0; i < 40; ++i) repeated += "tac god a\n";  // in no training sentence
  const std::string text = write(t.folder / "repeated", repeated);
  const Arguments plain{"--text", text, "--per-token", t.folder / "plain.tsv"};
  const std::string before = lines_of(t.output("eval", plain))[0];
  for (const Arguments& options :
       {Arguments{"--dynamic", "0.1"}, Arguments{"--cache", "100"},
        Arguments{"--dynamic", "0.1", "--cache", "100", "--cache-weight", "0.3"}}) {
    const std::string out = t.output("eval", Arguments{"--text", text} + options);
    CHECK(lines_of(out)[0] == before);
    CHECK(number_after(out, "adapted to the text: ") > 0.05);
  }
  const json adapted =
      json::parse(t.output("eval", {"--text", text, "--cache", "100", "--json"}))["total"];
  CHECK(adapted["gain_bits"].get<double>() ==
        doctest::Approx(adapted["bits"].get<double>() - adapted["adapted"]["bits"].get<double>()));
  for (const char* option : {"--dynamic", "--cache-theta"})
    expect_refused(t.run("eval", {"--text", text, option, "-1"}),
                   std::string(option) + ": expected a number from 0");
  expect_refused(t.run("eval", {"--text", text, "--dynamic", "1e30", "--dynamic-decay", "0"}),
                 "try a lower --dynamic");
  expect_refused(t.run("eval", {"--text", text, "--cache-weight", "1"}),
                 "--cache-weight: expected a number from 0 to below 1");
  expect_refused(t.run("eval", {"--text", text, "--dynamic-decay", "1.5"}),
                 "--dynamic-decay: expected a number from 0 to 1");
}

TEST_CASE("compress and decompress: the text comes back at the price of its cross-entropy") {
  const Trained& t = trained();
  const std::string text = write(t.folder / "long", sentences(600));
  const std::string packed = t.folder / "packed", back = t.folder / "back";
  const std::string out = t.output("compress", {text, packed});
  const double entropy = number_after(out.substr(out.find('\n')), "\n");
  CHECK(number_after(out, "") == doctest::Approx(entropy).epsilon(0.02));  // the header included
  CHECK(8.0 * static_cast<double>(fs::file_size(packed) - 36) <
        1.005 * entropy * number_after(out, "over "));
  CHECK(fs::file_size(packed) * 3 < fs::file_size(text));
  CHECK(t.output("decompress", {packed, back}) == "");
  CHECK(read(back) == read(text));

  expect_refused(t.run("compress", {text, packed}), "exists already; --overwrite replaces it");
  t.output("compress", {write(t.folder / "one", "a"), packed, "--overwrite"});
  t.output("decompress", {packed, back, "--overwrite"});
  CHECK(read(back) == "a");
}

TEST_CASE("compress and decompress: what does not fit is refused, and nothing is written") {
  const Trained& t = trained();
  const std::string packed = t.folder / "refused.in", back = t.folder / "refused.out";
  const auto refuse = [&](const std::string& command, const Arguments& more,
                          const std::string& message) {
    expect_refused(run(t.folder, Arguments{command} + more), message);
    CHECK(!fs::exists(back));
  };
  t.output("compress", {t.text, packed});
  const std::string other = t.folder / "other";
  train(t.folder, t.text, other, {"--max-steps", "1"});
  refuse("decompress", {packed, back, "--model", other}, "compressed with another model");
  const std::string bytes = read(packed);
  const Arguments with_model{back, "--model", t.model};
  const auto refuse_bytes = [&](const std::string& content, const std::string& message) {
    refuse("decompress", Arguments{write(t.folder / "damaged", content)} + with_model, message);
  };
  refuse_bytes(bytes.substr(0, bytes.size() - 1), "cut off");
  refuse_bytes(bytes.substr(0, 20), "cut off");
  refuse_bytes(read(t.text), "not a file of lm compress");
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  refuse_bytes(damaged, "damaged");
  refuse("decompress", Arguments{t.folder / "none"} + with_model, "cannot open");
  refuse("compress", Arguments{write(t.folder / "foreign", "XYZ")} + with_model,
         "the model never saw 'X'");
  refuse("compress", Arguments{write(t.folder / "empty", "")} + with_model, "is empty");
  refuse("compress", Arguments{write(t.folder / "bad", "a\xff")} + with_model, "not valid UTF-8");
}

TEST_CASE("info: the settings, sizes and parameters of a model, for people and as JSON") {
  const Trained& t = trained();
  const Outcome shown = run(t.folder, {"info", t.model});
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "\"cell\":\"lstm\""));
  CHECK(contains(shown.out, "[96,24]\n"));
  const json info = json::parse(run(t.folder, {"info", "--json", t.model}).out);
  CHECK(json::parse(info["metadata"]["network"].get<std::string>())["hidden"] == 24);
  CHECK(info["metadata"]["step"] == "150");
  CHECK(std::stod(info["metadata"]["validation_nats"].get<std::string>()) < 4);
  CHECK(info["vocabulary_size"] == 23);
  CHECK(info["bytes"] == fs::file_size(t.model));
  // 23 x 8, 96 x (8 + 24 + 1 + 1), 23 x (24 + 1)
  CHECK(info["parameter_count"] == 184 + 3264 + 575);
  REQUIRE(info["parameters"].size() == 7);
  CHECK(info["parameters"][0] == json({{"name", "embedding.weight"}, {"shape", {23, 8}}}));
  expect_refused(run(t.folder, {"info", t.text}), "not a safetensors file");
}

TEST_CASE("export: the weights under the names that PyTorch gives them") {
  const Trained& t = trained();
  const std::string out = t.folder / "weights.safetensors";
  CHECK(run(t.folder, {"export", t.model, out}).code == 0);
  const auto exported = unroll::nn::load_safetensors(out);
  const auto original = unroll::nn::load_safetensors(t.model);
  CHECK(exported.metadata.at("format") == "pt");
  const std::vector<std::string> names{"embedding.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0",
                                       "rnn.bias_ih_l0",   "rnn.bias_hh_l0",   "readout.weight",
                                       "readout.bias"};
  CHECK(exported.tensors.size() == names.size());
  for (const std::string& name : names)
    CHECK(exported.at(name).to_vector<double>() == original.at(name).to_vector<double>());
  expect_refused(run(t.folder, {"export", t.model, out}), "--overwrite replaces it");
  CHECK(run(t.folder, {"export", t.model, out, "--overwrite"}).code == 0);
}
