#pragma once

#include <nn/layers/dropout.hpp>
#include <nn/recurrent/recurrent.hpp>
#include <nn/wrappers/bidirectional.hpp>

#include <concepts>
#include <type_traits>
#include <variant>
#include <vector>

namespace unroll::nn {

/// The state of each layer.
using States = memory::Vector<State>;

struct StackedOptions {
  double dropout = 0.0;  ///< rate between layers, not after the last
  /// Adds the input of each layer whose outputs are of its size to them.
  bool residual = false;
  /// Each layer above the first reads the outputs of all layers below, side by side, and x (Huang
  /// et al., Densely connected convolutional networks, 2017), so it takes as many inputs.
  bool dense = false;
  bool share = false;  ///< layers may be one cell
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
///     Stacked deep(6, [](int layer) { return GRU(layer == 0 ? 64 : 128, 128); });
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
      : Module(), options_(options), dropout_(add("dropout", Dropout(options.dropout))) {
    (push_back(std::move(layers)), ...);
  }

  /// n layers, each what `make(layer)` makes, from layer 0 on. Throws ArgumentError for n below 1.
  template <class Make>
  requires StackedLayer<std::invoke_result_t<Make&, int>> Stacked(
      int n, Make make, const StackedOptions& options = {})
      : Stacked(options) {
    check_count(n);
    for (int layer = 0; layer < n; ++layer) push_back(make(layer));
  }

  /// Adds a layer on top. Its parameters get its number, from 0 on, into their names. Throws
  /// ArgumentError when the layers below do not return what this one takes, and when it shares
  /// parameters with one of them, as a copy does, without `.share = true`.
  template <std::derived_from<Cell> C>
  void push_back(C cell) {
    push_back(Recurrent(std::move(cell)));
  }
  void push_back(const Recurrent& layer);
  void push_back(const Bidirectional& layer);

  /// `x: [T,B,I]`; `states`: those of an earlier call, or empty; the options are those of every
  /// layer. Throws as Recurrent does, and ArgumentError while there are no layers and for targets.
  Result operator()(const Variable& x, const States& states = {},
                    const UnrollOptions& options = {}) const;

  const std::vector<Layer>& layers() const { return layers_; }

 private:
  static void check_count(int n);
  void put(const Layer& layer, Index inputs, Index outputs);

  StackedOptions options_;
  Dropout dropout_;
  std::vector<Layer> layers_;
  Index available_ = 0;  // what the next layer reads
};

/// The states as constants: where truncated backpropagation through time cuts.
States detach(const States& states);

}  // namespace unroll::nn
