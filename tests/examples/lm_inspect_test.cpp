// The page of lm inspect: what it holds, and what is refused.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "examples/lm/model.hpp"
#include "examples/lm/run_history.hpp"
#include "examples/lm/visible_text.hpp"
#include "lm_pages.hpp"

using namespace lm_program;
using nlohmann::json;

namespace {

/// Checks the values on a page against those of all symbols in one batch, `[T,H]`.
void check_values(const json& data, const unroll::Tensor& expected) {
  const std::vector<double> all = expected.to_vector<double>();
  const std::vector<std::int8_t> steps = bytes_of_base64(data["values"].get<std::string>());
  const std::size_t symbols = data["symbols"].size(), units = data["units"].size();
  const std::size_t hidden = all.size() / symbols;
  REQUIRE(steps.size() == symbols * units);
  for (std::size_t row = 0; row < units; ++row) {
    const double step = data["steps"][row].get<double>();
    std::int8_t most = 0;
    for (std::size_t k = 0; k < symbols; ++k) {
      const double value = all[k * hidden + data["units"][row].get<std::size_t>()];
      CHECK(std::abs(steps[row * symbols + k] * step - value) <= 0.501 * step + 1e-5);
      most =
          std::max<std::int8_t>(most, static_cast<std::int8_t>(std::abs(steps[row * symbols + k])));
    }
    CHECK(most == 127);
  }
}

lm::Model::Hidden hidden_of(const lm::Model& model, const std::string& text) {
  const std::vector<std::int32_t> symbols = model.vocabulary().encode(text, "text");
  const std::vector<std::int64_t> numbers(symbols.begin(), symbols.end());
  return model.hidden(unroll::Tensor::of<std::int64_t>({std::ssize(numbers), 1}, numbers));
}

}  // namespace

TEST_CASE("inspect: the page holds the outputs, surprises and guesses of the model") {
  const Trained& t = trained();
  const std::string text = "the cat sees a dog.\nevery bird likes the wörm.\n";
  const json data = data_of(t.inspect(text));
  const lm::Model model = lm::Model::load(t.model);
  CHECK(data["symbols"].size() == 47);
  CHECK(data["units"].size() == 24);
  check_values(data, hidden_of(model, text).outputs.value());

  std::string shown;
  for (const json& symbol : data["symbols"])
    shown += data["table"][symbol.get<std::size_t>()].get<std::string>();
  CHECK(shown == "the cat sees a dog.\u21B5\nevery bird likes the wörm.\u21B5\n");

  // eval finds the same surprises, and a symbol's own probability is in line with them.
  const std::string lines = t.folder / "surprise.jsonl";
  t.output({"eval", t.folder / "inspected", "--model", t.model, "--per-token", lines});
  std::istringstream in(read(lines));
  CHECK(data["bits"][0].is_null());
  CHECK(data["guesses"][0].empty());
  for (std::size_t k = 1; k < 47; ++k) {
    std::string line;
    std::getline(in, line);
    const double bits = data["bits"][k].get<double>();
    CHECK(std::abs(bits - json::parse(line)["bits"].get<double>()) < 0.0051);
    const json& guesses = data["guesses"][k];
    REQUIRE(guesses.size() == 6);
    CHECK(guesses[1] >= guesses[3]);
    CHECK(guesses[3] >= guesses[5]);
    for (std::size_t g = 0; g < 6; g += 2)
      if (guesses[g] == data["symbols"][k])
        CHECK(std::abs(100 * std::exp2(-bits) - guesses[g + 1].get<double>()) < 1.3);
  }
}

TEST_CASE("inspect: states of any layer, chosen units, and the first symbols alone") {
  const Trained& t = trained();
  const std::string text = "the dog";
  const lm::Model model = lm::Model::load(t.model);
  const auto states = [&](std::size_t layer, std::size_t state) {
    std::vector<double> all;
    for (std::size_t n = 1; n <= text.size(); ++n) {
      const std::vector<double> last =
          hidden_of(model, text.substr(0, n)).states[layer][state].value().to_vector<double>();
      all.insert(all.end(), last.begin(), last.end());
    }
    return unroll::Tensor::of<double>({std::ssize(text), 24}, all);
  };
  check_values(data_of(t.inspect(text, {"--layer", "1"})), states(0, 0));
  check_values(data_of(t.inspect(text, {"--state", "2"})), states(1, 1));
  const std::string page = t.inspect(text, {"--layer", "1", "--state", "2", "--units", "17,3,17"});
  CHECK(contains(page, "layer 1 of 2, state tensor 2 (24 units, 2 shown)"));
  const json data = data_of(page);
  CHECK(data["units"] == json({3, 17}));
  check_values(data, states(0, 1));

  const std::string first = t.inspect(text, {"--max-symbols", "3"});
  CHECK(contains(first, "the first 3 symbols"));
  CHECK(data_of(first)["symbols"].size() == 3);
  CHECK(data_of(t.inspect("t", {}))["symbols"].size() == 1);
}

TEST_CASE("inspect: what does not fit is refused, and nothing is written") {
  const Trained& t = trained();
  const std::string text = write(t.folder / "short", "the dog"), out = t.folder / "refused.html";
  const Arguments inspect{"inspect", "--model", t.model, "--out", out};
  const auto refuse = [&](const Arguments& more, const std::string& message) {
    expect_refused(run(t.folder, inspect + more), message);
    CHECK(!fs::exists(out));
  };
  refuse({text, "--layer", "3"}, "--layer: expected a layer from 1 to 2, got 3");
  refuse({text, "--layer", "-1"}, "--layer: expected a whole number from 0");
  refuse({text, "--state", "3"}, "--state: layer 2 has the state tensors 1 to 2, got 3");
  refuse({text, "--units", "3,24"}, "--units: expected units from 0 to 23, got 24");
  refuse({text, "--units", "three"}, "--units: expected a whole number");
  refuse({text, "--max-symbols", "0"}, "--max-symbols: expected a whole number from 1");
  refuse({}, "text is required");
  refuse({t.folder / "none"}, "cannot be read");
  refuse({write(t.folder / "foreign", "the Xo")}, "the model never saw 'X' (U+0058)");
  refuse({write(t.folder / "bad", "a\xff")}, "not valid UTF-8 at byte offset 1");
  refuse({text, "--out", t.folder / "none/page"}, "No such file or directory");
  write(out, "kept");
  expect_refused(run(t.folder, inspect + Arguments{text}), "exists already; --overwrite replaces");
  CHECK(read(out) == "kept");
  fs::remove(out);
}

TEST_CASE("inspect: words follow each other with blanks, bytes that are no text are visible") {
  const Folder folder;
  const std::string model = folder / "model", out = folder / "page";
  const auto shown = [&](const std::string& bytes) {
    const Outcome outcome = run(folder, {"inspect", write(folder / "inspected", bytes), "--model",
                                         model, "--out", out, "--overwrite"});
    REQUIRE(outcome.err == "");
    const json data = data_of(read(out));
    std::string text;
    for (const json& symbol : data["symbols"])
      text += data["table"][symbol.get<std::size_t>()].get<std::string>() + '|';
    return text;
  };
  train(folder, write(folder / "words", sentences(100)), model,
        {"--level", "word", "--max-steps", "2", "--min-count", "2"});
  CHECK(shown("the  cat\nwho sees") == "the| cat|\u21B5\n|<unk>| sees|");

  const std::string bytes = "a\xff\xc3\t\x01\r.\n";
  std::string repeated;
  for (int k = 0; k < 100; ++k) repeated += bytes;
  train(folder, write(folder / "bytes", repeated), model,
        {"--level", "byte", "--max-steps", "2", "--overwrite"});
  CHECK(shown(bytes) == "a|<FF>|<C3>|\u2192\t|\u2401|\u240D|.|\u21B5\n|");
  // Whatever such a model writes goes into the log as valid UTF-8.
  for (const lm::RunHistory::Sample& sample : lm::read_history(model + ".run/log.jsonl").samples)
    CHECK(lm::visible_text(sample.text) == sample.text);
}
