#include "training.hpp"

#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>

namespace long_memory {
namespace {

using unroll::ArgumentError, unroll::Dtype, unroll::Parameter;

/// log u for u uniform over 1..memory, for each unit.
std::vector<double> log_lags(Index hidden, Index memory) {
  std::vector<double> lags(static_cast<std::size_t>(hidden));
  for (double& lag : lags)
    lag = std::log(1.0 + unroll::default_generator().uniform() * double(memory - 1));
  return lags;
}

/// Adds a multiple of the values to the elements of a bias that belong to a gate.
void add_to(const nn::Recurrent& rnn, const std::string& bias, std::size_t gate,
            const std::vector<double>& values, double factor) {
  for (nn::Module::Named each : rnn.named_parameters())
    if (each.name == bias) {
      std::vector<float> all = each.parameter.value().to_vector<float>();
      for (std::size_t k = 0; k < values.size(); ++k)
        all[gate * values.size() + k] += static_cast<float>(factor * values[k]);
      each.parameter.set(Tensor::of(each.parameter.shape(), all));
    }
}

nn::Recurrent layer(const std::string& cell, Index inputs, Index hidden, Index memory) {
  if (cell == "LSTM") {
    nn::Recurrent rnn(nn::LSTM(inputs, hidden));
    const std::vector<double> lags = log_lags(hidden, memory);
    add_to(rnn, "bias_hh_l0", 0, lags, -1.0);  // rows in the order i, f, g, o
    add_to(rnn, "bias_hh_l0", 1, lags, 1.0);
    return rnn;
  }
  if (cell == "GRU") {
    nn::Recurrent rnn(nn::GRU(inputs, hidden));
    add_to(rnn, "bias_hh_l0", 1, log_lags(hidden, memory), 1.0);  // r, z, n
    return rnn;
  }
  if (cell == "MinGRU") {
    nn::Recurrent rnn(nn::MinGRU(inputs, hidden));
    add_to(rnn, "gate.bias_l0", 0, log_lags(hidden, memory), -1.0);  // its gate lets the input in
    return rnn;
  }
  throw ArgumentError("no cell \"" + cell + "\"; there are LSTM, GRU and MinGRU");
}

Variable last_step(const Variable& outputs) { return select(outputs, 0, outputs.size(0) - 1); }

/// 1 at the steps of the sequences: [T,B,1].
Tensor running(const Batch& batch) { return max(Variable(batch.allowed), {2}, true).value(); }

Variable loss_of(const Variable& outputs, const Batch& batch) {
  if (batch.numbers.defined()) return mse_loss(last_step(outputs), batch.numbers);
  if (batch.classes.defined()) return cross_entropy(outputs, batch.classes);
  const Tensor steps = running(batch);
  const Variable each = binary_cross_entropy_with_logits(outputs, batch.allowed,
                                                         {.reduction = unroll::Reduction::none});
  return sum(each * steps) / sum(steps);
}

}  // namespace

Net::Net(const std::string& cell, Index inputs, Index hidden, Index outputs, Index memory)
    : rnn_(add("rnn", layer(cell, inputs, hidden, memory))),
      readout_(add("readout", nn::Linear(hidden, outputs))) {}

nn::Sequence Net::operator()(const Batch& batch, const nn::State& state) const {
  const auto ends = [&](Index length) { return length == batch.x.size(0); };
  const bool equal = std::all_of(batch.lengths.begin(), batch.lengths.end(), ends);
  const nn::Sequence hidden =
      rnn_(batch.x, state, {.lengths = equal ? std::vector<Index>() : batch.lengths});
  return {readout_(hidden.outputs), hidden.state};
}

Run train(const Training& training, std::uint64_t seed) {
  unroll::seed(seed);
  Generator learnt(seed, 1), tested(seed, 2);
  const auto next = training.next;  // a copy: a stream begins anew with each run
  Batch batch = next(learnt);
  const Batch test = training.test(tested);
  const Index outputs = batch.numbers.defined() ? 1 : batch.x.size(2);
  Run run{Net(training.cell, batch.x.size(2), training.hidden, outputs, training.memory), {}, {}};
  nn::Adam adam(run.net.parameters(), {.learning_rate = training.learning_rate});
  nn::State state;
  double sequences = 0.0;
  for (Index update = 0; update <= training.updates; ++update) {
    if (update % training.between_tests == 0) {
      run.sequences.push_back(sequences);
      run.errors.push_back(training.error(run.net(test).outputs, test));
      if (run.errors.back() <= training.solved && run.solved_after < 0.0)
        run.solved_after = sequences;
      if (run.errors.back() <= training.solved && training.stops) break;
    }
    adam.set_learning_rate(training.learning_rate *
                           (1.0 - 0.9 * double(update) / double(training.updates)));
    unroll::Tape tape;
    const nn::Sequence result = run.net(batch, state);
    unroll::Gradients gradients = tape.gradients(loss_of(result.outputs, batch));
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
    if (training.carries_state) state = detach(result.state);
    sequences += static_cast<double>(batch.x.size(1));
    batch = next(learnt);
  }
  return run;
}

double squared_error(const Variable& outputs, const Batch& batch) {
  return mse_loss(last_step(outputs), batch.numbers).item();
}

double class_entropy(const Variable& outputs, const Batch& batch) {
  return cross_entropy(outputs, batch.classes).item();
}

double wrong_classes(const Variable& outputs, const Batch& batch) {
  const Tensor asked = ge(batch.classes, 0.0), right = eq(argmax(outputs, -1), batch.classes);
  return 1.0 - sum(right.to(Dtype::float32)).item() / sum(asked.to(Dtype::float32)).item();
}

double wrong_predictions(const Variable& outputs, const Batch& batch) {
  const Variable least = min(masked_fill(outputs, mask_not(batch.allowed), 1e9), {2});
  const Variable others = max(masked_fill(outputs, batch.allowed, -1e9), {2});
  const Tensor steps = running(batch).squeeze(-1);
  return sum(mask_and(ge(others, least), steps)).item() / sum(steps).item();
}

double wrong_sequences(const Variable& outputs, const Batch& batch) {
  const Tensor wrong = mask_and(ne(gt(outputs, 0.0), batch.allowed), running(batch));
  return mean(max(wrong, {0, 2})).item();
}

Index counts_up_to(const Net& net, const std::string& letters, Index longest) {
  for (Index n = 1; n <= longest; ++n) {
    const Batch batch = counting(letters, {n});
    if (wrong_sequences(net(batch).outputs, batch) > 0.0) return n - 1;
  }
  return longest;
}

}  // namespace long_memory
