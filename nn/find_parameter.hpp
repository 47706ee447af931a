#pragma once

#include <nn/module.hpp>

#include <string_view>

namespace unroll::nn {

/// The parameter that named_parameters() lists under `name`, a handle that shares its value. Throws
/// ArgumentError, beginning with `caller`, that lists the parameters of the module when this is
/// none of them.
///
///     nn::find_parameter(rnn, "weight_hh_l0").set(nn::init::orthogonal({512, 128}));
Parameter find_parameter(const Module& module, std::string_view name,
                         std::string_view caller = "find_parameter");

}  // namespace unroll::nn
