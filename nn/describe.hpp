#pragma once

#include <nn/module.hpp>

#include <string>

namespace unroll::nn {

/// A table of the parameters of a module, then of its buffers, under their paths, for people to
/// read:
///
///     name              shape   dtype    elements  bytes
///     embedding.weight  [10,4]  float32        40    160
///     readout.weight    [10,4]  float32    shared         = embedding.weight
///     readout.bias      [10]    float32        10     40
///     total                                    50    200
///
/// A parameter that is listed under several names is counted once. Frozen ones and buffers are
/// marked. The table ends with a newline.
std::string describe(const Module& module);

}  // namespace unroll::nn
