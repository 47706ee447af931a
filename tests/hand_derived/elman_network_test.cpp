// Simple recurrent network (Elman, 1990), 000_1637ef2ec2d0b1c0.txt, "Simple Recurrent Network
// (blocks)":
//
//   c(t) = h(t-1)      h = f_hid(W_in x + W_rec c)      y = f_out(W_out h)
//
// f_hid and f_out are the user's choice. The network has no bias; nn::Elman's are set to zero.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"
#include "support/expect.hpp"

using namespace unroll;
using namespace plain;
using unroll::testing::expect_values;

namespace {

struct Function {
  const char* name;
  nn::Activation on_variables;
  double (*on_doubles)(double);
};

const Function kFunctions[] = {
    {"tanh", tanh, [](double x) { return std::tanh(x); }},
    {"sigmoid", sigmoid, [](double x) { return plain::sigmoid(x); }},
    {"relu", relu, [](double x) { return std::max(0.0, x); }},
    {"a lambda of the user", [](const Variable& x) { return x / (1.0 + abs(x)); },
     [](double x) { return x / (1.0 + std::abs(x)); }},
};

}  // namespace

TEST_CASE("Elman's network returns f_out(W_out h) with h = f_hid(W_in x + W_rec c)") {
  const Index inputs = 3;
  const Index hidden = 4;
  const Index outputs = 2;
  const Matrix w_in = sample(hidden, inputs, 1);
  const Matrix w_rec = sample(hidden, hidden, 2);
  const Matrix w_out = sample(outputs, hidden, 3);
  const std::vector<Matrix> x = samples(5, inputs, 1, 4);

  for (const Function& f_hid : kFunctions)
    for (const Function& f_out : kFunctions) {
      CAPTURE(f_hid.name);
      CAPTURE(f_out.name);
      nn::Recurrent network(nn::Elman(inputs, hidden, {.activation = f_hid.on_variables}));
      nn::Linear readout(hidden, outputs, {.bias = false});
      set(network, "weight_ih_l0", w_in);
      set(network, "weight_hh_l0", w_rec);
      set(network, "bias_ih_l0", Matrix(hidden, 1));
      set(network, "bias_hh_l0", Matrix(hidden, 1));
      set(readout, "weight", w_out);
      const auto [h_all, state] = network(sequence(x, true));
      const Variable y_all = f_out.on_variables(readout(h_all));

      Matrix c(hidden, 1);
      for (std::size_t t = 0; t < x.size(); ++t) {
        const Matrix h = map(f_hid.on_doubles, product(w_in, x[t]) + product(w_rec, c));
        const Matrix y = map(f_out.on_doubles, product(w_out, h));
        const Index at = static_cast<Index>(t);
        expect_values(h_all.value().select(0, at), h.values);
        expect_values(y_all.value().select(0, at), y.values);
        c = h;
      }
      expect_values(state[0].value(), c.values);
    }
}
