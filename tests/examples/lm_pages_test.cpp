// The pages that lm writes: inspect, report, and the curves of a run.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <autograd/autograd.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "examples/lm/html.hpp"
#include "examples/lm/inspect.hpp"
#include "examples/lm/run_history.hpp"
#include "examples/lm/visible_text.hpp"
#include "lm.hpp"

using namespace lm_program;
using nlohmann::json;

namespace {

// One word, so that it stands as a whole in what a model of words puts on its page.
const std::string kAttack =
    "</script><img/src=x/onerror=\"document.title='broken'\"><!--<script>&lt;\\u003c'\n";

/// A folder with a model that knows the symbols of an attack.
struct Trained {
  Trained() {
    train(folder, text, model, {"--max-steps", "60", "--layers", "2"});
    train(folder, text, words, {"--max-steps", "2", "--level", "word"});
  }

  std::string output(const Arguments& arguments) const {
    const Outcome outcome = run(folder, arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.err == "");
    CHECK(outcome.code == 0);
    return outcome.out;
  }
  /// The page that inspect writes about a text.
  std::string inspect(const std::string& bytes, const Arguments& more = {}) const {
    const std::string out = folder / "page.html";
    output(Arguments{"inspect", write(folder / "inspected", bytes), "--model", model, "--out", out,
                     "--overwrite"} +
           more);
    return read(out);
  }
  /// The page about an attack, to a model of words.
  std::string attacked() const { return inspect(kAttack, {"--model", words}); }

  Folder folder;
  std::string text = write(folder / "text", kAttack + "\"()\t\x01\n" + sentences(300));
  std::string model = folder / "model";
  std::string words = folder / "words";
};

/// One folder for all tests.
const Trained& trained() {
  static const Trained trained;
  return trained;
}

long count(const std::string& text, const std::string& part) {
  long n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  CAPTURE(begin);
  REQUIRE(from != std::string::npos);
  return text.substr(from + begin.size(), text.find(end, from) - from - begin.size());
}

json data_of(const std::string& page) {
  return json::parse(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
}

std::vector<std::int8_t> bytes_of_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::int8_t> bytes;
  unsigned held = 0, bits = 0;
  for (const char c : text.substr(0, text.find('='))) {
    held = held << 6U | static_cast<unsigned>(digits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::int8_t>(held >> bits & 255U));
  }
  return bytes;
}

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

TEST_CASE("a text cannot break out of the page, and nothing is loaded from elsewhere") {
  const Trained& t = trained();
  const std::string page = t.attacked();
  CHECK(count(page, "</script>") == 2);
  CHECK(count(page, "<script") == 2);
  CHECK(!contains(page, "<img"));
  CHECK(!contains(page, "<!--"));
  for (const char* outside : {"http:", "https:", "src=", "href=", "@import", "url("})
    CHECK(!contains(page.substr(0, page.find("id=\"data\"")), outside));
  const json data = data_of(page);
  CHECK(data["table"][data["symbols"][0].get<std::size_t>()] ==
        kAttack.substr(0, kAttack.size() - 1));

  CHECK(lm::escape_html("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(json::parse(lm::json_for_script(json("</script>").dump())) == "</script>");
  CHECK(contains(lm::to_html({"</title><script>", "", ""}), "&lt;/title&gt;&lt;script&gt;"));
  CHECK(lm::visible_text("a\x7F\xE2\x80\xAE\n\t é\xF0\x9F\x90\x9B\x80") ==
        "a\u2421<U+202E>\n\t é\xF0\x9F\x90\x9B<80>");
}

TEST_CASE("base64 is that of RFC 4648") {
  const auto encode = [](std::string_view text) {
    return lm::base64(std::vector<std::int8_t>(text.begin(), text.end()));
  };
  CHECK(encode("") == "");
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(encode("\xff\xfe\xfd") == "//79");
}

TEST_CASE("features follow the text: quotes, brackets, lines") {
  const std::string text = "a \"b\" (c[d])\nE5\n\"f\n\ng";
  std::vector<std::string> symbols;
  for (const char c : text) symbols.emplace_back(1, c);
  const auto feature = [&](const std::string& name) {
    std::string digits;
    for (const lm::TextFeature& f : lm::text_features(symbols))
      if (f.name == name)
        for (const double value : f.values) digits += static_cast<char>('0' + std::lround(value));
    return digits;
  };
  //                                  a "b" (c[d])nE5n"fnng
  CHECK(feature("inside quotes") == "001100000000000011100");
  CHECK(feature("inside brackets") == "000000111110000000000");
  CHECK(feature("line break") == "000000000000100100110");
  CHECK(feature("space") == "010001000000100100110");
  CHECK(feature("upper case") == "000000000000010000000");
  CHECK(feature("digit") == "000000000000001000000");
  CHECK(feature("position in the line") == "123456789:;<012012001");
}

TEST_CASE("correlation and quantization") {
  const std::vector<float> a{1, 2, 3, 4};
  CHECK(lm::correlation(a, std::vector<double>{2, 4, 6, 8}) == doctest::Approx(1));
  CHECK(lm::correlation(a, std::vector<double>{4, 3, 2, 1}) == doctest::Approx(-1));
  // Deviations -1.5 -0.5 0.5 1.5 and -1 1 1 -1; then -1.5 ... and -0.5 -0.5 -0.5 1.5.
  CHECK(lm::correlation(a, std::vector<double>{0, 2, 2, 0}) == doctest::Approx(0));
  CHECK(lm::correlation(a, std::vector<double>{0, 0, 0, 2}) ==
        doctest::Approx(3 / std::sqrt(5.0 * 3.0)));
  CHECK(std::isnan(lm::correlation(a, std::vector<double>{7, 7, 7, 7})));
  const double nan = std::nan("");
  CHECK(lm::correlation(a, std::vector<double>{nan, 1, 2, 3}) == doctest::Approx(1));

  const lm::Quantized q = lm::quantize(std::vector<float>{0.5F, -1, 0.25F, 0, INFINITY});
  CHECK(q.step == doctest::Approx(1 / 127.0));
  CHECK(q.steps == std::vector<std::int8_t>{64, -127, 32, 0, 0});
  CHECK(lm::quantize(std::vector<float>{0, 0}).steps == std::vector<std::int8_t>{0, 0});
}

TEST_CASE("a thinned curve keeps the means of a long one") {
  lm::ThinnedCurve thinned;
  CHECK(thinned.empty());
  constexpr int kCount = 100'000;
  for (int k = 0; k < kCount; ++k) thinned.add(k, 2.0 * k);
  const unroll::nn::Curve curve = thinned.curve("loss");
  CHECK(curve.x.size() <= 2048);
  CHECK(curve.x.size() >= 1024);
  const auto stride = static_cast<double>(thinned.values_per_point());
  for (std::size_t k = 0; k + 1 < curve.x.size(); ++k) {
    CHECK(curve.x[k] == doctest::Approx((static_cast<double>(k) + 0.5) * stride - 0.5));
    CHECK(curve.y[k] == doctest::Approx(2 * curve.x[k]));
  }
  CHECK(curve.x.back() > kCount - 2 * stride);
  lm::ThinnedCurve one;
  one.add(3, 4);
  CHECK(one.curve("").y == std::vector<double>{4});
}

TEST_CASE("report: the curves, settings, best validation and samples of a run") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::string model = folder / "a<b>&";
  train(folder, text, model, {"--max-steps", "60", "--eval-every", "4", "--sample-length", "30"});
  const lm::RunHistory history = lm::read_history(model + ".run/log.jsonl");
  REQUIRE(history.best);
  REQUIRE(history.samples.size() == 15);
  CHECK(history.samples[0].step == 4);
  CHECK(history.samples[0].text.size() >= 31);
  CHECK(history.samples[0].text != history.samples[14].text);

  const Outcome outcome = run(folder, {"report", model});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string page = read(model + ".report.html");
  CHECK(contains(page, "Training of " + lm::escape_html(model)));
  CHECK(!contains(page, "a<b>"));
  CHECK(count(page, "<svg") == 3);
  CHECK(count(page, "<circle") == 15);
  CHECK(contains(page, fmt::format("{:.4f} nats per symbol", history.best->nats)));
  CHECK(contains(page, fmt::format("at step {}", history.best->step)));
  CHECK(contains(page, "<th scope=\"row\">hidden</th><td>24</td>"));
  CHECK(contains(page, "symbols per second"));
  CHECK(contains(page, "up to step 60"));
  CHECK(count(page, "<pre>") == 8);
  for (const std::size_t shown : {0U, 14U})
    CHECK(contains(page, lm::escape_html(history.samples[shown].text)));

  expect_refused(run(folder, {"report", model}), "exists already; --overwrite replaces it");
  CHECK(run(folder, {"report", "--model", model, "--overwrite"}).code == 0);
  expect_refused(run(folder, {"report", folder / "none"}), "there is no run of");

  // Without validation, samples or a model that was saved.
  const std::string bare = folder / "bare";
  train(folder, text, bare,
        {"--max-steps", "3", "--validation", "0", "--sample-length", "0", "--quiet"});
  fs::remove(bare);
  CHECK(run(folder, {"report", bare}).code == 0);
  CHECK(!contains(read(bare + ".report.html"), "<pre>"));
}

TEST_CASE("samples change nothing in the training") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  for (const char* validation : {"0.1", "0"}) {
    CAPTURE(validation);
    const Arguments options{"--max-steps",  "30",       "--eval-every", "7", "--dropout", "0.2",
                            "--validation", validation, "--overwrite"};
    train(folder, text, folder / "with", options);
    train(folder, text, folder / "without", options + Arguments{"--sample-length", "0"});
    CHECK(read(folder / "with") == read(folder / "without"));
    CHECK(lm::read_history(folder / "with.run/log.jsonl").samples.size() == 5);
    CHECK(lm::read_history(folder / "without.run/log.jsonl").samples.empty());
  }
}

TEST_CASE("the curves of a run lie beside its log, go on when it is resumed, and may fail") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const Arguments options{"--eval-every", "10", "--schedule", "constant"};
  const std::string once = folder / "once", resumed = folder / "resumed";
  train(folder, text, once, options + Arguments{"--max-steps", "40"});
  train(folder, text, resumed, options + Arguments{"--max-steps", "20"});
  const std::string curves = resumed + ".run/curves.svg";
  CHECK(count(read(curves), "<circle") == 2);
  const Arguments resume{"train", "--resume", "--model", resumed};
  CHECK(run(folder, resume + Arguments{"--max-steps", "40"}).code == 0);
  CHECK(count(read(curves), "<circle") == 4);
  CHECK(read(curves) == read(once + ".run/curves.svg"));

  fs::remove(curves);
  fs::create_directory(curves);
  const Outcome outcome = run(folder, resume + Arguments{"--max-steps", "50"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "step 50: no curves: "));
  CHECK(unroll::nn::load_safetensors(resumed + ".run/step-00000050.safetensors")
            .metadata.at("note.step") == "50");
}

namespace {

/// Drives a browser without a window.
class Browser {
 public:
  explicit Browser(const Folder& folder) : folder_(folder) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string place; std::getline(folders, place, ':') && program_.empty();)
      if (fs::exists(place + "/chromium")) program_ = place + "/chromium";
    if (!program_.empty() && !contains(dom(write(folder / "probe.html", "<p>works")), "<p>works"))
      program_.clear();
  }
  /// Whether there is one, and it starts here.
  bool works() const { return !program_.empty(); }

  /// The document after its scripts have run.
  std::string dom(const std::string& file) const {
    return programs::run(
               "/usr/bin/timeout", folder_,
               {"60", program_, "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run",
                "--user-data-dir=" + (folder_ / "browser"), "--dump-dom", "file://" + file})
        .out;
  }

 private:
  const Folder& folder_;
  std::string program_;
};

/// The page with a script at its end that writes what it finds into the title.
std::string with_script(const std::string& page, const std::string& script) {
  std::string changed = page;
  const std::string end = "</body>";
  changed.insert(changed.rfind(end), "<script>" + script + "</script>");
  return changed;
}

}  // namespace

TEST_CASE("the page works in a browser: search, order, keys, and an attack that stays text") {
  const Folder folder;
  const Browser browser(folder);
  if (!browser.works()) {
    MESSAGE("skipped: there is no chromium that starts");
    return;
  }
  const Trained& t = trained();
  const std::string text = "the cat\n" + kAttack + "(a dog) \"the cat\"\t\x01\n";
  const std::string script = R"js(
    const set = (id, value, event) => {
      at(id).value = value;
      at(id).dispatchEvent(new Event(event));
    };
    const key = name => at('text').dispatchEvent(new KeyboardEvent('keydown', {key: name}));
    const found = {ready: document.documentElement.dataset.ready};
    found.text = at('text').textContent;
    set('search', '1', 'input');
    found.listed = at('list').options.length;
    found.searched = location.hash;
    set('search', '17', 'input');
    found.unit = location.hash;
    set('search', '', 'input');
    set('sort', 'number', 'change');
    key('ArrowDown');
    found.second = location.hash;
    set('sort', '0', 'change');
    found.best = Math.max(...data.features[0].r.map(Math.abs)) === Math.abs(data.features[0].r[row]);
    key('ArrowRight');
    key('ArrowRight');
    found.now = at('now').textContent;
    spans[0].dispatchEvent(new PointerEvent('pointerover', {bubbles: true}));
    found.first = at('now').textContent;
    found.colour = spans[3].style.backgroundColor;
    key('s');
    found.surprise = location.hash + spans[3].style.backgroundColor;
    found.error = at('error').textContent;
    at('error').textContent = '';
    dispatchEvent(new ErrorEvent('error', {message: 'a mistake'}));
    found.noticed = at('error').textContent;
    const result = document.createElement('pre');
    result.id = 'found';
    result.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(found))));
    document.body.append(result);
  )js";
  const std::string page = t.inspect(text);
  const std::string dom = browser.dom(write(folder / "page.html", with_script(page, script)));
  const std::vector<std::int8_t> bytes =
      bytes_of_base64(between(dom, "<pre id=\"found\">", "</pre>"));
  const json found = json::parse(std::string(bytes.begin(), bytes.end()));
  const json data = data_of(page);
  CHECK(found["ready"] == fmt::format("{} symbols, 24 units", data["symbols"].size()));
  std::string shown;
  for (const json& symbol : data["symbols"])
    shown += data["table"][symbol.get<std::size_t>()].get<std::string>();
  CHECK(contains(shown, "</script><img/src=x"));
  CHECK(found["text"] == shown);
  CHECK(found["listed"] == 11);  // 1, 10 to 19
  CHECK(found["searched"] == "#unit-1");
  CHECK(found["unit"] == "#unit-17");
  CHECK(found["second"] == "#unit-1");
  CHECK(found["best"] == true);
  CHECK(
      contains(found["now"].get<std::string>(), fmt::format("h 2 of {}", data["symbols"].size())));
  CHECK(contains(found["now"].get<std::string>(),
                 fmt::format("surprise {:.2f} bits", data["bits"][1].get<double>())));
  CHECK(contains(found["first"].get<std::string>(), "not predicted"));
  CHECK(contains(found["colour"].get<std::string>(), "rgb(var(--"));
  CHECK(contains(found["surprise"].get<std::string>(), "#surprisergb(var(--positive)"));
  CHECK(found["error"] == "");
  CHECK(contains(found["noticed"].get<std::string>(), "a mistake"));

  const std::string attacked =
      browser.dom(write(folder / "attack.html",
                        with_script(t.attacked(), "document.title += document.images.length")));
  CHECK(contains(attacked, "data-ready=\"2 symbols, 24 units\""));
  CHECK(contains(attacked, "0</title>"));
  CHECK(!contains(attacked, "<title>broken"));

  // The address chooses the unit.
  CHECK(contains(browser.dom(write(folder / "page.html", page) + "#unit-5"),
                 "<caption>Unit 5 correlates with"));
}
