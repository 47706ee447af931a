// Random graphs for comparison with another implementation: see run and torch_oracle.py beside
// this.
//   fuzz_graphs FIRST COUNT ORDER float32|float64   generates, runs and prints graphs
//   fuzz_graphs run float32|float64                 runs the graphs of the standard input
// Each graph is followed by `result LOSS` and a line `gradient NUMBER...` for every leaf, or by
// `error MESSAGE`, and an empty line.
#include "graph.hpp"
#include "rows.hpp"

#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using namespace unroll;
using namespace unroll::testing::graphs;

void print_result(const Graph& graph, Dtype dtype) {
  try {
    const Result result = run(graph, {.dtype = dtype});
    std::printf("result %.17g\n", result.loss);
    for (const auto& gradient : result.gradients) {
      std::fputs("gradient", stdout);
      for (const double g : gradient) std::printf(" %.17g", g);
      std::putchar('\n');
    }
  } catch (const std::exception& error) {
    std::printf("error %s\n", error.what());
  }
  std::putchar('\n');
}

Dtype dtype_named(std::string_view name) {
  if (name == "float32") return Dtype::float32;
  if (name == "float64") return Dtype::float64;
  throw ArgumentError("fuzz_graphs: dtype must be float32 or float64");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    set_threads(1);
    if (argc == 3 && std::string_view(argv[1]) == "run") {
      const Dtype dtype = dtype_named(argv[2]);
      while (std::cin.peek() != EOF) print_result(parse(std::cin), dtype);
    } else if (argc == 5) {
      const std::uint64_t first = std::strtoull(argv[1], nullptr, 10);
      const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
      const Dtype dtype = dtype_named(argv[4]);
      for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Graph graph = generate(seed, std::atoi(argv[3]));
        std::fputs(to_string(graph).c_str(), stdout);
        print_result(graph, dtype);
      }
    } else {
      std::fprintf(stderr,
                   "usage: fuzz_graphs FIRST COUNT ORDER float32|float64\n"
                   "       fuzz_graphs run float32|float64\n");
      return 2;
    }
    return std::fflush(stdout) == 0 && !std::ferror(stdout) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_graphs: %s\n", error.what());
    return 1;
  }
}
