#pragma once

#include <nn/layers/dropout.hpp>
#include <nn/recurrent/recurrent.hpp>
#include <nn/wrappers/bidirectional.hpp>

#include <concepts>
#include <variant>
#include <vector>

namespace unroll::nn {

/// The state of each layer.
using States = memory::Vector<State>;

struct StackedOptions {
  double dropout = 0.0;  ///< rate between layers, not after the last
};

/// What Stacked takes as a layer.
template <class L>
concept StackedLayer =
    std::derived_from<L, Cell> || std::same_as<L, Recurrent> || std::same_as<L, Bidirectional>;

/// Recurrent layers, each reading the outputs of the one before.
///
///     Stacked rnn({.dropout = 0.5}, LSTM(64, 128), LSTM(128, 128));   // or push_back() in a loop
///     auto [outputs, states] = rnn(x);
///     Stacked both(Bidirectional(LSTM(64, 128), LSTM(64, 128)), LSTM(256, 128));
class Stacked : public Module {
 public:
  /// One layer of the stack.
  using Layer = std::variant<Recurrent, Bidirectional>;
  struct Result {
    Variable outputs;  ///< [T,B,O] of the last layer
    States states;     ///< of each layer, as it returned it
  };

  template <StackedLayer... Layers>
  requires(sizeof...(Layers) >= 1) explicit Stacked(Layers... layers)
      : Stacked(StackedOptions{}, std::move(layers)...) {}

  template <StackedLayer... Layers>
  explicit Stacked(const StackedOptions& options, Layers... layers)
      : Module(), dropout_(add("dropout", Dropout(options.dropout))) {
    (push_back(std::move(layers)), ...);
  }

  /// Adds a layer on top. Its parameters get its number, from 0 on, into their names. Throws
  /// ArgumentError when the layer below does not return what this one takes.
  template <std::derived_from<Cell> C>
  void push_back(C cell) {
    push_back(Recurrent(std::move(cell)));
  }
  void push_back(const Recurrent& layer);
  void push_back(const Bidirectional& layer);

  /// `x: [T,B,I]`; `states`: those of an earlier call, or empty; `lengths`: as in UnrollOptions.
  /// Throws as Recurrent does, and ArgumentError while there are no layers.
  Result operator()(const Variable& x, const States& states = {},
                    const std::vector<Index>& lengths = {}) const;

  const std::vector<Layer>& layers() const { return layers_; }

 private:
  int next_layer() const { return static_cast<int>(layers_.size()); }
  void check_fits(Index inputs) const;

  Dropout dropout_;
  std::vector<Layer> layers_;
  Index outputs_ = 0;  // of the last layer
};

/// The states as constants: where truncated backpropagation through time cuts.
States detach(const States& states);

}  // namespace unroll::nn
