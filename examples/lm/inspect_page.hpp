#pragma once

#include "inspect.hpp"

#include <nn/data/vocabulary.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace lm {

/// What a page of `lm inspect` shows.
struct Inspection {
  std::string model;  ///< file
  std::string text;   ///< file
  bool cut = false;   ///< the text goes on
  unroll::nn::Vocabulary vocabulary;
  std::vector<std::int32_t> symbols;
  Activity activity;
  std::vector<Index> units;  ///< those on the page
};

/// A page, complete in itself, that colours each symbol by a unit's activation or by its surprise
/// (Karpathy, Johnson and Fei-Fei, Visualizing and understanding recurrent networks, 2015).
std::string inspect_page(const Inspection& inspection);

/// The fixed parts of that page.
namespace inspect_page_parts {
extern const char* const kStyle;
extern const char* const kBody;
extern const char* const kScript;
}  // namespace inspect_page_parts

}  // namespace lm
