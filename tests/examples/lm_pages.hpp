// What the tests of the pages that lm writes share.
#pragma once

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lm.hpp"

namespace lm_program {

// One word, so that it stands as a whole in what a model of words puts on its page.
inline const std::string kAttack =
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
inline const Trained& trained() {
  static const Trained trained;
  return trained;
}

inline long count(const std::string& text, const std::string& part) {
  long n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

inline std::string between(const std::string& text, const std::string& begin,
                           const std::string& end) {
  const std::size_t from = text.find(begin);
  CAPTURE(begin);
  REQUIRE(from != std::string::npos);
  return text.substr(from + begin.size(), text.find(end, from) - from - begin.size());
}

inline nlohmann::json data_of(const std::string& page) {
  return nlohmann::json::parse(
      between(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
}

inline std::vector<std::int8_t> bytes_of_base64(const std::string& text) {
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

}  // namespace lm_program
