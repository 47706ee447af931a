#pragma once

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

/// Recurrent layers over a batch, `x: [T,B,I]`, backward by hand: what the tests of nn::Elman,
/// nn::GRU and nn::LSTM share.
///
/// The loss is E = sum_t <r_t, h_t> + sum_k <q_k, state_k(T)>, so h_t has the slope r_t and the
/// final state has q_k beside it. Rows of a matrix are the elements of the batch:
///
///   n_t = x_t W_ih^T + b_ih             m_t = h_{t-1} W_hh^T + b_hh
///
///   dW_ih = sum_t dn_t^T x_t            dW_hh = sum_t dm_t^T h_{t-1}
///   db_ih = column sums of all dn_t     db_hh = column sums of all dm_t
///   dx_t = dn_t W_ih                    dh_{t-1} += dm_t W_hh
///
/// A test supplies what is the cell's own: the step, and dn_t, dm_t and the slopes of the state.
namespace plain {

struct Layer {
  Index inputs, hidden, batch;
  Matrix w_ih, w_hh, b_ih, b_hh;
  std::vector<Matrix> x, initial;  // [B,I] each step; [B,H] each state tensor
  std::vector<Matrix> r, q;        // slopes of the outputs and of the final state

  std::vector<Matrix> outputs, last;  // what the forward pass leaves
  Matrix dw_ih, dw_hh, db_ih, db_hh;
  std::vector<Matrix> dx, dinitial;

  Layer(Index gates, std::size_t states, Index steps)
      : inputs(3),
        hidden(4),
        batch(5),
        w_ih(sample(gates * hidden, inputs, 1)),
        w_hh(sample(gates * hidden, hidden, 2)),
        b_ih(sample(gates * hidden, 1, 3)),
        b_hh(sample(gates * hidden, 1, 4)),
        x(samples(steps, batch, inputs, 5)),
        initial(samples(static_cast<Index>(states), batch, hidden, 6)),
        r(samples(steps, batch, hidden, 7)),
        q(samples(static_cast<Index>(states), batch, hidden, 8)),
        dw_ih(gates * hidden, inputs),
        dw_hh(gates * hidden, hidden),
        db_ih(gates * hidden, 1),
        db_hh(gates * hidden, 1),
        dx(x.size()) {}

  /// x W^T + b for every row of x.
  static Matrix affine(const Matrix& x, const Matrix& w, const Matrix& b) {
    Matrix y = product(x, transposed(w));
    for (Index i = 0; i < y.rows; ++i)
      for (Index j = 0; j < y.columns; ++j) y(i, j) += b(j);
    return y;
  }

  /// Adds one step's part to the slopes of weights and biases, sets dx_t and returns dm_t W_hh.
  Matrix back_through_products(std::size_t t, const Matrix& h_before, const Matrix& dn,
                               const Matrix& dm) {
    dw_ih = dw_ih + product(transposed(dn), x[t]);
    dw_hh = dw_hh + product(transposed(dm), h_before);
    for (Index i = 0; i < batch; ++i)
      for (Index j = 0; j < dn.columns; ++j) {
        db_ih(j) += dn(i, j);
        db_hh(j) += dm(i, j);
      }
    dx[t] = product(dn, w_ih);
    return product(dm, w_hh);
  }
};

/// nn::Recurrent with the layer's weights has its outputs, its final state and every slope.
inline void check_against_tape(unroll::nn::Recurrent network, const Layer& hand) {
  using namespace unroll;
  const Parameter w_ih = set(network, "weight_ih_l0", hand.w_ih);
  const Parameter w_hh = set(network, "weight_hh_l0", hand.w_hh);
  const Parameter b_ih = set(network, "bias_ih_l0", hand.b_ih);
  const Parameter b_hh = set(network, "bias_hh_l0", hand.b_hh);

  Tape tape;
  const Variable x = tape.watch(sequence(hand.x));
  nn::State initial;
  for (const Matrix& value : hand.initial) initial.push_back(tape.watch(tensor(value)));
  const auto [outputs, last] = network(x, initial);
  for (std::size_t t = 0; t < hand.x.size(); ++t)
    check_close(outputs.value().select(0, static_cast<Index>(t)), hand.outputs[t],
                "output at step " + std::to_string(t));

  Variable loss = sum(outputs * Variable(sequence(hand.r)));
  for (std::size_t k = 0; k < last.size(); ++k) {
    check_close(last[k].value(), hand.last[k], "final state " + std::to_string(k));
    loss = loss + sum(last[k] * Variable(tensor(hand.q[k])));
  }
  const Gradients gradients = tape.gradients(loss);
  check_close(gradients[w_ih].value(), hand.dw_ih, "weight_ih");
  check_close(gradients[w_hh].value(), hand.dw_hh, "weight_hh");
  check_close(gradients[b_ih].value(), hand.db_ih, "bias_ih");
  check_close(gradients[b_hh].value(), hand.db_hh, "bias_hh");
  for (std::size_t t = 0; t < hand.x.size(); ++t)
    check_close(gradients[x].value().select(0, static_cast<Index>(t)), hand.dx[t],
                "x at step " + std::to_string(t));
  for (std::size_t k = 0; k < initial.size(); ++k)
    check_close(gradients[initial[k]].value(), hand.dinitial[k],
                "initial state " + std::to_string(k));
}

}  // namespace plain
