#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lm {

/// What the pages that commands write have in common: one file that loads nothing, in the light or
/// dark theme of its reader.
struct HtmlPage {
  std::string title;  ///< plain text
  std::string style;  ///< CSS of this page, behind the common one
  std::string body;   ///< HTML
};
std::string to_html(const HtmlPage& page);

/// Text for an element or a quoted attribute. Takes valid UTF-8.
std::string escape_html(std::string_view text);
/// JSON for a script element, which no string in it can end.
std::string json_for_script(std::string_view json);
/// RFC 4648, section 4.
std::string base64(std::span<const std::int8_t> bytes);

}  // namespace lm
