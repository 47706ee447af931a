// libtorch's side of the comparisons, in a process of its own: its OpenMP and OpenBLAS threads stay
// out of the library's way. Reads one command a line and answers each with one line:
//   make KIND T B H       prepares a step; answers with its loss and the norm of its gradients
//   threads TORCH BLAS    sets the threads of torch and of OpenBLAS
//   run N                 runs N steps; answers with the seconds they took
//   memory                runs a step; answers with the bytes it had at its peak beyond those
//   before
#include "pattern.hpp"
#include "resident.hpp"
#include "step.hpp"

#include <torch/torch.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

extern "C" void openblas_set_num_threads(int count);

namespace benchmarks {
namespace {

using torch::Tensor;

Tensor pattern_tensor(int which, torch::IntArrayRef shape, double amplitude) {
  Tensor result = torch::empty(shape);
  const auto numbers = pattern(which, static_cast<std::size_t>(result.numel()), amplitude);
  std::copy(numbers.begin(), numbers.end(), result.data_ptr<float>());
  return result;
}

Tensor symbol_tensor(int which, torch::IntArrayRef shape) {
  Tensor result = torch::empty(shape, torch::kInt64);
  const auto numbers =
      pattern_symbols(which, static_cast<std::size_t>(result.numel()), WordModelSize::kWords);
  std::copy(numbers.begin(), numbers.end(), result.data_ptr<std::int64_t>());
  return result;
}

void set_patterns(torch::nn::Module& module, std::int64_t hidden) {
  const torch::NoGradGuard guard;
  int which = 0;
  for (const Tensor& parameter : module.parameters())
    parameter.copy_(pattern_tensor(++which, parameter.sizes(), weight_amplitude(hidden)));
}

double squares(const Tensor& gradient) {
  const Tensor dense = gradient.is_sparse() ? gradient.coalesce().values() : gradient;
  return dense.to(torch::kFloat64).square().sum().item<double>();
}

double gradient_norm(const torch::nn::Module& module, const Tensor& x = {}) {
  double sum = x.defined() ? squares(x.grad()) : 0.0;
  for (const Tensor& parameter : module.parameters()) sum += squares(parameter.grad());
  return std::sqrt(sum);
}

/// The LSTM cell of a user of libtorch, operation by operation.
struct PlainLstm : torch::nn::Module {
  explicit PlainLstm(std::int64_t hidden)
      : size(hidden),
        input(register_module("input", torch::nn::Linear(hidden, 4 * hidden))),
        recurrent(register_module(
            "hidden",
            torch::nn::Linear(torch::nn::LinearOptions(hidden, 4 * hidden).bias(false)))) {}

  Tensor forward(const Tensor& x) {
    Tensor h = torch::zeros({x.size(1), size});
    Tensor c = torch::zeros({x.size(1), size});
    const Tensor projected = input(x);
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      const auto gates = (projected[t] + recurrent(h)).chunk(4, 1);
      c = torch::sigmoid(gates[1]) * c + torch::sigmoid(gates[0]) * torch::tanh(gates[2]);
      h = torch::sigmoid(gates[3]) * torch::tanh(c);
      outputs.push_back(h);
    }
    return torch::stack(outputs);
  }

  std::int64_t size;
  torch::nn::Linear input, recurrent;
};

/// The layer-normalised LSTM of a user of libtorch, which has none. As in ours, the input is
/// projected and normalised for all steps at once.
struct LayerNormLstm : torch::nn::Module {
  explicit LayerNormLstm(std::int64_t hidden) : size(hidden) {
    const auto parameter = [&](const char* name, torch::IntArrayRef shape) {
      return register_parameter(name, torch::empty(shape));
    };
    weight_ih = parameter("weight_ih", {4 * hidden, hidden});
    weight_hh = parameter("weight_hh", {4 * hidden, hidden});
    scale_ih = parameter("scale_ih", {4 * hidden});
    scale_hh = parameter("scale_hh", {4 * hidden});
    bias = parameter("bias", {4 * hidden});
    scale_c = parameter("scale_c", {hidden});
    bias_c = parameter("bias_c", {hidden});
  }

  Tensor forward(const Tensor& x) const {
    Tensor h = torch::zeros({x.size(1), size});
    Tensor c = torch::zeros({x.size(1), size});
    const Tensor projected =
        torch::layer_norm(torch::linear(x, weight_ih), {4 * size}, scale_ih, bias);
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      const Tensor recurrent = torch::layer_norm(torch::linear(h, weight_hh), {4 * size}, scale_hh);
      const auto gates = (projected[t] + recurrent).chunk(4, 1);
      c = torch::sigmoid(gates[1]) * c + torch::sigmoid(gates[0]) * torch::tanh(gates[2]);
      h = torch::sigmoid(gates[3]) * torch::tanh(torch::layer_norm(c, {size}, scale_c, bias_c));
      outputs.push_back(h);
    }
    return torch::stack(outputs);
  }

  std::int64_t size;
  Tensor weight_ih, weight_hh, scale_ih, scale_hh, bias, scale_c, bias_c;
};

template <class Layer>
Tensor outputs_of(Layer& layer, const Tensor& x) {
  if constexpr (std::is_same_v<Layer, std::shared_ptr<PlainLstm>> ||
                std::is_same_v<Layer, std::shared_ptr<LayerNormLstm>>)
    return layer->forward(x);
  else
    return std::get<0>(layer->forward(x));
}

template <class Layer>
class Training : public Step {
 public:
  Training(Layer layer, Size size)
      : layer_(std::move(layer)),
        x_(pattern_tensor(0, {size.steps, size.batch, size.hidden}, kInputAmplitude)
               .set_requires_grad(true)) {
    set_patterns(*layer_, size.hidden);
  }

  void run() override { step(); }
  Summary summary() override {
    const double loss = step().template item<double>();
    return {loss, gradient_norm(*layer_, x_)};
  }

 private:
  Tensor step() {
    layer_->zero_grad(/*set_to_none=*/true);
    x_.mutable_grad() = Tensor();
    Tensor loss = outputs_of(layer_, x_).sum();
    loss.backward();
    return loss;
  }

  Layer layer_;
  Tensor x_;
};

template <class Layer>
std::unique_ptr<Step> training(Layer layer, Size size) {
  return std::make_unique<Training<Layer>>(std::move(layer), size);
}

/// A step in time by nn::LSTM, or by nn::LSTMCell, which is made for single steps.
template <class Layer>
class Inference : public Step {
 public:
  static constexpr bool is_cell = std::is_same_v<Layer, torch::nn::LSTMCell>;

  explicit Inference(std::int64_t hidden)
      : layer_(hidden, hidden), x_(pattern_tensor(0, {1, hidden}, kInputAmplitude)) {
    set_patterns(*layer_, hidden);
    if constexpr (!is_cell) x_ = x_.unsqueeze(0);
    const Tensor zero = torch::zeros(x_.sizes());
    state_ = std::make_tuple(zero, zero);
    state_ = after();
  }

  void run() override { after(); }
  Summary summary() override { return {std::get<0>(after()).sum().template item<double>(), 0.0}; }

 private:
  std::tuple<Tensor, Tensor> after() {
    const torch::InferenceMode guard;
    if constexpr (is_cell)
      return layer_->forward(x_, state_);
    else
      return std::get<1>(layer_->forward(x_, state_));
  }

  Layer layer_;
  Tensor x_;
  std::tuple<Tensor, Tensor> state_;
};

/// A chain of scalars y <- y a + b from y = a, as in scalars.cpp; T is the number of operations.
class Scalars : public Step {
 public:
  explicit Scalars(int operations) : operations_(operations) {}

  void run() override { last(); }
  Summary summary() override {
    const double y = last().item<double>();
    return {y, std::hypot(a_.grad().item<double>(), b_.grad().item<double>())};
  }

 private:
  Tensor last() {
    a_.mutable_grad() = Tensor();
    b_.mutable_grad() = Tensor();
    Tensor y = a_;
    for (int k = 0; k < operations_ / 2; ++k) y = y * a_ + b_;
    y.backward();
    return y;
  }

  int operations_;
  Tensor a_ = torch::full({}, 0.999F).set_requires_grad(true);
  Tensor b_ = torch::full({}, 0.001F).set_requires_grad(true);
};

struct WordModel : torch::nn::Module {
  using Z = WordModelSize;

  // The embedding's gradient without the rows that no word used; libtorch is as fast with them.
  WordModel()
      : embedding(register_module(
            "embedding",
            torch::nn::Embedding(torch::nn::EmbeddingOptions(Z::kWords, Z::kHidden).sparse(true)))),
        rnn(register_module(
            "rnn", torch::nn::LSTM(
                       torch::nn::LSTMOptions(Z::kHidden, Z::kHidden).num_layers(Z::kLayers)))),
        readout(register_module("readout", torch::nn::Linear(Z::kHidden, Z::kWords))) {}

  Tensor loss(const Tensor& words, const Tensor& targets) {
    const Tensor outputs = std::get<0>(rnn->forward(embedding(words)));
    return torch::nn::functional::cross_entropy(
        readout(outputs).view({-1, std::int64_t{Z::kWords}}), targets.view(-1));
  }

  torch::nn::Embedding embedding;
  torch::nn::LSTM rnn;
  torch::nn::Linear readout;
};

class WordModelTraining : public Step {
 public:
  WordModelTraining() : sgd_(model_.parameters(), WordModelSize::kLearningRate) {
    set_patterns(model_, WordModelSize::kHidden);
  }

  void run() override {
    backward();
    torch::nn::utils::clip_grad_norm_(model_.parameters(), WordModelSize::kMaxNorm);
    sgd_.step();
  }
  Summary summary() override {
    const double loss = backward().item<double>();
    return {loss, gradient_norm(model_)};
  }

 private:
  Tensor backward() {
    model_.zero_grad(/*set_to_none=*/true);
    Tensor loss = model_.loss(words_, targets_);
    loss.backward();
    return loss;
  }

  WordModel model_;
  torch::optim::SGD sgd_;
  Tensor words_ = symbol_tensor(0, {WordModelSize::kSteps, WordModelSize::kBatch});
  Tensor targets_ = symbol_tensor(-1, {WordModelSize::kSteps, WordModelSize::kBatch});
};

std::unique_ptr<Step> make(const std::string& kind, Size size) {
  const std::int64_t n = size.hidden;
  if (kind == "lstm") return training(torch::nn::LSTM(n, n), size);
  if (kind == "gru") return training(torch::nn::GRU(n, n), size);
  if (kind == "elman") return training(torch::nn::RNN(n, n), size);
  if (kind == "plain_lstm") return training(std::make_shared<PlainLstm>(n), size);
  if (kind == "layer_norm_lstm") return training(std::make_shared<LayerNormLstm>(n), size);
  if (kind == "bidirectional")
    return training(torch::nn::LSTM(torch::nn::LSTMOptions(n, n).num_layers(2).bidirectional(true)),
                    size);
  if (kind == "lstm_inference") return std::make_unique<Inference<torch::nn::LSTM>>(n);
  if (kind == "lstm_cell_inference") return std::make_unique<Inference<torch::nn::LSTMCell>>(n);
  if (kind == "scalars") return std::make_unique<Scalars>(size.steps);
  if (kind == "word_model") return std::make_unique<WordModelTraining>();
  throw std::invalid_argument("no step is called " + kind);
}

void serve() {
  std::unique_ptr<Step> step;
  std::cout.precision(17);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "make") {
      std::string kind;
      Size size{};
      words >> kind >> size.steps >> size.batch >> size.hidden;
      step.reset();
      step = make(kind, size);
      const Summary summary = step->summary();
      std::cout << summary.loss << ' ' << summary.gradient_norm << std::endl;
    } else if (command == "threads") {
      int torch_threads = 1;
      int blas_threads = 1;
      words >> torch_threads >> blas_threads;
      torch::set_num_threads(torch_threads);
      openblas_set_num_threads(blas_threads);
      std::cout << "set" << std::endl;
    } else if (command == "run" && step) {
      int steps = 1;
      words >> steps;
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < steps; ++i) step->run();
      std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()
                << std::endl;
    } else if (command == "memory" && step) {
      std::cout << peak_above_baseline([&] { step->run(); }) << std::endl;
    } else {
      throw std::invalid_argument("not understood: " + line);
    }
  }
}

}  // namespace
}  // namespace benchmarks

int main() {
  try {
    benchmarks::serve();
  } catch (const std::exception& error) {
    std::cerr << "torch_server: " << error.what() << '\n';
    return 1;
  }
}
