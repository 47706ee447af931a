// Whole programs with threads of their own, small: what they compute, and for ThreadSanitizer.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "support/channel.hpp"
#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing {
namespace {

constexpr std::size_t kWorkers = 2;

struct Network : nn::Module {
  nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::LSTM(3, 8)));
  nn::Dropout dropout = add("dropout", nn::Dropout(0.3));
  nn::Linear readout = add("readout", nn::Linear(8, 2));

  Variable loss(const Variable& x) const { return mean(square(readout(dropout(rnn(x).outputs)))); }
};

Tensor batch(std::size_t worker, int round) {
  const auto steps = static_cast<Index>(3 + (round * 7 + static_cast<int>(worker)) % 5);
  return random({steps, 4, 3}, 50 + worker + static_cast<std::uint64_t>(10 * round))
      .to(Dtype::float32);
}

/// What the parameters are after some rounds, in each of which every worker takes the gradients of
/// a batch of its own and their sum makes a step; on as many threads as there are workers, or one.
std::vector<float> trained(bool together) {
  constexpr int kRounds = 6;
  seed(11);
  const Network model;
  nn::Adam adam(model.parameters());
  std::vector<Generator> generators{Generator(11, 1), Generator(11, 2)};
  std::vector<Gradients> gradients(kWorkers);
  const auto work = [&](std::size_t k, int round) {
    const Generator before = std::exchange(default_generator(), generators[k]);
    Tape tape;
    gradients[k] = tape.gradients(model.loss(batch(k, round)));
    generators[k] = std::exchange(default_generator(), before);
  };
  const auto step = [&] {
    for (std::size_t k = 1; k < kWorkers; ++k) gradients[0] += gradients[k];
    adam.step(gradients[0]);
    gradients.assign(kWorkers, {});  // some of it other threads have made
  };
  if (together) {
    std::barrier begin(kWorkers + 1), end(kWorkers + 1);
    std::vector<std::thread> workers;
    for (std::size_t k = 0; k < kWorkers; ++k)
      workers.emplace_back([&, k] {
        for (int round = 0; round < kRounds; ++round) {
          begin.arrive_and_wait();
          work(k, round);
          end.arrive_and_wait();
        }
      });
    for (int round = 0; round < kRounds; ++round) {
      begin.arrive_and_wait();
      end.arrive_and_wait();
      step();
    }
    for (std::thread& worker : workers) worker.join();
  } else {
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t k = 0; k < kWorkers; ++k) work(k, round);
      step();
    }
  }
  std::vector<float> all;
  for (const Parameter& p : model.parameters()) {
    const auto values = p.value().to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

}  // namespace

TEST_CASE("workers that train side by side do as they do one after the other") {
  for (int count : {1, 2}) {
    const WithThreads threads(count);
    CHECK(trained(true) == trained(false));
  }
}

TEST_CASE("what one thread prepares another trains on, whoever releases it") {
  seed(3);
  const Network model;
  nn::SGD sgd(model.parameters());
  Channel<Tensor> batches;
  std::thread producer([&] {
    for (int round = 0; round < 20; ++round) batches.send(batch(0, round));
    batches.send({});
  });
  int steps = 0;
  while (const std::optional<Tensor> x = batches.receive()) {
    Tape tape;
    sgd.step(tape.gradients(model.loss(*x)));
    ++steps;
  }
  producer.join();
  CHECK(steps == 20);
}

TEST_CASE("tapes outlive the threads that made them, while others record") {
  std::vector<std::vector<std::unique_ptr<Tape>>> tapes(kWorkers);
  std::vector<std::thread> workers;
  std::vector<double> slopes(kWorkers, 0.0);
  for (std::size_t k = 0; k < kWorkers; ++k)
    workers.emplace_back([&, k] {
      for (int round = 0; round < 20; ++round) {
        auto tape = std::make_unique<Tape>();
        // A shape of its own each time: the table of layouts grows on both threads.
        const auto size = static_cast<Index>(1 + round * 31 + static_cast<int>(k));
        const Variable x = tape->watch(full({size, 2}, 3.0, Dtype::float64));
        slopes[k] += tape->gradients(sum(square(x)))[x].value().at({size - 1, 1});
        tapes[k].push_back(std::move(tape));
      }
    });
  workers[0].join();
  tapes[0].clear();
  workers[1].join();
  std::thread([&] { tapes[1].clear(); }).join();
  CHECK(slopes == std::vector<double>(kWorkers, 120.0));
}

TEST_CASE("threads that draw for the first time at once have streams of their own") {
  seed(1);
  std::vector<std::uint64_t> streams(8);
  std::vector<std::thread> threads;
  for (std::uint64_t& stream : streams)
    threads.emplace_back([&stream] { stream = default_generator().stream(); });
  for (std::thread& thread : threads) thread.join();
  std::sort(streams.begin(), streams.end());
  CHECK(std::adjacent_find(streams.begin(), streams.end()) == streams.end());
  CHECK(streams.front() > 0);
}

}  // namespace unroll::testing
