// Pictures of curves: where values lie, what is left out, and that every viewer can read them.
#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/curves.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include "support/folder.hpp"

namespace unroll::testing {
namespace {

long count(const std::string& text, const std::string& what) {
  long n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// The text of every <text> element, in order.
std::vector<std::string> texts_of(const std::string& svg) {
  const std::regex element("<text[^>]*>([^<]*)</text>");
  std::vector<std::string> texts;
  for (std::sregex_iterator it(svg.begin(), svg.end(), element), end; it != end; ++it)
    texts.push_back((*it)[1]);
  return texts;
}

/// The data of the first curve's path.
std::string first_path(const std::string& svg) {
  const std::regex element("<path class=\"curve line0\" d=\"([^\"]*)\"");
  std::smatch match;
  return std::regex_search(svg, match, element) ? match[1].str() : "";
}

/// Pixel of the y axis at which a tick of this text stands: its grid line comes before it.
double tick_pixel(const std::string& svg, const std::string& text) {
  const std::regex element("y1=\"([0-9.]+)\"[^>]*/>\n<text[^>]*text-anchor=\"end\">" + text + "<");
  std::smatch match;
  return std::regex_search(svg, match, element) ? std::stod(match[1]) : -1.0;
}

}  // namespace

TEST_CASE("values lie where the ticks say, on a linear and on a logarithmic axis") {
  const std::string linear = nn::curves_svg({{"loss", {0, 10}, {0, 4}}});
  const double zero = tick_pixel(linear, "0");
  const double four = tick_pixel(linear, "4");
  REQUIRE(zero > four);
  CHECK(tick_pixel(linear, "2") == doctest::Approx((zero + four) / 2).epsilon(0.01));
  CHECK(first_path(linear) == first_path(nn::curves_svg({{"loss", {0, 20}, {0, 8}}})));

  const std::string log =
      nn::curves_svg({{"loss", {0, 1, 2}, {1, 10, 100}}}, {.logarithmic = true});
  const double one = tick_pixel(log, "1");
  const double hundred = tick_pixel(log, "100");
  REQUIRE(one > hundred);
  CHECK(tick_pixel(log, "10") == doctest::Approx((one + hundred) / 2).epsilon(0.01));
  std::smatch match;
  const std::string path = first_path(log);
  REQUIRE(std::regex_match(path, match, std::regex("M\\S+ (\\S+)L\\S+ (\\S+)L\\S+ (\\S+)")));
  CHECK(std::stod(match[1]) == doctest::Approx(one));
  CHECK(std::stod(match[2]) == doctest::Approx(tick_pixel(log, "10")));
  CHECK(std::stod(match[3]) == doctest::Approx(hundred));
}

TEST_CASE("values that cannot be drawn are gaps") {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string svg = nn::curves_svg({{"", {0, 1, 2, 3, 4}, {1, 2, nan, 2, 1}}});
  CHECK(count(first_path(svg), "M") == 2);
  const std::string log = nn::curves_svg({{"", {0, 1, 2, 3, 4, 5}, {1, 0, 3, -1, infinity, 20}}},
                                         {.logarithmic = true});
  CHECK(count(first_path(log), "M") == 3);
  for (const std::vector<double>& none : {std::vector<double>{}, std::vector<double>{nan}})
    for (const bool logarithmic : {false, true}) {
      const std::string empty = nn::curves_svg({{"", none, none}}, {.logarithmic = logarithmic});
      CHECK(first_path(empty).empty());
      CHECK(texts_of(empty).size() > 4);
      CHECK(count(empty, "nan") + count(empty, "inf") == 0);
    }
}

TEST_CASE("extreme values leave numbers in the picture, and few ticks") {
  const double large = std::numeric_limits<double>::max();
  for (const std::vector<double>& y : {std::vector<double>{3, 3},
                                       {0, 0},
                                       {-1e300, 1e300},
                                       {1e-300, 1e300},
                                       {1, 1 + 1e-15},
                                       {5e-324, 1},
                                       {-large, large}})
    for (const bool logarithmic : {false, true}) {
      const std::string svg = nn::curves_svg({{"", {0, 1}, y}}, {.logarithmic = logarithmic});
      CHECK(count(svg, "nan") + count(svg, "inf") == 0);
      CHECK(texts_of(svg).size() < 60);
    }
}

TEST_CASE("a million values take the space of the picture's columns, and no peak is lost") {
  std::vector<double> x(1'000'000);
  std::vector<double> y(x.size(), 1.0);
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = static_cast<double>(k);
  y[345'678] = 5.0;
  const std::string svg = nn::curves_svg({{"loss", x, y}});
  CHECK(svg.size() < 100'000);
  const std::regex at_peak("L\\S+ ([0-9.]+)");
  const std::string path = first_path(svg);
  double least = HUGE_VAL;
  for (std::sregex_iterator it(path.begin(), path.end(), at_peak), end; it != end; ++it)
    least = std::min(least, std::stod((*it)[1]));
  CHECK(least == doctest::Approx(tick_pixel(svg, "5")));
}

TEST_CASE("labels, points and themes") {
  const std::string svg =
      nn::curves_svg({{"train <&>", {0, 1}, {1, 2}}, {"validation", {0, 1}, {1, 2}, true}},
                     {.title = "A & B", .x_label = "epoch", .y_label = "bits"});
  for (const char* text : {"train &lt;&amp;>", ">validation<", ">A &amp; B<", ">epoch<", ">bits<",
                           "prefers-color-scheme:dark"})
    CHECK_MESSAGE(svg.find(text) != std::string::npos, text);
  CHECK(count(svg, "<circle") == 2);
}

TEST_CASE("a picture is written whole, and rejects what it cannot draw") {
  const Folder folder;
  const std::vector<nn::Curve> curves{{"loss", {0, 1}, {1, 2}}};
  nn::write_curves(folder / "loss.svg", curves, {.title = "Loss"});
  CHECK(read(folder / "loss.svg") == nn::curves_svg(curves, {.title = "Loss"}));
  nn::write_curves(folder / "loss.svg", curves);
  CHECK(read(folder / "loss.svg") == nn::curves_svg(curves));
  CHECK(folder.files() == 1);
  CHECK_THROWS_AS(nn::curves_svg({{"a", {1, 2}, {1}}}), ArgumentError);
  CHECK_THROWS_AS(nn::curves_svg(curves, {.width = 100}), ArgumentError);
  CHECK_THROWS_AS(nn::write_curves(folder / "none/loss.svg", curves), Error);
}

}  // namespace unroll::testing
