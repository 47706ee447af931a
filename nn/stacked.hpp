#pragma once

#include <nn/dropout.hpp>
#include <nn/recurrent.hpp>

#include <vector>

namespace unroll::nn {

/// The state of each layer.
using States = PooledVector<State>;

struct StackedOptions {
  double dropout = 0.0;  ///< rate between layers, not after the last
};

/// Recurrent layers, each reading the outputs of the one before.
///
///     Stacked rnn({.dropout = 0.5}, LSTM(64, 128), LSTM(128, 128));   // or push_back() in a loop
///     auto [outputs, states] = rnn(x);
class Stacked : public Module {
 public:
  struct Result {
    Variable outputs;  ///< [T,B,O] of the last layer
    States states;     ///< of each layer after the last step
  };

  template <std::derived_from<Cell>... Cells>
  requires(sizeof...(Cells) >= 1) explicit Stacked(Cells... cells)
      : Stacked(StackedOptions{}, std::move(cells)...) {}

  template <std::derived_from<Cell>... Cells>
  explicit Stacked(const StackedOptions& options, Cells... cells)
      : Module(), dropout_(add("dropout", Dropout(options.dropout))) {
    (push_back(std::move(cells)), ...);
  }

  /// Adds a layer on top. Throws ArgumentError when the layer below does not put out what the cell
  /// takes.
  template <std::derived_from<Cell> C>
  void push_back(C cell) {
    check_fits(cell);
    const int layer = static_cast<int>(layers_.size());
    layers_.push_back(add("", Recurrent(std::move(cell), layer), ""));
  }

  /// `x: [T,B,I]`; `states`: those of an earlier call, or empty. Throws as Recurrent does, and
  /// ArgumentError while there are no layers.
  Result operator()(const Variable& x, const States& states = {}) const;

  const std::vector<Recurrent>& layers() const { return layers_; }

 private:
  void check_fits(const Cell& cell) const;

  Dropout dropout_;
  std::vector<Recurrent> layers_;
};

/// The states as constants: where truncated backpropagation through time cuts.
States detach(const States& states);

}  // namespace unroll::nn
