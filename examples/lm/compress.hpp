#pragma once

#include "model.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace lm {

/// A compressed text and what it cost.
struct Compressed {
  std::string bytes;  ///< of the file
  Index symbols = 0;  ///< of the text
  double nats = 0;    ///< mean surprise of a symbol under the model, the first at 1 / V
};

/// Compresses text by arithmetic coding with the model's predictions. The file is, in little-endian
/// numbers: "uclm" and the version 1 (4 + 4 bytes); CRC-32 of all that follows (4); CRC-32 of the
/// model file (4); CRC-32 of the text (4); number of symbols (8); number of bytes of
/// the code (8); the code. `model_crc`: that of the model's file. Throws FormatError for a
/// symbol that the model does not know, ArgumentError for a model of words.
Compressed compress(const Model& model, std::uint32_t model_crc, std::string_view text);

/// The text again. Throws FormatError naming `source` for bytes that are not of
/// compress(), are damaged or cut off, or were compressed with another model; and if the model
/// computes other numbers than it did then, as it may on another processor or with another BLAS.
std::string decompress(const Model& model, std::uint32_t model_crc, std::string_view bytes,
                       const std::string& source);

struct CompressOptions {
  std::string model = "lm.safetensors";
  std::string in;
  std::string out;
  bool overwrite = false;
};

/// The commands `compress` and `decompress`.
void run_compress(const CompressOptions& options);
void run_decompress(const CompressOptions& options);

}  // namespace lm
