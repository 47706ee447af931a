#pragma once

#include "model.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lm {

/// Whose values are recorded.
struct UnitsOptions {
  Index layer = 0;  ///< from 1; 0: the last
  Index state = 0;  ///< state tensor of the layer, from 1; 0: the last layer's output, below it 1
};

/// A possible next symbol.
struct Guess {
  std::int32_t symbol = 0;
  double probability = 0;
};

/// What a model does while it reads a text.
struct Activity {
  std::string source;                       ///< "layer 2 of 2, output"
  Index units = 0;                          ///< of that layer
  std::vector<float> values;                ///< [units][symbols]: after the symbol was read
  std::vector<double> bits;                 ///< surprise of each symbol; NaN for the first
  std::vector<std::vector<Guess>> guesses;  ///< the most probable symbols in its place, up to 3
};

/// Reads the symbols, at least one. Throws ArgumentError for a layer or a state that the model does
/// not have.
Activity record_activity(const Model& model, std::span<const std::int32_t> symbols,
                         const UnitsOptions& options);

/// A property of each symbol with which units may be correlated.
struct TextFeature {
  std::string name;
  std::vector<double> values;
};

/// Simple properties of a text that tend to show what a unit responds to: space, line break,
/// position in the line, upper case, digit, inside double quotes, inside brackets. `symbols` as
/// they are written.
std::vector<TextFeature> text_features(const std::vector<std::string>& symbols);

/// Pearson's correlation over the places where both are finite; NaN when either does not vary.
double correlation(std::span<const float> a, std::span<const double> b);

/// Values in 127 steps to either side of 0: value = step * steps[k], wrong by half a step at most.
/// Values that are not finite become 0.
struct Quantized {
  double step = 0;
  std::vector<std::int8_t> steps;
};
Quantized quantize(std::span<const float> values);

struct InspectOptions {
  std::string model = "lm.safetensors";
  std::string text;
  std::string out = "";  ///< empty: MODEL.inspect.html
  bool overwrite = false;
  UnitsOptions source = {};
  std::vector<Index> units = {};  ///< empty: all
  Index max_symbols = 5000;
};

/// The command `inspect`.
void run_inspect(const InspectOptions& options);

}  // namespace lm
