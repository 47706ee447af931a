#pragma once

#include <string>
#include <string_view>

namespace lm {

/// The text as valid UTF-8 without invisible symbols. Line feeds, tabs and blanks stay. Control
/// characters become the pictures that Unicode has for them (U+2400 and following), characters that
/// are invisible or change the direction of the text become `<U+202E>`, and bytes that are not
/// UTF-8 become `<FF>`.
std::string visible_text(std::string_view bytes);

}  // namespace lm
