#pragma once

#include <nn/module.hpp>

#include <string>

namespace unroll::nn {

/// Writes the parameters and buffers of a module to a safetensors file, under the names of
/// named_parameters() and named_buffers(), which are PyTorch's for the layers that PyTorch has.
/// Throws what save_safetensors throws.
void save(const Module& module, const std::string& path);

/// Sets the parameters and buffers of a module to the tensors of a safetensors file with the same
/// names and shapes, converted to the module's dtypes. Changes nothing unless all fit. Throws
/// FormatError naming each that is missing, left over or of another shape, and what
/// load_safetensors throws.
///
///     nn::save(model, "model.safetensors");
///     nn::load(model, "model.safetensors");  // or a file of PyTorch's state_dict()
void load(Module& module, const std::string& path);

}  // namespace unroll::nn
