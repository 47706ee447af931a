// Random graphs, a little at every run, without another implementation; tests/fuzz/graphs/run
// compares many with PyTorch.
#include <doctest/doctest.h>
#include <autograd/kernels/threads.hpp>
#include <autograd/tape/gradient.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "graphs/graph.hpp"
#include "graphs/rows.hpp"
#include "support/declared_ops.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing::graphs {
namespace {

/// The largest difference between the gradients, in parts of the largest of them.
double difference(const Result& a, const Result& b) {
  REQUIRE(a.gradients.size() == b.gradients.size());
  double largest = 1.0;
  double off = std::abs(a.loss - b.loss);
  for (std::size_t k = 0; k < a.gradients.size(); ++k) {
    REQUIRE(a.gradients[k].size() == b.gradients[k].size());
    for (std::size_t i = 0; i < a.gradients[k].size(); ++i) {
      const double x = a.gradients[k][i];
      const double y = b.gradients[k][i];
      if (std::isnan(x) && std::isnan(y)) continue;
      if (x == y) continue;
      largest = std::max(largest, std::abs(x));
      off = std::isfinite(x - y) ? std::max(off, std::abs(x - y)) : HUGE_VAL;
    }
  }
  return off / largest;
}

constexpr double kRounding = 1e-9;

}  // namespace

TEST_CASE("the graphs of the corpus have the gradients that PyTorch finds") {
  int compared = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(UNROLL_SOURCE_DIR "/tests/fuzz/corpus/graphs")) {
    CAPTURE(entry.path().filename().string());
    std::ifstream file(entry.path());
    std::ostringstream lines;
    Result expected;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string first;
      words >> first;
      if (first == "result") {
        words >> expected.loss;
      } else if (first == "gradient") {
        expected.gradients.emplace_back();
        for (double g = 0.0; words >> g;) expected.gradients.back().push_back(g);
      } else if (first != "#") {
        lines << line << '\n';
      }
    }
    std::istringstream text(lines.str());
    CHECK(difference(run(parse(text)), expected) < kRounding);
    ++compared;
  }
  CHECK(compared >= 19);
}

TEST_CASE("every op that a header declares has a row in the grammar") {
  std::set<std::string> ops;
  for (const auto& [name, row] : rows()) ops.insert(row.op);
  for (const auto& [name, signatures] : declared_ops())
    CHECK_MESSAGE(ops.contains(name),
                  name << " has no row: add one to tests/fuzz/graphs/rows_*.cpp, "
                          "and its counterpart to torch_oracle.py");
}

TEST_CASE("every row takes part, and text keeps a graph") {
  std::map<std::string, int> calls;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Graph graph = generate(seed, 1);
    for (const Step& step : graph.steps)
      if (step.is_call) ++calls[step.call.op];
    std::istringstream text(to_string(graph));
    REQUIRE(to_string(parse(text)) == to_string(graph));
  }
  for (const auto& [name, row] : rows())
    CHECK_MESSAGE(calls[name] >= 10, name << " takes part in " << calls[name] << " of 3000 graphs");
}

TEST_CASE("gradients do not depend on how they are added up, nor on what is recorded or kept") {
  for (int order = 1; order <= 3; ++order)
    for (std::uint64_t seed = 0; seed < 1200; ++seed) {
      const Graph graph = generate(50000 * static_cast<std::uint64_t>(order) + seed, order);
      const Result fast = run(graph);
      CAPTURE(to_string(graph));
      REQUIRE(difference(run(graph, {.twice = true}), fast) == 0.0);
      // Derivatives go up to order 3, and what is recorded besides is one more.
      if (order < 3) REQUIRE(difference(run(graph, {.differentiable = true}), fast) < kRounding);
      const detail::PlainAccumulation plain;
      REQUIRE(difference(run(graph), fast) < kRounding);
    }
}

TEST_CASE("gradients of large arrays agree between one thread and two, and repeat bit for bit") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Graph graph = generate(seed, 1, Sizes::large);
    CAPTURE(to_string(graph));
    Result alone;
    {
      const WithThreads one(1);
      alone = run(graph);
    }
    const WithThreads two(2);
    const Result together = run(graph);
    REQUIRE(difference(together, alone) < kRounding);
    REQUIRE(difference(run(graph), together) == 0.0);
  }
}

// Last in its file: from here on the table of layouts is full.
TEST_CASE("tensors whose layouts end with them have the same gradients") {
  constexpr std::uint64_t kGraphs = 300;
  std::vector<Result> before;
  for (std::uint64_t seed = 0; seed < kGraphs; ++seed) before.push_back(run(generate(seed, 2)));
  for (std::size_t k = 0; k < detail::LayoutReference::kMostKept; ++k)
    static_cast<void>(Tensor::empty({1, 1, static_cast<Index>(1000 + k)}, Dtype::float32));
  for (std::uint64_t seed = 0; seed < kGraphs; ++seed)
    REQUIRE(difference(run(generate(seed, 2)), before[seed]) == 0.0);
  // Shapes that the table does not have.
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Graph graph = generate(seed, 1, Sizes::large);
    const Result once = run(graph);
    REQUIRE(difference(run(graph), once) == 0.0);
  }
}

}  // namespace unroll::testing::graphs
