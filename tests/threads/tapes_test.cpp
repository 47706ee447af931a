#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/tensor/error.hpp>

#include <cstddef>
#include <thread>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr std::size_t kThreads = 4;

/// Runs f(0) ... f(kThreads - 1) at the same time.
template <class F>
void in_parallel(F f) {
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < kThreads; ++k) threads.emplace_back([&f, k] { f(k); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("threads with a tape each share parameters and get their own gradients") {
  const Parameter w("w", random({12, 12}, 1));
  const Parameter b("b", random({12}, 2));
  const auto gradient = [&](std::size_t k) {
    Tape tape;
    Variable h = random({3, 12}, 100 + k);
    for (int t = 0; t < 30; ++t) h = tanh(linear(h, w, b));
    return tape.gradients(sum(h * h))[w].value();
  };
  std::vector<Tensor> alone;
  for (std::size_t k = 0; k < kThreads; ++k) alone.push_back(gradient(k));
  for (int round = 0; round < 5; ++round) {
    std::vector<Tensor> together(kThreads);
    in_parallel([&](std::size_t k) { together[k] = gradient(k); });
    for (std::size_t k = 0; k < kThreads; ++k) expect_close(together[k], alone[k], 0.0);
  }
}

TEST_CASE("an update on one thread does not change what the tapes of others have seen") {
  Parameter w("w", full({64}, 1.0, Dtype::float64));
  std::vector<double> results(kThreads);
  const Tensor value = w.value();  // every use below shares it
  in_parallel([&](std::size_t k) {
    Tape tape;
    const Variable x = tape.watch(full({64}, static_cast<double>(k), Dtype::float64));
    const Variable loss = sum(x * x * Variable(value));
    results[k] = tape.gradients(loss)[x].value().at({63});
  });
  w.mutable_value().mutable_data<double>()[63] = 5.0;
  for (std::size_t k = 0; k < kThreads; ++k) CHECK(results[k] == 2.0 * static_cast<double>(k));
  CHECK(value.at({63}) == 1.0);
}

TEST_CASE("gradients of several threads are added up on one of them") {
  const Parameter w("w", random({5, 4}, 3));
  std::vector<Gradients> gradients(kThreads);
  in_parallel([&](std::size_t k) {
    Tape tape;
    gradients[k] = tape.gradients(sum(matmul(random({2, 5}, 10 + k), w)));
  });
  Variable total = gradients[0][w];
  for (std::size_t k = 1; k < kThreads; ++k) total = total + gradients[k][w];
  Tape tape;
  Variable loss = zeros({}, Dtype::float64);
  for (std::size_t k = 0; k < kThreads; ++k) loss = loss + sum(matmul(random({2, 5}, 10 + k), w));
  expect_close(total.value(), tape.gradients(loss)[w].value());
}

TEST_CASE("an exception in a part reaches the caller, and the threads go on working") {
  const int before = threads();
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    for (int failing = 0; failing < 8; ++failing) {
      CAPTURE(count);
      CAPTURE(failing);
      CHECK_THROWS_WITH_AS(kernels::parallel_for(8,
                                                 [&](int part) {
                                                   if (part == failing)
                                                     throw ShapeError("of a part");
                                                 }),
                           "of a part", ShapeError);
      std::vector<int> done(64, 0);
      kernels::parallel_for(64, [&](int part) { ++done[static_cast<std::size_t>(part)]; });
      CHECK(done == std::vector<int>(64, 1));
    }
  }
  set_threads(before);
}

TEST_CASE("the number of threads is not changed by an operation that they run") {
  const int before = threads();
  set_threads(2);
  CHECK_THROWS_AS(kernels::parallel_for(4, [](int) { set_threads(1); }), ArgumentError);
  CHECK(threads() == 2);
  CHECK_THROWS_AS(set_threads(65536), ArgumentError);
  CHECK_THROWS_AS(set_threads(0), ArgumentError);
  set_threads(before);
}

TEST_CASE("a job inside a part runs to its end there") {
  std::vector<int> done(16, 0);
  kernels::parallel_for(4, [&](int outer) {
    kernels::parallel_for(4,
                          [&](int inner) { ++done[static_cast<std::size_t>(4 * outer + inner)]; });
  });
  CHECK(done == std::vector<int>(16, 1));
}

}  // namespace unroll::testing
