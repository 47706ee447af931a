// Times the library against other ways to do the same, and against what the machine allows.
// tests/benchmarks/run builds and starts it; --quick looks only whether everything runs. Other
// arguments are those of Google Benchmark.
#include "blas.hpp"
#include "by_hand.hpp"
#include "every_cell.hpp"
#include "machine.hpp"
#include "onednn.hpp"
#include "ours.hpp"
#include "report.hpp"
#include "resident.hpp"
#include "scalars.hpp"
#include "single.hpp"
#include "torch_client.hpp"

#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace benchmarks {
namespace {

std::vector<Size> grid(bool quick) {
  if (quick) return {{35, 1, 64}, {35, 8, 64}, {35, 20, 200}};
  return {{35, 1, 64},   {35, 8, 64},   {35, 20, 200}, {35, 32, 128},
          {35, 32, 256}, {35, 32, 512}, {35, 64, 512}, {100, 64, 1024}};
}

std::string name_of(Size size) {
  return std::to_string(size.batch) + 'x' + std::to_string(size.hidden);
}
std::string name_of(Size size, int threads) {
  return name_of(size) + "/threads:" + std::to_string(threads);
}

/// Runs body(size, threads, name) for every point of the grid on one thread and on two.
template <class F>
void over_grid(bool quick, const F& body) {
  for (const Size size : grid(quick))
    for (const int threads : {1, 2}) body(size, threads, name_of(size, threads));
}

/// The library's step on so many threads.
Contender on_threads(std::shared_ptr<Step> step, int threads, double work = 1.0) {
  Contender contender = timed([step] { step->run(); }, work);
  contender.run = [run = contender.run, threads](int steps) {
    if (unroll::threads() != threads) unroll::set_threads(threads);
    return run(steps);
  };
  return contender;
}

Contender training(const std::string& layer, Size size, int threads, double work = 1.0) {
  return on_threads(cell_training_step(layer, size), threads, work);
}

/// Both sides must have computed the same before their times mean anything.
void check_close(double difference, double tolerance) {
  if (difference <= tolerance) return;
  throw std::runtime_error("the numbers differ by " + std::to_string(difference));
}

void check_same(const Summary& ours, const Summary& other, double numbers_in_loss) {
  check_close(
      std::abs(ours.loss - other.loss) / std::max(std::abs(other.loss), std::sqrt(numbers_in_loss)),
      1e-3);
  if (other.gradient_norm > 0.0)
    check_close(std::abs(ours.gradient_norm / other.gradient_norm - 1.0), 1e-3);
}

constexpr double kSameNumbers = 1e-4;

Outcome against_hand(Size size, int threads) {
  const auto hand = std::make_shared<LstmByHand>(LstmProblem(size));
  hand->step();
  check_close(difference(hand->numbers(), lstm_numbers(size)), kSameNumbers);
  Contender other = timed([hand] { hand->step(); });
  other.run = [run = other.run, threads](int steps) {
    const BlasThreads guard(threads);
    return run(steps);
  };
  return {in_turn(training("lstm", size, threads), other, effort()), {}};
}

Outcome against_onednn(Size size, int threads) {
  const auto primitive = std::make_shared<OneDnnLstm>(LstmProblem(size), threads);
  primitive->step();
  check_close(difference(primitive->numbers(), lstm_numbers(size)), kSameNumbers);
  return {
      in_turn(training("lstm", size, threads), timed([primitive] { primitive->step(); }), effort()),
      {}};
}

Outcome against_torch(const std::string& layer, Size size, int threads) {
  const std::shared_ptr<Step> step = cell_training_step(layer, size);
  const Size trial{std::min(size.steps, 5), size.batch, size.hidden};
  const Torch::Best torch = Torch::instance().best(layer, size, trial, threads);
  check_same(step->summary(), torch.summary,
             static_cast<double>(size.steps) * size.batch * size.hidden);
  return {in_turn(on_threads(step, threads), torch.contender, effort()), torch.setting};
}

Outcome word_model(int threads) {
  const std::shared_ptr<Step> step = word_model_step();
  const Torch::Best torch = Torch::instance().best("word_model", {}, {}, threads);
  check_same(step->summary(), torch.summary, 1.0);
  return {in_turn(on_threads(step, threads), torch.contender, effort()), torch.setting};
}

/// One step in time, against whichever of nn::LSTM and nn::LSTMCell does it faster.
Outcome inference(int hidden, int threads) {
  const std::shared_ptr<Step> step = inference_step("lstm", hidden);
  const Size size{1, 1, hidden};
  Torch& torch = Torch::instance();
  std::string kind = "lstm_inference";
  const double layer = glance(torch.best(kind, size, size, threads).contender);
  const double cell = glance(torch.best("lstm_cell_inference", size, size, threads).contender);
  if (cell < layer) kind = "lstm_cell_inference";
  const Torch::Best best = torch.best(kind, size, size, threads);
  check_same(step->summary(), best.summary, hidden);
  return {in_turn(on_threads(step, threads), best.contender, effort()),
          (cell < layer ? "LSTMCell, " : "LSTM, ") + best.setting, 1e-6, "us"};
}

Outcome bandwidth(int hidden, int threads) {
  const auto n = static_cast<std::size_t>(hidden);
  const std::size_t bytes = 2 * 4 * n * n * sizeof(float);
  const Comparison c =
      in_turn(on_threads(inference_step("lstm", hidden), threads), read(bytes, threads), effort());
  char note[80];
  std::snprintf(note, sizeof note, "%.1f of %.1f GB/s", static_cast<double>(bytes) / c.ours * 1e-9,
                static_cast<double>(bytes) / c.other * 1e-9);
  return {c, note, 1e-6, "us"};
}

Outcome scan_bandwidth(Size size, int threads) {
  const std::size_t bytes = scan_bytes(size);
  const Comparison c =
      in_turn(on_threads(scan_step(size, false), threads), read(bytes, threads), effort());
  char note[80];
  std::snprintf(note, sizeof note, "%.1f of %.1f GB/s", static_cast<double>(bytes) / c.ours * 1e-9,
                static_cast<double>(bytes) / c.other * 1e-9);
  return {c, note};
}

Outcome scan_against_steps(Size size, int threads) {
  const std::shared_ptr<Step> steps = scan_step(size, true);
  const std::shared_ptr<Step> scan = scan_step(size, false);
  check_same(scan->summary(), steps->summary(),
             static_cast<double>(size.steps) * size.batch * size.hidden);
  return {in_turn(on_threads(scan, threads), on_threads(steps, threads), effort()), {}};
}

Outcome share_of_limit(Size size, int threads) {
  const double operations = lstm_operations(size);
  const Comparison c =
      in_turn(training("lstm", size, threads), large_product(threads, operations), effort());
  char note[80];
  std::snprintf(note, sizeof note, "%.1f of %.1f GFLOP/s", operations / c.ours * 1e-9,
                operations / c.other * 1e-9);
  return {c, note};
}

/// Time for one recorded operation on scalars, forward and backward.
Outcome scalars(const Contender& other, const Summary& result, const std::string& note) {
  const std::shared_ptr<Step> step = scalars_on_tape();
  check_same(step->summary(), result, 1.0);
  return {in_turn(on_threads(step, 1, kScalarOperations), other, effort()), note, 1e-9, "ns"};
}

Outcome scalars_against_hand() {
  const std::shared_ptr<Step> hand = scalars_by_hand();
  Outcome outcome = scalars(timed([hand] { hand->run(); }, kScalarOperations), hand->summary(), {});
  char note[80];
  std::snprintf(note, sizeof note, "%.0f times the loop", 1.0 / outcome.comparison.ratio);
  outcome.note = note;
  return outcome;
}

Outcome scalars_against_torch() {
  const Size size{kScalarOperations, 1, 1};
  Torch::Best torch = Torch::instance().best("scalars", size, size, 1);
  torch.contender.work = kScalarOperations;
  return scalars(torch.contender, torch.summary, torch.setting);
}

/// Time for one of T steps in time, against that with T = 100.
Outcome growth(int steps) {
  constexpr int kFew = 100;
  const Size size{steps, 1, 64};
  const std::shared_ptr<Step> step = training_step("lstm", size);
  unroll::memory::release_cached();
  unroll::memory::reset_peak();
  const auto before = unroll::memory::statistics().bytes_in_use;
  step->run();
  const double peak = static_cast<double>(unroll::memory::statistics().peak_bytes - before);
  const Comparison c =
      in_turn(on_threads(step, 1, steps), training("lstm", {kFew, 1, 64}, 1, kFew), effort());
  char note[80];
  std::snprintf(note, sizeof note, "peak %.1f MB, %.0f bytes a step", peak * 1e-6, peak / steps);
  return {c, note, 1e-6, "us"};
}

Outcome memory(Size size) {
  const std::shared_ptr<Step> step = training_step("lstm", size);
  if (unroll::threads() != 1) unroll::set_threads(1);
  step->run();
  unroll::memory::release_cached();
  const double ours = peak_above_baseline([&] { step->run(); });
  const Size trial{1, size.batch, size.hidden};
  Torch::instance().best("lstm", size, trial, 1);
  const double torch = Torch::instance().memory();
  const double ratio = torch / ours;
  return {{ours, torch, ratio, ratio, ratio, 1}, {}, 1e6, "MB"};
}

double torch_goal(Size size) {
  if (size.batch == 1) return 8.0;
  if (size.hidden == 64) return 6.0;
  return size.batch * size.hidden <= 32 * 512 ? 1.5 : 1.2;
}

void register_comparisons(bool quick) {
  group("by_hand", "nn::LSTM on the tape, against one by hand on OpenBLAS and xsimd");
  over_grid(quick, [](Size size, int threads, const std::string& name) {
    comparison(name, size.batch <= 32 ? 1.2 : 0.95, [=] { return against_hand(size, threads); });
  });

  if (OneDnnLstm::available()) {
    group("onednn", "nn::LSTM on the tape, against oneDNN's primitive", 1.25);
    over_grid(quick, [](Size size, int threads, const std::string& name) {
      comparison(name, 1.0, [=] { return against_onednn(size, threads); });
    });
  }

  group("limit", "nn::LSTM on the tape, against its operations at the speed of large products");
  over_grid(quick, [](Size size, int threads, const std::string& name) {
    comparison(name, size.batch >= 64 ? 0.85 : 0.0, [=] { return share_of_limit(size, threads); });
  });

  group("two_threads", "nn::LSTM on two threads, against one");
  for (const Size size : grid(quick))
    comparison(name_of(size), size.hidden >= 256 ? 1.7 : 1.0, [=] {
      return Outcome{in_turn(training("lstm", size, 2), training("lstm", size, 1), effort()), {}};
    });

  group("user_pointwise", "a user's LSTM cell with a lambda, against nn::LSTM");
  over_grid(quick, [](Size size, int threads, const std::string& name) {
    comparison(name, 0.95, [=] {
      return Outcome{in_turn(training("pointwise_lstm", size, threads),
                             training("lstm", size, threads), effort()),
                     {}};
    });
  });

  group("user_plain", "a user's LSTM cell operation by operation, against nn::LSTM");
  over_grid(quick, [](Size size, int threads, const std::string& name) {
    comparison(name, 0.6, [=] {
      return Outcome{
          in_turn(training("plain_lstm", size, threads), training("lstm", size, threads), effort()),
          {}};
    });
  });

  group("scalars_by_hand",
        "a chain of 2000 recorded scalars, one operation of it forward and "
        "backward, against a loop over floats");
  comparison("chain", 0.0, scalars_against_hand);
  if (Torch::available()) {
    group("torch_scalars", "the same, against libtorch's");
    comparison("chain", 5.0, scalars_against_torch);
  }

  if (Torch::available()) {
    const auto layer = [&](const char* kind, double goal) {
      over_grid(quick, [=](Size size, int threads, const std::string& name) {
        comparison(name, goal > 0.0 ? goal : torch_goal(size),
                   [=] { return against_torch(kind, size, threads); });
      });
    };
    group("torch_lstm", "nn::LSTM, against libtorch's");
    layer("lstm", 0.0);
    group("torch_plain", "a user's LSTM cell operation by operation, against the same in libtorch");
    layer("plain_lstm", 4.0);
    group("torch_gru", "nn::GRU, against libtorch's");
    layer("gru", 0.0);
    group("torch_elman", "nn::Elman, against libtorch's RNN");
    layer("elman", 0.0);

    group("torch_layer_norm_lstm", "nn::LayerNormLSTM, against its equations in libtorch");
    layer("layer_norm_lstm", 0.0);
    group("torch_bidirectional", "two bidirectional layers of nn::LSTM, against libtorch's");
    layer("bidirectional", 0.0);

    group("torch_inference", "one step in time of nn::LSTM without a tape, against libtorch's");
    for (const int hidden : {128, 512, 1024})
      for (const int threads : {1, 2})
        comparison("1x" + std::to_string(hidden) + "/threads:" + std::to_string(threads),
                   hidden == 128 ? 5.0 : 0.0, [=] { return inference(hidden, threads); });

    group("torch_words",
          "word model, vocabulary 10k, 2 x 200, B = T = 20, with clipping and SGD, against "
          "libtorch's");
    for (const int threads : {1, 2})
      comparison("threads:" + std::to_string(threads), 2.0, [=] { return word_model(threads); });

    group("torch_memory", "peak of a training step of nn::LSTM beyond what was there before");
    for (const Size size : grid(quick))
      comparison(name_of(size), 2.0, [=] { return memory(size); });
  }

  group("bandwidth",
        "one step in time of nn::LSTM, against reading as many bytes as it has weights");
  for (const int hidden : {128, 512, 1024})
    for (const int threads : {1, 2})
      comparison("1x" + std::to_string(hidden) + "/threads:" + std::to_string(threads),
                 hidden == 1024 ? 0.8 : 0.0, [=] { return bandwidth(hidden, threads); });

  const Size scan = quick ? Size{1000, 8, 256} : Size{10000, 8, 256};
  group("scan_bandwidth",
        "linear_scan 8x256, T = 10,000, forward and both gradients, against reading the eight "
        "arrays");
  for (const int threads : {1, 2})
    comparison("threads:" + std::to_string(threads), 0.6,
               [=] { return scan_bandwidth(scan, threads); });
  group("scan_steps", "the same, against the recurrence as a cell that runs step by step");
  for (const int threads : {1, 2})
    comparison("threads:" + std::to_string(threads), 20.0,
               [=] { return scan_against_steps(scan, threads); });
  group("min_gru", "nn::MinGRU 32x256, T = 512, against nn::GRU");
  for (const int threads : {1, 2})
    comparison("threads:" + std::to_string(threads), 3.0, [=] {
      const Size size{quick ? 64 : 512, 32, 256};
      return Outcome{
          in_turn(training("min_gru", size, threads), training("gru", size, threads), effort()),
          {}};
    });

  group("cells", "nn::LSTM 32x128, T = 50, against every cell of that size: their cost beside it");
  for (const std::string& cell : cell_names())
    comparison(cell, 0.0, [=] {
      const Size size{50, 32, 128};
      return Outcome{in_turn(training("lstm", size, 1), training(cell, size, 1), effort()), {}};
    });

  group("user_copies",
        "the source of each cell compiled as a user's, outside the library, against the cell");
  for (const std::string& cell : cell_names())
    comparison(cell, 0.95, [=] {
      const Size size{50, 32, 128};
      return Outcome{in_turn(on_threads(copied_training_step(cell, size), 1),
                             training(cell, size, 1), effort()),
                     {}};
    });

  group("growth",
        "a step in time of nn::LSTM 1x64, forward and backward, against that with T = 100");
  for (const int steps : quick ? std::vector{1000} : std::vector{1000, 10000, 100000})
    comparison("T:" + std::to_string(steps), 1.0 / 1.1, [=] { return growth(steps); });
}

void print_machine() {
  for (const auto& [what, value] : machine()) {
    std::printf("%-22s %s\n", (what + ':').c_str(), value.c_str());
    benchmark::AddCustomContext(what, value);
  }
  for (const int threads : {1, 2}) {
    const Contender product = large_product(threads, 1.0);
    product.run(1);
    double best = 0.0;
    for (int i = 0; i < 5; ++i) best = std::max(best, product.work / product.run(1) * 1e-9);
    std::printf("sgemm 2048, %d thread%s: %.1f GFLOP/s\n", threads, threads == 1 ? "" : "s", best);
    benchmark::AddCustomContext("sgemm GFLOP/s on " + std::to_string(threads),
                                std::to_string(best));
  }
  if (!OneDnnLstm::available()) std::printf("oneDNN: not installed, left out\n");
  if (!Torch::available()) std::printf("libtorch: not installed, left out\n");
  std::printf(
      "\nEach line: ours, the other, other / ours with its quartiles; above 1 ours is faster.\n");
}

}  // namespace
}  // namespace benchmarks

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // each line when it is known, into a pipe too
  const auto end = std::remove_if(argv + 1, argv + argc, [](const char* argument) {
    return std::strcmp(argument, "--quick") == 0;
  });
  const bool quick = end != argv + argc;
  argc = static_cast<int>(end - argv);
  if (quick) benchmarks::effort() = benchmarks::Effort::quick();

  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmarks::register_comparisons(quick);
  benchmarks::register_figures();
  benchmarks::print_machine();
  benchmarks::Table table;
  const std::size_t count = benchmark::RunSpecifiedBenchmarks(&table);
  if (count == 0) return 2;
  return table.failures() > 0 ? 1 : 0;
}
