#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/parallel.hpp>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing {
namespace {

std::vector<float> train_a_little() {
  const Parameter w("w", random({160, 160}, 1).to(Dtype::float32));
  Tape tape;
  Variable h = random({64, 160}, 2).to(Dtype::float32);
  for (int t = 0; t < 4; ++t) h = tanh(matmul(h, w) * 0.1);
  return tape.gradients(sum(square(h)))[w].value().to_vector<float>();
}

}  // namespace

TEST_CASE("every part runs exactly once, however many threads and parts there are") {
  for (int count : {1, 2, 3, 5}) {
    const WithThreads with(count);
    CHECK(threads() == count);
    for (int parts : {1, 2, 7, 100}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(parts));
      kernels::parallel_for(parts, [&](int part) { ++runs[static_cast<std::size_t>(part)]; });
      for (const std::atomic<int>& run : runs) CHECK(run == 1);
    }
  }
}

TEST_CASE("parts cut a size without gaps or overlaps, at multiples of the grain") {
  for (Index size : {0, 1, 7, 16, 100})
    for (int parts : {1, 2, 3, 8})
      for (Index grain : {1, 4, 16}) {
        Index expected = 0;
        for (int part = 0; part < parts; ++part) {
          const kernels::Range range = kernels::part_of(size, parts, part, grain);
          CHECK(range.begin == expected);
          CHECK(range.end >= range.begin);
          CHECK((range.begin % grain == 0 || range.begin == size));
          expected = range.end;
        }
        CHECK(expected == size);
      }
}

TEST_CASE("elementwise operations and sums have the same bits for any number of threads") {
  // Long enough for several threads, and of every kind of layout: as it lies in memory, columns of
  // a wider matrix, with a expanded row and column, transposed.
  const Tensor x = random({80, 2000}, 3).to(Dtype::float32);
  const Tensor wide = random({80, 4000}, 4).to(Dtype::float32).slice(1, 1000, 3000);
  const Tensor row = random({2000}, 5).to(Dtype::float32);
  const Tensor column = random({80, 1}, 6).to(Dtype::float32);
  const Tensor across = random({2000, 80}, 7).to(Dtype::float32).transpose(0, 1);
  const auto run = [&] {
    Tape tape;
    const Variable v = tape.watch(x);
    const Variable r = tape.watch(row);
    const Variable y = sigmoid(v * wide + r) * tanh(column - v) + v * across;
    const Gradients gradients = tape.gradients(sum(y * y));
    std::vector<std::vector<float>> all;
    for (const Variable& value : {y, sum(y), sum(y, {0}), sum(y, {1}), gradients[v], gradients[r]})
      all.push_back(value.value().to_vector<float>());
    return all;
  };
  std::vector<std::vector<float>> alone;
  {
    const WithThreads with(1);
    alone = run();
  }
  for (int count : {2, 3}) {
    const WithThreads with(count);
    CHECK(run() == alone);
  }
}

TEST_CASE("gradients repeat bit for bit for a number of threads, and agree between numbers") {
  std::vector<float> alone;
  {
    const WithThreads with(1);
    alone = train_a_little();
    CHECK(train_a_little() == alone);
  }
  for (int count : {2, 3}) {
    const WithThreads with(count);
    const std::vector<float> together = train_a_little();
    CHECK(train_a_little() == together);
    double worst = 0.0;
    for (std::size_t i = 0; i < alone.size(); ++i)
      worst = std::max(worst, distance(together[i], alone[i]));
    CHECK(worst < 1e-4);
  }
}

TEST_CASE(
    "threads of a program may compute at the same time: one has the pool, the others do not wait") {
  const WithThreads with(2);
  const std::vector<float> alone = train_a_little();
  std::array<std::vector<float>, 3> together;
  std::vector<std::thread> users;
  for (auto& result : together) users.emplace_back([&result] { result = train_a_little(); });
  for (std::thread& user : users) user.join();
  for (const auto& result : together) {
    double worst = 0.0;
    for (std::size_t i = 0; i < alone.size(); ++i)
      worst = std::max(worst, distance(result[i], alone[i]));
    CHECK(worst < 1e-4);
  }
}

TEST_CASE("an operation may run inside a part of another") {
  const WithThreads with(2);
  std::array<double, 4> sums{};
  kernels::parallel_for(4, [&](int part) {
    kernels::parallel_for(3, [&](int inner) { sums[static_cast<std::size_t>(part)] += inner; });
  });
  for (double sum : sums) CHECK(sum == 3.0);
}

TEST_CASE("the number of threads is at least one") {
  const int before = threads();
  CHECK(before >= 1);
  for (int count : {0, -3})
    expect_error<ArgumentError>([&] { set_threads(count); },
                                {"set_threads", "at least 1", std::to_string(count)});
  CHECK(threads() == before);
  CHECK_FALSE(blas_description().empty());
}

}  // namespace unroll::testing
