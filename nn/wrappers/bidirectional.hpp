#pragma once

#include <nn/recurrent/recurrent.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace unroll::nn {

/// Options of Bidirectional.
struct BidirectionalOptions {
  /// How the outputs of both directions become one.
  enum class Merge {
    concat,  ///< side by side, `[T,B,O1+O2]`
    sum,     ///< added, `[T,B,O]`
    mean,    ///< half their sum
  };
  Merge merge = Merge::concat;
  bool share = false;  ///< both directions may be one cell
};

/// Two cells over one sequence, one from its first step on and one from its last step back
/// (Schuster and Paliwal, Bidirectional recurrent neural networks, 1997). The output at a step
/// depends on earlier and on later inputs. The cells may be of any kind and size, but take the same
/// number of inputs.
///
///     nn::Bidirectional rnn(nn::LSTM(64, 128), nn::LSTM(64, 128));
///     auto [outputs, state] = rnn(x);                  // [T,B,256]
///     auto [padded, ends] = rnn(x, {}, {.lengths = {7, 5, 2}});
class Bidirectional : public Module {
 public:
  /// Parameters are named as in PyTorch, `weight_ih_l<layer>` those of `forward` and
  /// `weight_ih_l<layer>_reverse` those of `backward`. Throws ArgumentError when the cells do not
  /// take the same number of inputs, when outputs of different sizes are to be added, and when both
  /// are one cell, or share parameters, without `.share = true`.
  Bidirectional(AnyCell forward, AnyCell backward, const BidirectionalOptions& options = {})
      : Bidirectional(Recurrent(std::move(forward)), Recurrent(std::move(backward)), options) {}

  /// The same cells under the names of another layer of a stack.
  Bidirectional at_layer(int layer) const {
    return {forward_.at_layer(layer), backward_.at_layer(layer), options_};
  }

  /// The same layer with a budget in bytes, of which each cell gets half: Recurrent::checkpointed.
  Bidirectional checkpointed(std::size_t bytes) const {
    return {forward_.checkpointed(bytes / 2), backward_.checkpointed(bytes / 2), options_};
  }

  /// `x: [T,B,I]` to outputs `[T,B,O]`, at each step those of the forward cell merged with those of
  /// the backward cell. `state` holds the tensors of the forward cell, then those of the backward
  /// cell, as do the state returned, of which the first part is that after the last step and the
  /// second part that after the first; empty: the cells' initial states. With lengths the backward
  /// cell begins at each sequence's own end. Throws as Recurrent does, and ArgumentError for
  /// targets and for `reverse`.
  Sequence operator()(const Variable& x, const State& state = {},
                      const UnrollOptions& options = {}) const;

  /// O, the size of the outputs.
  Index outputs() const;

  const Recurrent& forward() const { return forward_; }
  const Recurrent& backward() const { return backward_; }

 private:
  Bidirectional(const Recurrent& forward, const Recurrent& backward,
                const BidirectionalOptions& options);

  BidirectionalOptions options_;
  Recurrent forward_, backward_;
};

}  // namespace unroll::nn
