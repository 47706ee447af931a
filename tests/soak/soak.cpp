// Trains in changing ways for as long as it is told, and fails if the memory of the process grows.
//   soak SECONDS
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/channel.hpp"

namespace {

using namespace unroll;

constexpr Index kInput = 24;
constexpr Index kHidden = 64;

struct Network : nn::Module {
  nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::LSTM(kInput, kHidden)));
  nn::Dropout dropout = add("dropout", nn::Dropout(0.2));
  nn::Linear readout = add("readout", nn::Linear(kHidden, kInput));

  Variable loss(const Variable& x) const { return mean(square(readout(dropout(rnn(x).outputs)))); }
};

Index between(Index low, Index high) {
  return low +
         static_cast<Index>(default_generator().below(static_cast<std::uint64_t>(high - low)));
}

Tensor batch() { return normal({between(10, 201), between(1, 17), kInput}, 0.0, 1.0); }

/// A step on one thread.
void alone(const Network& model, nn::Adam& adam) {
  Tape tape;
  adam.step(tape.gradients(model.loss(batch())));
}

/// The same with the sequence cut into pieces that are computed again in the backward pass.
void checkpointed(const Network& model, nn::Adam& adam) {
  Tape tape;
  const Variable x = batch();
  const Index half = x.size(0) / 2;
  Variable loss = zeros({});
  for (const auto& [begin, end] : {std::pair{Index{0}, half}, std::pair{half, x.size(0)}})
    loss = loss + checkpoint([&](std::span<const Variable> v) { return model.loss(v[0]); },
                             {slice(x, 0, begin, end)});
  adam.step(tape.gradients(loss));
}

/// Two threads that end after the step take gradients of a batch each, and this one adds them up.
void side_by_side(const Network& model, nn::Adam& adam) {
  std::vector<Gradients> gradients(2);
  std::vector<std::thread> workers;
  for (Gradients& own : gradients)
    workers.emplace_back([&] {
      Tape tape;
      own = tape.gradients(model.loss(batch()));
    });
  for (std::thread& worker : workers) worker.join();
  gradients[0] += gradients[1];
  adam.step(gradients[0]);
}

/// A thread makes batches for the caller, which releases them.
class Producer {
 public:
  ~Producer() {
    over_ = true;
    while (batches_.receive()) {
    }
    thread_.join();
  }
  Tensor next() { return *batches_.receive(); }

 private:
  testing::Channel<Tensor> batches_{4};
  std::atomic<bool> over_ = false;
  std::thread thread_{[this] {
    while (!over_) batches_.send(batch());
    batches_.send({});
  }};
};

double resident_mib() {
  std::ifstream stream("/proc/self/statm");
  long total = 0;
  long resident = 0;
  stream >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double mean_of(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  double sum = 0.0;
  for (std::size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

int soak(double seconds) {
  using Clock = std::chrono::steady_clock;
  seed(1);
  const Network model;
  nn::Adam adam(model.parameters());
  Producer producer;
  const std::vector<std::function<void()>> ways{
      [&] { alone(model, adam); }, [&] { checkpointed(model, adam); },
      [&] { side_by_side(model, adam); },
      [&] {
        Tape tape;
        adam.step(tape.gradients(model.loss(producer.next())));
      },
      [&] {  // a new shape each time, of which nothing may stay
        const Tensor x = normal({between(1, 1000), between(1, 1000)}, 0.0, 1.0);
        static_cast<void>(sum(transpose(x)).item());
      }};

  std::vector<double> mib;
  std::size_t steps = 0;
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  // Until every way has seen its longest sequences, and the system's allocator its worst order of
  // them.
  const double warm_up = std::min(seconds / 2, 300.0);
  double next_report = 0.0;
  while (elapsed() < seconds + warm_up) {
    for (const auto& way : ways) way();
    steps += ways.size();
    if (elapsed() < warm_up) continue;
    mib.push_back(resident_mib());
    if (elapsed() > next_report) {
      std::printf("%7.0f s  %8zu steps  %8.1f MiB resident  %6.1f MiB in use\n", elapsed(), steps,
                  mib.back(), static_cast<double>(memory::bytes_in_use()) / (1 << 20));
      std::fflush(stdout);
      next_report = elapsed() + seconds / 20;
    }
  }
  const std::size_t tenth = mib.size() / 10;
  if (tenth == 0) {
    std::fprintf(stderr, "soak: too short to judge, give it more seconds\n");
    return 2;
  }
  const double first = mean_of(mib, 0, tenth);
  const double last = mean_of(mib, mib.size() - tenth, mib.size());
  std::printf("resident in the first tenth %.1f MiB, in the last %.1f MiB: %+.1f %%\n", first, last,
              100.0 * (last / first - 1.0));
  if (last > 1.05 * first) {
    std::fprintf(stderr, "soak: the memory grows\n");
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const double seconds = argc == 2 ? std::atof(argv[1]) : 0.0;
    if (seconds <= 0.0) {
      std::fprintf(stderr, "usage: soak SECONDS\n");
      return 2;
    }
    return soak(seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return 1;
  }
}
