// The page of lm inspect in a browser, where there is one.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "lm_pages.hpp"

using namespace lm_program;
using nlohmann::json;

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
