#pragma once

#include <autograd/tensor/tensor.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

/// What a safetensors file holds: named tensors and named strings.
struct TensorFile {
  std::vector<std::pair<std::string, Tensor>> tensors;  ///< when loaded: in the order of their data
  std::map<std::string, std::string> metadata;
  /// When loaded: names of the tensors that cannot be read, and why. They are not saved again.
  std::map<std::string, std::string, std::less<>> unread = {};

  /// The tensor of this name, nullptr when there is none.
  const Tensor* find(std::string_view name) const;
  /// The tensor of this name. Throws FormatError when there is none, listing the names there are,
  /// and when it cannot be read.
  const Tensor& at(std::string_view name) const;
};

/// Writes a safetensors file (https://github.com/huggingface/safetensors), the format in which
/// weights move to and from Python. It appears under its name only once it is complete and on the
/// disk: whatever fails or is killed before, an older file of that name stays as it was. Tensors of
/// 8-byte elements come first, so that every value is aligned. Throws ArgumentError for a name that
/// is taken twice, reserved or not UTF-8 and for an undefined tensor, Error when the file cannot be
/// written.
void save_safetensors(const std::string& path, const TensorFile& file);

/// Throws Error, saying why, when save_safetensors could not write this file; leaves no trace. For
/// programs that should find out before hours of training, not after.
void check_writable(const std::string& path);

/// Reads a safetensors file. F32, F64 and I64 are read as they are; BF16 and F16 become float32,
/// BOOL and the other integers up to 32 bits become int64, which changes no value. A tensor of
/// another element type, or of more axes than a tensor may have, is listed as unread and the others
/// are read. Everything in the file is checked before it is used. Throws FormatError naming the
/// file, the tensor, what was found and what was expected.
TensorFile load_safetensors(const std::string& path);

}  // namespace unroll::nn
