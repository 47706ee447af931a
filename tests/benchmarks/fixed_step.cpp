// A training step of fixed size, for counts that noise cannot move: instructions, by valgrind over
// counted_step(), and heap allocations, counted here.
//   fixed_step LAYER T B H
#include "ours.hpp"

#include "support/counted_new.hpp"

#include <autograd/kernels/threads.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

/// What valgrind counts: --toggle-collect=counted_step.
extern "C" [[gnu::noinline]] void counted_step(benchmarks::Step& step) { step.run(); }

int main(int argc, char** argv) {
  try {
    if (argc != 5) {
      std::fprintf(stderr, "usage: fixed_step LAYER T B H\n");
      return 2;
    }
    unroll::set_threads(1);
    const benchmarks::Size size{std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4])};
    const auto step = benchmarks::training_step(argv[1], size);
    for (int i = 0; i < 2; ++i) step->run();  // memory is there from then on
    const auto before = unroll::testing::heap_allocations.load();
    counted_step(*step);
    std::printf("%llu\n",
                static_cast<unsigned long long>(unroll::testing::heap_allocations.load() - before));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fixed_step: %s\n", error.what());
    return 1;
  }
}
