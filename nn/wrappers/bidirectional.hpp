#pragma once

#include <nn/recurrent/recurrent.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace unroll::nn {

/// Two cells over one sequence, one from its first step on and one from its last step back
/// (Schuster and Paliwal, Bidirectional recurrent neural networks, 1997). The output at a step
/// depends on earlier and on later inputs. The cells may be of any kind and size, but take the same
/// number of inputs.
///
///     nn::Bidirectional rnn(nn::LSTM(64, 128), nn::LSTM(64, 128));
///     auto [outputs, state] = rnn(x);                  // [T,B,256]
///     auto [padded, ends] = rnn(x, {}, {7, 5, 2});     // three sequences of unequal length
class Bidirectional : public Module {
 public:
  /// Parameters are named as in PyTorch, `weight_ih_l<layer>` those of `forward` and
  /// `weight_ih_l<layer>_reverse` those of `backward`. Throws ArgumentError when the cells do not
  /// take the same number of inputs.
  template <std::derived_from<Cell> F, std::derived_from<Cell> B>
  Bidirectional(F forward, B backward, int layer = 0)
      : Bidirectional(Recurrent(std::move(forward), layer), Recurrent(std::move(backward), layer)) {
  }

  /// The same cells under the names of another layer of a stack.
  Bidirectional at_layer(int layer) const {
    return {forward_.at_layer(layer), backward_.at_layer(layer)};
  }

  /// The same layer with a budget in bytes, of which each cell gets half: Recurrent::checkpointed.
  Bidirectional checkpointed(std::size_t bytes) const {
    return {forward_.checkpointed(bytes / 2), backward_.checkpointed(bytes / 2)};
  }

  /// `x: [T,B,I]` to outputs `[T,B,O1+O2]`, at each step that of the forward cell beside that of
  /// the backward cell. `state` holds the tensors of the forward cell, then those of the backward
  /// cell, as do the state returned, of which the first part is that after the last step and the
  /// second part that after the first; empty: the cells' initial states. `lengths`: as in
  /// UnrollOptions; the backward cell begins at each sequence's own end. Throws as Recurrent does.
  Sequence operator()(const Variable& x, const State& state = {},
                      const std::vector<Index>& lengths = {}) const;

  const Recurrent& forward() const { return forward_; }
  const Recurrent& backward() const { return backward_; }

 private:
  Bidirectional(const Recurrent& forward, const Recurrent& backward);

  Recurrent forward_, backward_;
};

}  // namespace unroll::nn
