#include <doctest/doctest.h>
#include <pthread.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Runs f on a thread whose stack is as small as this, so that no recursion over the tape can hide.
template <class F>
void with_small_stack(F f) {
  constexpr std::size_t kStack = std::size_t{256} << 10;
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, kStack) == 0);
  pthread_t thread{};
  const auto run = [](void* argument) -> void* {
    (*static_cast<F*>(argument))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &f) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

struct Slopes {
  double h, w, h0;
};

/// h = tanh(w h + 0.1), `steps` times, and the derivatives of the last h, by plain loops.
Slopes by_loops(double w, double h0, std::size_t steps) {
  std::vector<double> h{h0};
  for (std::size_t t = 0; t < steps; ++t) h.push_back(std::tanh(w * h.back() + 0.1));
  double slope = 1.0;
  double slope_w = 0.0;
  for (std::size_t t = steps; t-- > 0;) {
    const double into = slope * (1.0 - h[t + 1] * h[t + 1]);
    slope_w += into * h[t];
    slope = into * w;
  }
  return {h.back(), slope_w, slope};
}

}  // namespace

TEST_CASE("a million steps are recorded, differentiated and freed on a small stack") {
  constexpr std::size_t kSteps = 1'000'000;
  constexpr double kWeight = 1.1;  // 1.1 tanh' stays near 1, so that early steps still count
  const Slopes expected = by_loops(kWeight, 0.2, kSteps);
  with_small_stack([&] {
    const Index before = bytes_in_use();
    {
      Tape tape;
      const Variable w = tape.watch(full({}, kWeight, Dtype::float64));
      const Variable start = tape.watch(full({}, 0.2, Dtype::float64));
      Variable h = start;
      for (std::size_t t = 0; t < kSteps; ++t) h = tanh(w * h + 0.1);
      CHECK(tape.statistics().operations == 3 * kSteps);
      const Gradients gradients = tape.gradients(h);
      CHECK(tape.statistics().saved == 0);
      CHECK(h.item() == doctest::Approx(expected.h).epsilon(1e-12));
      CHECK(gradients[w].item() == doctest::Approx(expected.w).epsilon(1e-10));
      CHECK(gradients[start].item() == doctest::Approx(expected.h0).epsilon(1e-10));
    }
    CHECK(bytes_in_use() == before);
  });
}

TEST_CASE("a long tape that nobody differentiates is freed on a small stack too") {
  with_small_stack([] {
    const Index before = bytes_in_use();
    {
      Tape tape;
      Variable h = tape.watch(full({}, 0.5, Dtype::float64));
      for (int t = 0; t < 50'000; ++t) h = sin(h);
      CHECK(tape.statistics().saved == 50'000);
    }
    CHECK(bytes_in_use() == before);
  });
}

}  // namespace unroll::testing
