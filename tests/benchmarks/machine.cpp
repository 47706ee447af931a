#include "machine.hpp"

#include "blas.hpp"

#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/threads.hpp>

#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

namespace benchmarks {
namespace {

constexpr int kOrder = 2048;

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  return "unknown";
}

std::string load() {
  std::string averages;
  std::getline(std::ifstream("/proc/loadavg") >> std::ws, averages);
  return averages;
}

/// Sum of the numbers, with several sums at a time so that their latency does not count.
float total(const float* from, std::size_t count) {
  using V = unroll::lambda::Vector<float>;
  constexpr std::size_t kSums = 8;
  V sums[kSums];
  for (V& sum : sums) sum = V(0.0F);
  std::size_t at = 0;
  for (; at + kSums * V::size <= count; at += kSums * V::size)
    for (std::size_t k = 0; k < kSums; ++k)
      sums[k] = sums[k] + V::load_unaligned(from + at + k * V::size);
  float result = 0.0F;
  for (const V& sum : sums) result += xsimd::hadd(sum);
  for (; at < count; ++at) result += from[at];
  return result;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> machine() {
  return {{"processor", processor()},
          {"hardware threads", std::to_string(std::thread::hardware_concurrency())},
          {"vectors compiled for", unroll::lambda::Vector<float>::arch_type::name()},
          {"BLAS", unroll::blas_description()},
          {"load at the start", load()}};
}

Contender large_product(int threads, double operations) {
  const auto count = static_cast<std::size_t>(kOrder) * kOrder;
  const auto a = std::make_shared<std::vector<float>>(count, 0.5F);
  const auto b = std::make_shared<std::vector<float>>(count, 0.25F);
  const auto c = std::make_shared<std::vector<float>>(count);
  constexpr double kOperations = 2.0 * kOrder * kOrder * kOrder;
  const Contender product = timed([a, b, c] {
    cblas_sgemm(kRowMajor, kPlain, kPlain, kOrder, kOrder, kOrder, 1.0F, a->data(), kOrder,
                b->data(), kOrder, 0.0F, c->data(), kOrder);
  });
  return {[product, threads](int steps) {
            const BlasThreads guard(threads);
            return product.run(steps);
          },
          kOperations / operations};
}

Contender read(std::size_t bytes, int threads) {
  const auto numbers = std::make_shared<std::vector<float>>(bytes / sizeof(float), 1.0F);
  const auto sums = std::make_shared<std::vector<float>>(static_cast<std::size_t>(threads));
  const Contender reading = timed([numbers, sums, threads] {
    unroll::kernels::parallel_for(threads, [&](int part) {
      const auto range = unroll::kernels::part_of(static_cast<unroll::Index>(numbers->size()),
                                                  threads, part, 1024);
      volatile float* sum = sums->data() + part;  // keeps the reads
      *sum =
          total(numbers->data() + range.begin, static_cast<std::size_t>(range.end - range.begin));
    });
  });
  return {[reading, threads](int steps) {
    if (unroll::threads() != threads) unroll::set_threads(threads);
    return reading.run(steps);
  }};
}

}  // namespace benchmarks
