#include "html.hpp"

#include <cstddef>

namespace lm {
namespace {

// Blue and orange differ for all kinds of colour blindness.
constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1f2328; --quiet: #57606a; --line: #d0d7de; --panel: #f6f8fa;
  --negative: 64 150 230; --positive: 240 136 50; --accent: #0969da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d; --panel: #161b22;
    --negative: 30 110 190; --positive: 184 92 8; --accent: #58a6ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem 1.5rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { max-width: 46rem; }
.quiet { color: var(--quiet); }
table { border-collapse: collapse; }
th, td { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); font-weight: normal; }
th { color: var(--quiet); white-space: nowrap; }
td { overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
)css";

}  // namespace

std::string to_html(const HtmlPage& page) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // The browser itself keeps the page from loading or sending anything.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>";
  html += escape_html(page.title);
  html += "</title>\n<style>";
  html += kStyle;
  html += page.style;
  html += "</style>\n</head>\n<body>\n";
  html += page.body;
  html += "</body>\n</html>\n";
  return html;
}

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  return result;
}

std::string json_for_script(std::string_view json) {
  std::string result;
  for (const char c : json)
    if (c == '<')  // only strings hold one; "</script" and "<!--" mean something there
      result += "\\u003c";
    else
      result += c;
  return result;
}

std::string base64(std::span<const std::int8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8U | (at + k < bytes.size() ? static_cast<std::uint8_t>(bytes[at + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += at + k <= bytes.size() ? kDigits[word >> (18U - 6U * k) & 63U] : '=';
  }
  return text;
}

}  // namespace lm
