#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <string>

namespace unroll::nn {

/// Weight normalisation (Salimans and Kingma, 2016, equation 2) of one weight of a cell: its rows
/// are w = g v / |v|. v is the cell's own parameter, g: [rows] a new one named `<name>_g`, at first
/// the lengths of the rows, so that nothing changes before training.
///
///     nn::Recurrent rnn(nn::WeightNorm(nn::LSTM(64, 128), "weight_hh"));
class WeightNorm : public CellWrapper {
 public:
  /// Throws ArgumentError, which lists the parameters, for a name that the cell does not have, and
  /// for a weight with a row of zeros or of less than two axes.
  WeightNorm(AnyCell cell, const std::string& name);

  void prepare(Call& call) const override;
  /// Throws ArgumentError outside of a call, where the weight would be v.
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter direction_;
  Parameter length_;
};

}  // namespace unroll::nn
