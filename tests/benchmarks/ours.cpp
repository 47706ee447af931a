#include "ours.hpp"

#include "user_cells.hpp"

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace benchmarks {
namespace {

using unroll::Index;
using unroll::Parameter;
using unroll::Tensor;
using unroll::Variable;
namespace nn = unroll::nn;

Tensor pattern_tensor(int which, const unroll::Shape& shape, double amplitude) {
  return Tensor::of(shape, pattern(which, static_cast<std::size_t>(size_of(shape)), amplitude));
}

/// Gives parameter k, counted in the order of naming, pattern k + 1.
void set_patterns(const nn::Module& module, Index hidden) {
  int which = 0;
  for (auto [name, parameter] : module.named_parameters())
    parameter.set(pattern_tensor(++which, parameter.shape(), weight_amplitude(hidden)));
}

nn::Recurrent layer_of(const std::string& name, Index hidden) {
  if (name == "pointwise_lstm") return nn::Recurrent(PointwiseLstm(hidden, hidden));
  if (name == "plain_lstm") return nn::Recurrent(PlainLstm(hidden, hidden));
  if (name == "lstm") return nn::Recurrent(nn::LSTM(hidden, hidden));
  if (name == "gru") return nn::Recurrent(nn::GRU(hidden, hidden));
  if (name == "elman") return nn::Recurrent(nn::Elman(hidden, hidden));
  throw std::invalid_argument("no layer is called " + name);
}

nn::Stacked two_bidirectional(Index hidden) {
  return nn::Stacked(nn::Bidirectional(nn::LSTM(hidden, hidden), nn::LSTM(hidden, hidden)),
                     nn::Bidirectional(nn::LSTM(2 * hidden, hidden), nn::LSTM(2 * hidden, hidden)));
}

double squares(const Tensor& x) {
  double sum = 0.0;
  for (const float value : x.to_vector<float>()) sum += static_cast<double>(value) * value;
  return sum;
}

double parameter_squares(const unroll::Gradients& gradients) {
  double sum = 0.0;
  for (const unroll::ParameterGradient& gradient : gradients.parameters())
    sum += squares(gradient.to_dense());
  return sum;
}

template <class Layer>
class Training : public Step {
 public:
  Training(Layer layer, Size size)
      : rnn_(std::move(layer)),
        x_(pattern_tensor(0, {size.steps, size.batch, size.hidden}, kInputAmplitude)) {
    set_patterns(rnn_, size.hidden);
  }

  void run() override {
    unroll::Tape tape;
    const Variable x = tape.watch(x_);
    const auto [outputs, state] = rnn_(x);
    const unroll::Gradients gradients = tape.gradients(sum(outputs));
  }

  Summary summary() override {
    unroll::Tape tape;
    const Variable x = tape.watch(x_);
    const auto [outputs, state] = rnn_(x);
    const Variable loss = sum(outputs);
    const unroll::Gradients gradients = tape.gradients(loss);
    return {loss.item(), std::sqrt(parameter_squares(gradients) + squares(gradients[x].value()))};
  }

  /// Of one layer of nn::LSTM.
  LstmNumbers numbers() {
    unroll::Tape tape;
    const Variable x = tape.watch(x_);
    const Variable outputs = rnn_(x).outputs;
    const unroll::Gradients gradients = tape.gradients(sum(outputs));
    const auto parameters = gradients.parameters();  // in the order of first use
    LstmNumbers result{
        outputs.value().to_vector<float>(), gradients[x].value().to_vector<float>(), {}, {}, {}};
    for (const unroll::ParameterGradient& gradient : parameters) {
      const Tensor dense = gradient.to_dense();
      const auto by_rows = [&] { return dense.transpose(0, 1).to_vector<float>(); };
      if (gradient.parameter.name() == "weight_ih") result.w_ih = by_rows();
      if (gradient.parameter.name() == "weight_hh") result.w_hh = by_rows();
      if (gradient.parameter.name() == "bias_ih") result.bias = dense.to_vector<float>();
    }
    return result;
  }

 private:
  Layer rnn_;
  Tensor x_;
};

class Inference : public Step {
 public:
  Inference(const std::string& layer, Index hidden)
      : rnn_(layer_of(layer, hidden)), x_(pattern_tensor(0, {1, 1, hidden}, kInputAmplitude)) {
    set_patterns(rnn_, hidden);
    state_ = rnn_(x_).state;
  }

  void run() override { rnn_(x_, state_); }
  Summary summary() override { return {sum(rnn_(x_, state_).outputs).item()}; }

 private:
  nn::Recurrent rnn_;
  Tensor x_;
  nn::State state_;
};

/// x: [T,B,2H] holds decay and input: the linear recurrence with nothing around it.
class Scan : public nn::LinearCell {
 public:
  explicit Scan(Index hidden) : LinearCell(2 * hidden, hidden) {}
  Coefficients coefficients(const Variable& x) const override {
    const auto [decay, input] = unroll::split<2>(x);
    return {decay, input};
  }
};

class ScanTraining : public Step {
 public:
  ScanTraining(Size size, bool step_by_step)
      : shape_{size.steps, size.batch, size.hidden},
        step_by_step_(step_by_step),
        a_(pattern_tensor(0, shape_, kInputAmplitude)),
        b_(pattern_tensor(1, shape_, kInputAmplitude)),
        seed_(pattern_tensor(2, shape_, kInputAmplitude)),
        cell_(nn::Recurrent(Scan(size.hidden)).stepwise()) {}

  void run() override { static_cast<void>(compute()); }
  Summary summary() override {
    const auto [h, da, db] = compute();
    return {sum(h).item(), std::sqrt(squares(da) + squares(db))};
  }

 private:
  std::array<Tensor, 3> compute() {
    unroll::Tape tape;
    const Variable a = tape.watch(a_);
    const Variable b = tape.watch(b_);
    const Variable h =
        step_by_step_ ? cell_(unroll::concat({a, b})).outputs : unroll::linear_scan(a, b);
    const unroll::Gradients g = tape.gradients(h, {.seed = seed_});
    return {h.value(), g[a].value(), g[b].value()};
  }

  unroll::Shape shape_;
  bool step_by_step_;
  Tensor a_, b_, seed_;
  nn::Recurrent cell_;
};

class WordModel : public nn::Module {
 public:
  Variable operator()(const Tensor& words, const Tensor& targets) const {
    return cross_entropy(readout_(rnn_(embedding_(words)).outputs), targets);
  }

 private:
  using Z = WordModelSize;
  nn::Embedding embedding_ = add("embedding", nn::Embedding(Z::kWords, Z::kHidden));
  nn::Stacked rnn_ =
      add("rnn", nn::Stacked(nn::LSTM(Z::kHidden, Z::kHidden), nn::LSTM(Z::kHidden, Z::kHidden)));
  nn::Linear readout_ = add("readout", nn::Linear(Z::kHidden, Z::kWords));
};

class WordModelTraining : public Step {
 public:
  WordModelTraining() : sgd_(model_.parameters(), {.learning_rate = WordModelSize::kLearningRate}) {
    set_patterns(model_, WordModelSize::kHidden);
  }

  void run() override {
    unroll::Tape tape;
    unroll::Gradients gradients = tape.gradients(model_(words_, targets_));
    nn::clip_by_global_norm(gradients, WordModelSize::kMaxNorm);
    sgd_.step(gradients);
  }

  Summary summary() override {
    unroll::Tape tape;
    const Variable loss = model_(words_, targets_);
    return {loss.item(), std::sqrt(parameter_squares(tape.gradients(loss)))};
  }

 private:
  static Tensor symbols(int which) {
    using Z = WordModelSize;
    const unroll::Shape shape{Z::kSteps, Z::kBatch};
    return Tensor::of(shape,
                      pattern_symbols(which, static_cast<std::size_t>(size_of(shape)), Z::kWords));
  }

  WordModel model_;
  nn::SGD sgd_;
  Tensor words_ = symbols(0);
  Tensor targets_ = symbols(-1);
};

}  // namespace

std::unique_ptr<Step> training_step(const std::string& layer, Size size) {
  if (layer == "bidirectional")
    return std::make_unique<Training<nn::Stacked>>(two_bidirectional(size.hidden), size);
  return training_step(layer_of(layer, size.hidden), size);
}
std::unique_ptr<Step> training_step(const nn::Recurrent& layer, Size size) {
  return std::make_unique<Training<nn::Recurrent>>(layer, size);
}

std::unique_ptr<Step> scan_step(Size size, bool step_by_step) {
  return std::make_unique<ScanTraining>(size, step_by_step);
}

std::size_t scan_bytes(Size size) {
  return 8 * sizeof(float) * static_cast<std::size_t>(size.steps) *
         static_cast<std::size_t>(size.batch) * static_cast<std::size_t>(size.hidden);
}

std::unique_ptr<Step> inference_step(const std::string& layer, int hidden) {
  return std::make_unique<Inference>(layer, hidden);
}

std::unique_ptr<Step> word_model_step() { return std::make_unique<WordModelTraining>(); }

LstmNumbers lstm_numbers(Size size) {
  return Training<nn::Recurrent>(layer_of("lstm", size.hidden), size).numbers();
}

double lstm_operations(Size size) {
  const double hidden = size.hidden;
  const double products = 2.0 * (2.0 * hidden) * (4.0 * hidden);  // [x h] times the weights, a row
  return 3.0 * products * size.steps * size.batch;                // once forward, twice backward
}

}  // namespace benchmarks
