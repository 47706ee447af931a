#pragma once

#include <nn/recurrent/any_cell.hpp>

#include <string>
#include <vector>

namespace lm {

/// The cell that a specification names: `lstm`, or with options `recurrent_highway:depth=4` or
/// `clockwork:periods=1/2/4,activation=relu`. Names and options are those of docs/catalogue.md in
/// lower case. Throws ArgumentError listing the names or the options there are, and what the cell
/// throws for sizes that it does not take.
unroll::nn::AnyCell make_cell(const std::string& specification, unroll::Index inputs,
                              unroll::Index hidden);

/// Every name.
std::vector<std::string> cell_names();

}  // namespace lm
