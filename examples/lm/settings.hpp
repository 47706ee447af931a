#pragma once

#include <autograd/tensor/shape.hpp>

#include <string>

namespace lm {

using unroll::Index;

// Bounds of the options, for the command line as for model files.
inline constexpr Index kMaxLayers = 64;
inline constexpr Index kMaxSize = 16384;
// Values of the state of a layer, for one sequence: 16 MiB.
inline constexpr Index kMaxState = Index{1} << 22;

/// What a model is made of, beside its vocabulary.
struct NetworkOptions {
  std::string cell = "lstm";  ///< as make_cell reads it
  Index layers = 1;
  Index hidden = 256;
  Index embedding = 64;
  bool tied = false;  ///< readout and embedding share a matrix
  bool adaptive_softmax = false;
  double dropout = 0.0;         ///< of what each layer and the readout read, anew at each step
  double locked_dropout = 0.0;  ///< the same with one mask for all steps
  double weight_drop = 0.0;     ///< of recurrent weights
  double zoneout = 0.0;         ///< of hidden states
};

/// As JSON, for the metadata of model files.
std::string to_json(const NetworkOptions& options);
/// Throws FormatError that begins with `where` and names the option and what was expected.
NetworkOptions network_from_json(const std::string& json, const std::string& where);

}  // namespace lm
