// Recurrent layers against torch.nn.LSTM, GRU and RNN, one way and both, packed sequences too:
// outputs, final states, and the gradients of inputs, initial states and weights. The weights go in
// by PyTorch's own names.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "parity/golden.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// The state tensors that PyTorch keeps as `h` and `c`, each `[layers * directions,B,H]`.
const std::vector<std::string> kStates = {"h", "c"};

void check_against_pytorch(const std::string& file, nn::Stacked rnn,
                           const std::vector<Index>& lengths = {}) {
  const Golden golden = Golden::read(file);
  for (Dtype dtype : kFloating) {
    CAPTURE(to_string(dtype));
    CHECK(rnn.named_parameters().size() == golden["parameters"].size());
    for (nn::Module::Named& named : rnn.named_parameters())
      named.parameter.set(golden["parameters"][named.name].tensor(dtype));

    Tape tape;
    const Variable x = tape.watch(golden["inputs"]["x"].tensor(dtype));
    std::vector<Variable> initial;
    for (const std::string& name : kStates)
      if (golden["inputs"].has(name))
        initial.push_back(tape.watch(golden["inputs"][name].tensor(dtype)));
    nn::States states(rnn.layers().size());
    const Index directions = initial[0].size(0) / static_cast<Index>(states.size());
    for (Index row = 0; row < initial[0].size(0); ++row)
      for (const Variable& values : initial)
        states[static_cast<std::size_t>(row / directions)].push_back(select(values, 0, row));

    const auto [outputs, last] = rnn(x, states, {.lengths = lengths});
    check_parity(outputs.value(), golden["results"]["outputs"], "outputs");
    Variable loss = sum(outputs * Variable(golden["weights"]["outputs"].tensor(dtype)));
    for (std::size_t k = 0; k < initial.size(); ++k) {
      std::vector<Variable> rows;
      for (const nn::State& state : last)
        for (std::size_t at = k; at < state.size(); at += initial.size()) rows.push_back(state[at]);
      const Variable final_state = stack(rows);
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

TEST_CASE("LSTM with lengths computes and differentiates what torch.nn.LSTM does, packed") {
  check_against_pytorch("lstm_lengths", nn::Stacked(nn::LSTM(3, 2)), {2, 4, 1});
}

TEST_CASE("two bidirectional LSTMs compute and differentiate what torch.nn.LSTM does with both") {
  const nn::Stacked rnn(nn::Bidirectional(nn::LSTM(3, 2), nn::LSTM(3, 2)),
                        nn::Bidirectional(nn::LSTM(4, 2), nn::LSTM(4, 2)));
  check_against_pytorch("bidirectional", rnn);
  check_against_pytorch("bidirectional_lengths", rnn, {2, 4, 1});
}

TEST_CASE("LayerNormLSTM computes and differentiates what its equations do in PyTorch") {
  check_against_pytorch("layer_norm_lstm", nn::Stacked(nn::LayerNormLSTM(3, 4)));
}
