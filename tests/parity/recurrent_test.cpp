// Recurrent layers against torch.nn.LSTM, GRU and RNN: outputs, final states, and the gradients of
// inputs, initial states and weights. The weights go in by PyTorch's own names.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "parity/golden.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// The state tensors that PyTorch keeps as `h` and `c`, each `[layers,B,H]`.
const std::vector<std::string> kStates = {"h", "c"};

void check_against_pytorch(const std::string& file, nn::Stacked rnn) {
  const Golden golden = Golden::read(file);
  for (Dtype dtype : kFloating) {
    CAPTURE(to_string(dtype));
    CHECK(rnn.named_parameters().size() == golden["parameters"].size());
    for (nn::Module::Named& named : rnn.named_parameters())
      named.parameter.set(golden["parameters"][named.name].tensor(dtype));

    Tape tape;
    const Variable x = tape.watch(golden["inputs"]["x"].tensor(dtype));
    std::vector<Variable> initial;
    nn::States states(rnn.layers().size());
    for (const std::string& name : kStates) {
      if (!golden["inputs"].has(name)) continue;
      initial.push_back(tape.watch(golden["inputs"][name].tensor(dtype)));
      for (std::size_t layer = 0; layer < states.size(); ++layer)
        states[layer].push_back(select(initial.back(), 0, static_cast<Index>(layer)));
    }

    const auto [outputs, last] = rnn(x, states);
    check_parity(outputs.value(), golden["results"]["outputs"], "outputs");
    Variable loss = sum(outputs * Variable(golden["weights"]["outputs"].tensor(dtype)));
    for (std::size_t k = 0; k < initial.size(); ++k) {
      std::vector<Variable> layers;
      layers.reserve(last.size());
      for (const nn::State& state : last) layers.push_back(state[k]);
      const Variable final_state = stack(layers);
      check_parity(final_state.value(), golden["results"][kStates[k]], "final " + kStates[k]);
      loss = loss + sum(final_state * Variable(golden["weights"][kStates[k]].tensor(dtype)));
    }

    const Gradients gradients = tape.gradients(loss);
    check_parity(gradients[x].value(), golden["gradients"]["x"], "gradient of x");
    for (std::size_t k = 0; k < initial.size(); ++k)
      check_parity(gradients[initial[k]].value(), golden["gradients"][kStates[k]],
                   "gradient of the initial " + kStates[k]);
    for (const nn::Module::Named& named : rnn.named_parameters())
      check_parity(gradients[named.parameter].value(), golden["gradients"][named.name],
                   "gradient of " + named.name);
  }
}

}  // namespace

TEST_CASE("LSTM computes and differentiates what torch.nn.LSTM does") {
  check_against_pytorch("lstm", nn::Stacked(nn::LSTM(3, 4)));
}

TEST_CASE("GRU computes and differentiates what torch.nn.GRU does") {
  check_against_pytorch("gru", nn::Stacked(nn::GRU(3, 4)));
}

TEST_CASE("Elman with tanh computes and differentiates what torch.nn.RNN does") {
  check_against_pytorch("rnn_tanh", nn::Stacked(nn::Elman(3, 4)));
}

TEST_CASE("Elman with ReLU computes and differentiates what torch.nn.RNN does") {
  check_against_pytorch("rnn_relu", nn::Stacked(nn::Elman(3, 4, {.activation = relu})));
}

TEST_CASE("two stacked LSTMs compute and differentiate what torch.nn.LSTM does with two layers") {
  check_against_pytorch("lstm_2_layers", nn::Stacked(nn::LSTM(3, 2), nn::LSTM(2, 2)));
}
