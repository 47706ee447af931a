// A run that is stopped, rebuilt from nothing and resumed is the run that was never stopped.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/data/shuffled.hpp>
#include <nn/nn.hpp>
#include <nn/training/checkpoint.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/folder.hpp"
#include "support/numbers.hpp"
#include "support/optimizers.hpp"

namespace unroll::testing {
namespace {

struct Net : nn::Module {
  nn::Embedding embed = add("embed", nn::Embedding(5, 3));
  nn::Stacked rnn = add("rnn", nn::Stacked({.dropout = 0.5}, nn::LSTM(3, 4), nn::GRU(4, 4)));
  nn::Linear head = add("head", nn::Linear(4, 5));
  nn::Buffer scale = buffer("scale", full({5}, 0.5));
};

/// Averages of a module's parameters, by their paths.
class Averages {
 public:
  void update(const nn::Module& module) {
    for (const auto& [name, parameter] : module.named_parameters()) {
      const Tensor& value = parameter.value();
      Tensor& mean = means_[name];
      mean =
          mean.defined() ? (0.9 * Variable(mean) + 0.1 * Variable(value)).value() : value.clone();
    }
  }
  nn::NamedTensors state(const nn::Module& /*module*/) const {
    return {means_.begin(), means_.end()};
  }
  void set_state(const nn::Module& /*module*/, const nn::NamedTensors& state) {
    means_ = {state.begin(), state.end()};
  }

 private:
  std::map<std::string, Tensor> means_;
};

/// Halves the learning rate when the loss has not fallen for two steps.
class Plateau {
 public:
  void update(nn::Optimizer& optimizer, double loss) {
    waited_ = loss < best_ ? 0 : waited_ + 1;
    best_ = std::min(best_, loss);
    if (waited_ < 2) return;
    optimizer.set_learning_rate(optimizer.learning_rate() * 0.5);
    waited_ = 0;
  }
  nn::NamedTensors state() const {
    return {{"best", full({}, best_, Dtype::float64)}, {"waited", full({}, waited_, Dtype::int64)}};
  }
  void set_state(const nn::NamedTensors& state) {
    best_ = state.at(0).second.item();
    waited_ = static_cast<int>(state.at(1).second.item());
  }

 private:
  double best_ = 1e9;
  int waited_ = 0;
};

/// A whole run, built from nothing: weights of its own, to be replaced by load().
struct Run {
  Net net;
  std::unique_ptr<nn::Optimizer> optimizer;
  nn::States states;
  Averages averages;
  Plateau plateau;
  nn::ShuffledIndices order{12, {.batch = 4, .seed = 3}};
  std::int64_t step = 0;
  double loss_so_far = 0.0;
  nn::Checkpoint checkpoint;

  Run(const MakeOptimizer& make, Dtype dtype) {
    net.to(dtype);
    optimizer = make(net.parameters());
    checkpoint.require("cell", "LSTM, GRU");
    checkpoint.add("model", net);
    checkpoint.add("optimizer", *optimizer, net);
    checkpoint.add("generator", default_generator());
    checkpoint.add("states", states);
    checkpoint.add("averages", averages, net);
    checkpoint.add("plateau", plateau);
    checkpoint.add("order", order);
    checkpoint.add("step", step);
    checkpoint.add("loss", loss_so_far);
  }

  void train(std::int64_t until) {
    while (step < until) {
      std::vector<Index> symbols;
      for (const Index at : order.next()) symbols.push_back(at % 5);
      const Tensor x = Tensor::of<Index>({2, 2}, symbols);
      Tape tape;
      auto [outputs, after] = net.rnn(net.embed(x), states);
      const Variable loss = mean(square(net.head(outputs) * net.scale - 1.0));
      optimizer->step(tape.gradients(loss));
      states = nn::detach(after);
      averages.update(net);
      plateau.update(*optimizer, loss.item());
      loss_so_far += loss.item();
      ++step;
    }
  }
};

/// All bytes that a run goes on from.
std::string bytes_of(const Run& run, const Folder& folder) {
  run.checkpoint.save(folder / "bytes");
  return read(folder / "bytes");
}

}  // namespace

TEST_CASE("a run that stops and resumes every few steps ends with the bytes of one that does not") {
  constexpr std::int64_t kSteps = 6;
  const Folder folder;
  const std::string path = folder / "run.safetensors";
  for (const Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const MakeOptimizer& make : every_optimizer()) {
      seed(1);
      Run whole(make, dtype);
      whole.checkpoint.save(path);
      const std::string start = read(path);
      whole.train(kSteps);
      const std::string expected = bytes_of(whole, folder);
      CHECK(expected != start);
      for (const std::int64_t k : {1, 2, 3}) {
        write(path, start);
        for (std::int64_t until = k; until <= kSteps; until += k) {
          seed(99, 7);  // nothing of the process that has ended is left
          Run resumed(make, dtype);
          resumed.checkpoint.load(path);
          CHECK(resumed.step == until - k);
          resumed.train(until);
          resumed.checkpoint.save(path);
        }
        CHECK((read(path) == expected));
      }
    }
}

TEST_CASE("a run that resumes without its generator is another one") {
  const Folder folder;
  const auto adam = make_optimizer<nn::Adam>(nn::AdamOptions{});
  seed(1);
  Run whole(adam, Dtype::float32);
  whole.checkpoint.save(folder / "run");
  whole.train(3);
  const std::string expected = bytes_of(whole, folder);
  Run resumed(adam, Dtype::float32);
  resumed.checkpoint.load(folder / "run");
  seed(2);
  resumed.train(3);
  CHECK((bytes_of(resumed, folder) != expected));
}

}  // namespace unroll::testing
