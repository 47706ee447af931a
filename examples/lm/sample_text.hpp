#pragma once

#include "sample.hpp"

#include <string>

namespace lm {

/// What sample() writes, as a text. Draws from a generator of its own. Throws as sample() does.
std::string sample_text(const Model& model, const SampleOptions& options);

}  // namespace lm
