// What the pages of lm are made of: escaping, base64, features of a text, correlation.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "examples/lm/html.hpp"
#include "examples/lm/inspect.hpp"
#include "examples/lm/visible_text.hpp"
#include "lm_pages.hpp"

using namespace lm_program;
using nlohmann::json;

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
