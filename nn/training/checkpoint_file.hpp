#pragma once

#include <nn/io/safetensors.hpp>

#include <string>

/// The file of a Checkpoint; docs/checkpoints.md describes its layout.
namespace unroll::nn {

/// Reads a file that Checkpoint::save has written, for programs that look inside or copy it.
/// Verifies the checksum of all tensors and metadata. Throws FormatError when the file is missing,
/// damaged, written by another program or by a newer version of this library.
TensorFile read_checkpoint(const std::string& path);

namespace checkpoint_file {

/// Adds format, version and checksum to the metadata and writes the file. Throws what
/// save_safetensors throws.
void write_checkpoint(const std::string& path, TensorFile file);

/// `"path"`, short and without control characters, for messages.
std::string quote_path(const std::string& path);

}  // namespace checkpoint_file
}  // namespace unroll::nn
