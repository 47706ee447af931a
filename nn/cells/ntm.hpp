#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

#include <optional>

namespace unroll::nn {

/// The network that drives the heads of an NTM.
enum class NTMController {
  feed_forward,  ///< one tanh layer
  lstm           ///< its state is part of the state of the cell
};

/// Options of NTM.
struct NTMOptions {
  Index slots = 128;      ///< N, memory locations
  Index width = 20;       ///< M, elements of a location
  Index read_heads = 1;   ///< R
  Index write_heads = 1;  ///< W
  Index max_shift = 1;    ///< S: a head shifts by -S to S locations in a step
  NTMController controller = NTMController::feed_forward;
  bool learned_memory = false;  ///< the memory before the first step is a parameter
};

/// Neural Turing machine (Graves, Wayne and Danihelka, Neural Turing machines, 2014): a controller
/// with an external memory that it reads and writes through heads. The controller reads the input
/// and what the heads read in the previous step:
///
///     h = tanh(W_ih x + W_rh r + b)                      feed-forward, or
///     (h, c') = LSTM(W_ih x + W_rh r + W_hh h + b, c)    gates i, f, g, o as in nn::LSTM
///
/// Each head has a weighting w over the N locations of the memory `mem`, which is addressed by
/// content and by location (equations 5 to 9), with the parameters of the head computed from h:
///
///     w_c(i) = softmax_i(beta K(k, mem(i)))              K(u, v) = u.v / (|u| |v|)
///     w_g    = g w_c + (1 - g) w                         interpolation with the previous weighting
///     w_s(i) = sum_j w_g(j) s(i - j)                     circular shift
///     w'(i)  = w_s(i)^gamma / sum_j w_s(j)^gamma         sharpening
///
/// Then the heads write and read (equations 2 to 4), all erasures before all additions:
///
///     mem'(i) = mem(i) prod_heads (1 - w'(i) e) + sum_heads w'(i) a
///     r'      = sum_i w'(i) mem'(i)
///
/// The paper leaves open how head parameters are kept in range. Here, as in Collier and Beel
/// (Implementing neural Turing machines, 2018): k and a are tanh, g and e sigmoid, beta is
/// softplus, s is softmax, gamma is 1 + softplus. All heads address the memory before the write;
/// reads see the memory after the write, as the time indices of equations 2 to 4 say. |u| is
/// sqrt(u.u + 1e-6), so a location of zeros has similarity 0.
///
/// State {r: [B,R,M], w: [B,R+W,N] with the read heads first, mem: [B,N,M]}, and with an LSTM
/// controller {h: [B,H], c: [B,H]} behind them. Output [B,H+R M]: h', then r'. In the first state
/// every element of the memory is 1e-6 and every head is at location 0: the memory is a ring whose
/// locations do not differ yet. So no parameter depends on N, and the parameters of a trained cell
/// fit one with more locations; `learned_memory` gives this up.
///
/// Parameters, uniform over +-1/sqrt(H) at first, with G = 4 for the LSTM and 1 otherwise:
/// `weight_ih: [G H,I]`, `weight_rh: [G H,R M]`, `bias: [G H]`, for the LSTM `weight_hh: [4H,H]`,
/// for a learned memory `memory: [N,M]`, and the Linear `heads`, whose rows are, for the R + W
/// heads in turn, k (M each), then s (2S+1 each, from shift -S to S), beta, g, gamma (1 each), and
/// for the W write heads e, then a (M each).
///
/// To draw where the heads look, step the layer and keep the weightings, which are part of the
/// state:
///
///     nn::State state;
///     for (Index t = 0; t < x.size(0); ++t) {
///       state = rnn(x.slice(0, t, t + 1), state).state;
///       const Variable column = ntm.write_weights(state);  // [B,W,N]
///     }
class NTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, or 2 max_shift + 1 outside 1..slots.
  NTM(Index inputs, Index hidden, const NTMOptions& options = {});

  State initial_state(Index batch, Dtype dtype) const override;
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  Index outputs() const override { return hidden_ + options_.read_heads * options_.width; }

  /// `[B,R,N]` and `[B,W,N]`: the weightings of the heads in a state of this cell.
  Variable read_weights(const State& state) const;
  Variable write_weights(const State& state) const;

 private:
  Variable address(const Variable& keys, const Variable& shifts, const Variable& scalars,
                   const State& state) const;
  Variable write(const Variable& memory, const Variable& weights, const Variable& erase,
                 const Variable& addition) const;

  Index hidden_;
  NTMOptions options_;
  Parameter weight_ih_, weight_rh_, bias_;
  Linear heads_;
  std::optional<Parameter> weight_hh_, memory_;
};

}  // namespace unroll::nn
