#pragma once

#include <nn/recurrent/any_cell.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace lm {

/// The largest value of an option that sizes something.
inline constexpr unroll::Index kMaxCellOption = unroll::Index{1} << 20;

/// The cell that a specification names: `lstm`, or with options `recurrent_highway:depth=4` or
/// `clockwork:periods=1/2/4,activation=relu`. Names and options are those of docs/catalogue.md in
/// lower case. `most_size`: the largest value of an option that is a dimension of a tensor. Throws
/// ArgumentError listing the names or the options there are, or the largest value, and what the
/// cell throws for sizes that it does not take.
unroll::nn::AnyCell make_cell(const std::string& specification, unroll::Index inputs,
                              unroll::Index hidden, unroll::Index most_size = kMaxCellOption);

/// Bytes that making a cell may take beside its weights and a few copies of them.
std::size_t making_bytes(const std::string& specification, unroll::Index hidden);

/// Every name.
std::vector<std::string> cell_names();

}  // namespace lm
