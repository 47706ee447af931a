// Backpropagation in a deep network, 001_7fa6a7ec02051579.txt, "Backpropagation" (the network:
// "Deep Neural Networks", and 003_75569be6c17a5139.txt, "Multi Layer Perceptron"):
//
//   net^i = W^{i-1} a^{i-1}    a^i = f(net^i)    delta^i = dL/dnet^i, a row
//
//   dL/dw_kl = delta_k a_l     delta^{i-1} = delta^i J^i     J^i = dnet^i/dnet^{i-1}
//
// net^i = W^{i-1} f(net^{i-1}), so J^i = W^{i-1} diag(f'(net^{i-1})): W maps layer i-1 to i and f'
// is taken below it. The slide writes W^i diag(f'(net^i)), numbering both by the other layer.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/mlp.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

const std::vector<Index> kSizes{3, 5, 4, 2};  // three layers of weights
constexpr std::size_t kLayers = 3;

struct ByHand {
  std::vector<Matrix> w, net, a, jacobian, delta{kLayers + 1}, dw;
  Matrix slope_of_y = sample(kSizes.back(), 1, 9);

  ByHand() {
    a.push_back(sample(kSizes[0], 1, 1));
    net.push_back({});   // layer 0 has no network input
    jacobian.resize(2);  // the first is J^2
    for (std::size_t i = 1; i <= kLayers; ++i) {
      w.push_back(sample(kSizes[i], kSizes[i - 1], 1 + static_cast<unsigned>(i)));
      net.push_back(product(w[i - 1], a[i - 1]));
      a.push_back(map([](double p) { return std::tanh(p); }, net[i]));
    }
    const auto slope = [this](std::size_t i) {
      return map([](double p) { return 1.0 - p * p; }, a[i]);
    };
    for (std::size_t i = 2; i <= kLayers; ++i) {
      Matrix diagonal(kSizes[i - 1], kSizes[i - 1]);
      for (Index k = 0; k < kSizes[i - 1]; ++k) diagonal(k, k) = slope(i - 1)(k);
      jacobian.push_back(product(w[i - 1], diagonal));
    }
    delta[kLayers] = transposed(hadamard(slope_of_y, slope(kLayers)));
    for (std::size_t i = kLayers; i > 1; --i) delta[i - 1] = product(delta[i], jacobian[i]);
    for (std::size_t i = 1; i <= kLayers; ++i)
      dw.push_back(product(transposed(delta[i]), transposed(a[i - 1])));
  }
};

}  // namespace

TEST_CASE("delta^{i-1} = delta^i J^i: the deltas and weight gradients of the tape") {
  const ByHand hand;
  nn::MLP network(kSizes, {.output_activation = tanh, .bias = false});
  std::vector<Parameter> w;
  for (std::size_t i = 0; i < kLayers; ++i)
    w.push_back(set(network, std::to_string(i) + ".weight", hand.w[i]));
  Tape tape;
  const Variable y = network(tape.watch(tensor(transposed(hand.a[0]))));
  check_close(y.value(), hand.a[kLayers], "y");
  const Gradients gradients =
      tape.gradients(y, {.seed = Variable(tensor(transposed(hand.slope_of_y)))});
  for (std::size_t i = 0; i < kLayers; ++i) check_close(gradients[w[i]].value(), hand.dw[i], "W");
}

TEST_CASE("J^i: the library's jacobian is W diag(f'), and the deltas follow from it") {
  const ByHand hand;
  for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    Variable delta = tensor(hand.delta[kLayers]);
    for (std::size_t i = kLayers; i > 1; --i) {
      const Variable w = tensor(hand.w[i - 1]);
      const auto layer = [&](const Variable& net) { return matmul(w, tanh(net)); };
      const Variable j = jacobian(layer, tensor(hand.net[i - 1]), mode);  // of column vectors
      CHECK(j.shape() == Shape{kSizes[i], 1, kSizes[i - 1], 1});
      check_close(j.value(), hand.jacobian[i], "J^i");
      delta = matmul(delta, reshape(j, {kSizes[i], kSizes[i - 1]}));
      check_close(delta.value(), hand.delta[i - 1], "delta^{i-1}");
    }
  }
}

TEST_CASE("delta^i: the gradient of the tape with respect to the network input of a layer") {
  const ByHand hand;
  Tape tape;
  std::vector<Variable> net{tape.watch(tensor(transposed(hand.a[0])))};
  for (std::size_t i = 1; i <= kLayers; ++i)
    net.push_back(linear(i == 1 ? net[0] : tanh(net[i - 1]), Variable(tensor(hand.w[i - 1]))));
  const Variable y = tanh(net[kLayers]);
  const Gradients gradients = tape.gradients(
      y, {.seed = Variable(tensor(transposed(hand.slope_of_y))), .of = {net[1], net[2], net[3]}});
  for (std::size_t i = 1; i <= kLayers; ++i)
    check_close(gradients[net[i]].value(), hand.delta[i], "delta^i");
}
