#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <string>

namespace unroll::nn {

/// DropConnect on a weight of a cell (Merity, Keskar and Socher, Regularizing and optimizing LSTM
/// language models, 2018, section 2): in training mode each element of the named parameter is zero
/// with probability `rate`, and the others are divided by 1 - rate, anew for each call of the layer
/// and the same at each of its steps. The gradient goes to the whole parameter. The cell needs no
/// change for it.
///
///     nn::Recurrent rnn(nn::WeightDrop(nn::LSTM(64, 128), "weight_hh", 0.5));
class WeightDrop : public CellWrapper {
 public:
  /// Throws ArgumentError, which lists the parameters, for a name that the cell does not have, and
  /// unless 0 <= rate < 1.
  WeightDrop(AnyCell cell, const std::string& name, double rate);

  void prepare(Call& call) const override;

 private:
  Parameter weight_;
  double rate_;
};

}  // namespace unroll::nn
