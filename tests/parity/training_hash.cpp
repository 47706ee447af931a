// Prints a hash of the bits of the loss, the gradients and the updated weights of three training
// steps for each layer: the same before and after a change that should change no value.
//   training_hash
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace unroll;

/// FNV-1a.
class Hash {
 public:
  void add(const Tensor& x) {
    const Tensor packed = x.contiguous();
    const auto* bytes = static_cast<const unsigned char*>(packed.address());
    const auto count = static_cast<std::size_t>(packed.size()) * size_of(packed.dtype());
    for (std::size_t k = 0; k < count; ++k) value_ = (value_ ^ bytes[k]) * 0x100000001b3U;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// Three steps of Adam on a layer that maps x: [T,B,I] to outputs [T,B,H].
void train(const std::string& name, Dtype dtype, const nn::Module& layer,
           const std::function<Variable(const Variable&)>& f) {
  Hash hash;
  Generator generator(7);
  nn::Adam adam(layer.parameters(), {.learning_rate = 1e-2});
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    const Variable x = tape.watch(normal({9, 5, 12}, 0.0, 1.0, dtype, generator));
    const Variable loss = mean(square(f(x)));
    const Gradients gradients = tape.gradients(loss);
    hash.add(loss.value());
    hash.add(gradients[x].value());
    for (const Parameter& parameter : layer.parameters()) hash.add(gradients[parameter].value());
    adam.step(gradients);
    for (const Parameter& parameter : layer.parameters()) hash.add(parameter.value());
  }
  std::printf("%-24s %-8s %016llx\n", name.c_str(), dtype == Dtype::float32 ? "float32" : "float64",
              static_cast<unsigned long long>(hash.value()));
}

template <class Layer>
void recurrent(const std::string& name, Dtype dtype, Layer layer) {
  layer.to(dtype);
  train(name, dtype, layer, [&](const Variable& x) { return layer(x).outputs; });
}

}  // namespace

int main() {
  set_threads(1);
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    seed(1);
    recurrent("Elman", dtype, nn::Recurrent(nn::Elman(12, 16)));
    recurrent("GRU", dtype, nn::Recurrent(nn::GRU(12, 16)));
    recurrent("LSTM", dtype, nn::Recurrent(nn::LSTM(12, 16)));
    const std::vector<Index> lengths{9, 1, 4, 8, 2};
    nn::Recurrent gru(nn::GRU(12, 16));
    gru.to(dtype);
    train("GRU, lengths, reverse", dtype, gru, [&](const Variable& x) {
      return gru(x, {}, {.lengths = lengths, .reverse = true}).outputs;
    });
    recurrent("LSTM 64", dtype, nn::Recurrent(nn::LSTM(12, 64)));
    recurrent("LayerNormLSTM", dtype, nn::Recurrent(nn::LayerNormLSTM(12, 16)));
    recurrent("LSTM, checkpointed", dtype, nn::Recurrent(nn::LSTM(12, 16)).checkpointed(4096));
    recurrent("Bidirectional", dtype, nn::Bidirectional(nn::LSTM(12, 16), nn::GRU(12, 8)));
    recurrent("Stacked", dtype,
              nn::Stacked(nn::Recurrent(nn::LSTM(12, 16)), nn::Recurrent(nn::GRU(16, 16))));
    recurrent("FixedContextElman", dtype, nn::Recurrent(nn::FixedContextElman(12, 16)));
    recurrent("FullyRecurrent", dtype, nn::Recurrent(nn::FullyRecurrent(12, 16)));
    recurrent("Jordan", dtype, nn::Recurrent(nn::Jordan(12, 16, 6)));
    recurrent("Jordan1986", dtype, nn::Recurrent(nn::Jordan1986(12, 16, 6)));
    recurrent("NARX", dtype, nn::Recurrent(nn::NARX(12, 16, 6)));
    recurrent("OutputToHidden", dtype, nn::Recurrent(nn::OutputToHidden(12, 16, 6)));
    recurrent("WilliamsZipser", dtype, nn::Recurrent(nn::WilliamsZipser(12, 16)));
    nn::TimeDelay delays(12, 16, {.delays = {0, 2, 3}});
    delays.to(dtype);
    train("TimeDelay", dtype, delays, [&](const Variable& x) { return delays(x); });
    nn::MLP mlp({12, 16, 8});
    mlp.to(dtype);
    train("MLP", dtype, mlp, [&](const Variable& x) { return mlp(x); });
    nn::Linear linear(12, 16);
    linear.to(dtype);
    train("Linear", dtype, linear, [&](const Variable& x) { return tanh(linear(x)); });
    train("layer_norm, softmax", dtype, linear,
          [&](const Variable& x) { return softmax(layer_norm(linear(x))); });
    train("svd, cumprod", dtype, linear, [&](const Variable& x) {
      const Variable y = linear(x);
      return svd(y).s + sum(cumprod(slice(y, -1, 0, 5), -1));
    });
  }
}
