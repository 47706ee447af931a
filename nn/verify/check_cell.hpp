#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <nn/recurrent/recurrent.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::nn {

/// Options of check_cell.
struct CellCheckOptions {
  Index steps = 5;                  ///< T of the sequences, 2 at least
  Index batch = 3;                  ///< B
  std::uint64_t seed = 1;           ///< of the inputs
  bool second_order = true;         ///< false: leaves out the second derivatives, for cells without
  GradcheckOptions gradcheck = {};  ///< for the gradients of both orders
};

/// What check_cell found: each property of the contract that the cell breaks.
struct CellReport {
  struct Finding {
    std::string property;  ///< "a cut sequence"
    std::string message;   ///< what was expected, where it differs and by how much
  };
  std::string cell;  ///< the class
  std::vector<std::string> checked;
  std::vector<Finding> findings;

  explicit operator bool() const { return findings.empty(); }
  /// One line for each finding, or for all that is right.
  std::string to_string() const;
};

/// Checks that a cell keeps the contract on which layers, wrappers and learning rules rely, on
/// random sequences, in float64 unless said otherwise:
///
///     CHECK(nn::check_cell(MyCell(4, 8)));
///
/// Gradients of both orders, with respect to the input, the state and each parameter. Repetition:
/// no step has side effects. A sequence cut anywhere, its state carried over, gives the same
/// result: project() mixes no time steps, and the state holds all that is remembered. A sequence of
/// a batch gives the result that it gives alone. Lengths: each sequence ends as if it were alone,
/// and what lies behind its end does not matter. Cell::run gives what the steps give. Resets: a
/// step behind a boundary starts anew. Reverse: the result is that of the reversed sequence. A
/// checkpointed run has the gradients of a plain one. float32 agrees with float64.
///
/// A cell that draws random numbers is checked in the mode in which it is given, with the same
/// numbers each time. Numbers drawn at each step depend on the order of the steps: what cuts, turns
/// or shortens a sequence is then compared out of training mode, or not at all if it draws there
/// too.
///
/// Parameters are restored. Exceptions of the cell are findings. Throws ArgumentError for fewer
/// than 2 steps or no sequence.
CellReport check_cell(const Recurrent& rnn, const CellCheckOptions& options = {});
CellReport check_cell(AnyCell cell, const CellCheckOptions& options = {});

}  // namespace unroll::nn
