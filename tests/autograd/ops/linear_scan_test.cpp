#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing {
namespace {

struct Problem {
  bool is_complex = false;
  Variable a, b;
  LinearScanOptions options;

  Variable scan() const {
    return is_complex ? complex_linear_scan(a, b, options) : linear_scan(a, b, options);
  }
};

/// Of tensors `[B,...]`, or of complex ones `[B,2,...]`.
Variable product(const Variable& x, const Variable& y, bool is_complex) {
  if (!is_complex) return x * y;
  const auto [xr, xi] = split<2>(x, 1);
  const auto [yr, yi] = split<2>(y, 1);
  return concat({xr * yr - xi * yi, xr * yi + xi * yr}, 1);
}

/// The same recurrence with a few operations for each step.
Variable step_by_step(const Problem& p) {
  const Index steps = p.b.size(0);
  const Index batch = p.b.size(1);
  const bool reverse = p.options.reverse;
  Shape column(p.b.rank() - 1, 1);
  column[0] = batch;
  Variable h = p.options.start.defined() ? p.options.start
                                         : Variable(zeros(select(p.b, 0, 0).shape(), p.b.dtype()));
  std::vector<Variable> all(static_cast<std::size_t>(steps));
  const Variable a = broadcast_to(p.a, p.b.shape());
  for (Index k = 0; k < steps; ++k) {
    const Index t = reverse ? steps - 1 - k : k;
    Tensor runs = ones({batch}, p.b.dtype());
    Tensor reset = zeros({batch}, p.b.dtype());
    for (Index i = 0; i < batch; ++i) {
      if (!p.options.lengths.empty() && t >= p.options.lengths[static_cast<std::size_t>(i)])
        runs.in_place<double>()[i] = 0.0;
      const Index begin = reverse ? t + 1 : t;  // the step behind the boundary
      const Index end =
          p.options.lengths.empty() ? steps : p.options.lengths[static_cast<std::size_t>(i)];
      if (p.options.resets.defined() && begin < end && p.options.resets.at({begin, i}) != 0.0)
        reset.in_place<double>()[i] = 1.0;
    }
    const Variable anew =
        p.options.restart.defined() ? p.options.restart : Variable(zeros(h.shape(), h.dtype()));
    const Variable before = where(reset.reshape(column), anew, h);
    const Variable next = product(select(a, 0, t), before, p.is_complex) + select(p.b, 0, t);
    h = where(runs.reshape(column), next, before);
    all[static_cast<std::size_t>(t)] = h;
  }
  return stack(all);
}

/// Whole batches of options, in shapes small enough for a plain loop.
Problem problem(std::uint64_t seed, bool is_complex, Tape* tape = nullptr) {
  Generator draw(seed);
  const auto pick = [&](Index count) {
    return static_cast<Index>(draw.below(static_cast<std::uint64_t>(count)));
  };
  const Index steps = 1 + pick(6);
  const Index batch = 1 + pick(4);
  Shape shape{steps, batch};
  if (is_complex) shape.push_back(2);
  if (pick(3) != 0) shape.push_back(1 + pick(70));
  if (pick(4) == 0) shape.push_back(1 + pick(3));
  Shape coefficients = shape;
  if (pick(2) == 0) {
    for (int axis = 0; axis < shape.rank(); ++axis)
      if (pick(2) == 0 && !(is_complex && axis == 2)) coefficients[axis] = 1;
    while (!coefficients.empty() && coefficients[0] == 1 && pick(2) == 0) coefficients.erase(0);
  }
  const auto leaf = [&](const Shape& of, std::uint64_t stream) {
    const Tensor value = random(of, 10 * seed + stream, -1.2, 1.2);
    return tape && pick(5) != 0 ? tape->watch(value) : Variable(value);
  };
  Problem p{is_complex, leaf(coefficients, 0), leaf(shape, 1), {.reverse = pick(2) == 0}};
  if (pick(2) == 0) p.options.start = leaf(select(Variable(p.b), 0, 0).shape(), 2);
  if (pick(2) == 0)
    for (Index i = 0; i < batch; ++i) p.options.lengths.push_back(pick(steps + 1));
  if (pick(2) == 0) {
    p.options.resets = ge(random({steps, batch}, 10 * seed + 3), 0.3);
    if (pick(2) == 0) p.options.restart = leaf(select(Variable(p.b), 0, 0).shape(), 6);
  }
  return p;
}

}  // namespace

TEST_CASE("a scan is the recurrence step by step, in values and gradients of both orders") {
  int differentiated = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    Tape tape;
    const Problem p = problem(seed, seed % 2 == 1, &tape);
    CAPTURE(to_string(p.a.shape()));
    const Variable scanned = p.scan();
    const Variable stepped = step_by_step(p);
    expect_close(scanned.value(), stepped.value(), 1e-13);
    if (!scanned.recorded()) continue;
    ++differentiated;
    const Tensor weights = random(p.b.shape(), 10 * seed + 4);
    for (const Variable& leaf : {p.a, p.b, p.options.start, p.options.restart}) {
      if (!leaf.defined() || !leaf.recorded()) continue;
      const auto both = [&](const Variable& h) {
        const Variable loss = sum(square(h) * weights);
        const Tensor plain = tape.gradients(loss, {.retain = true})[leaf].value();
        const Variable first = tape.gradients(loss, {.differentiable = true})[leaf];
        expect_close(first.value(), plain, 1e-12);
        const Variable slope = sum(first * random(leaf.shape(), 10 * seed + 5));
        return std::vector<Tensor>{
            plain, slope.recorded() ? tape.gradients(slope, {.retain = true})[leaf].value()
                                    : Tensor(zeros(leaf.shape(), Dtype::float64))};
      };
      const auto by_scan = both(scanned);
      const auto by_steps = both(stepped);
      expect_close(by_scan[0], by_steps[0], 1e-11);
      expect_close(by_scan[1], by_steps[1], 1e-10);
    }
  }
  CHECK(differentiated > 400);
}

TEST_CASE("a complex scan is that of complex numbers") {
  constexpr Index kSteps = 5, kSize = 3;
  const Tensor a = random({2, kSize}, 11);
  const Tensor b = random({kSteps, 1, 2, kSize}, 12);
  const Tensor h = complex_linear_scan(a, b).value();
  for (Index k = 0; k < kSize; ++k) {
    std::complex<double> state = 0.0;
    for (Index t = 0; t < kSteps; ++t) {
      state = std::complex(a.at({0, k}), a.at({1, k})) * state +
              std::complex(b.at({t, 0, 0, k}), b.at({t, 0, 1, k}));
      CHECK(std::abs(state - std::complex(h.at({t, 0, 0, k}), h.at({t, 0, 1, k}))) < 1e-14);
    }
  }
}

TEST_CASE("a complex scan of real numbers is the real one") {
  const Tensor a = random({6, 2, 9}, 13);
  const Tensor b = random({6, 2, 9}, 14);
  const auto with_zeros = [](const Tensor& x) {
    return stack({x, zeros(x.shape(), x.dtype())}, 2);
  };
  const LinearScanOptions how{.reverse = true, .lengths = {6, 4}};
  const Variable h = complex_linear_scan(with_zeros(a), with_zeros(b), how);
  expect_close(select(h, 2, 0).value(), linear_scan(a, b, how).value(), 1e-14);
  expect_close(select(h, 2, 1).value(), zeros({6, 2, 9}, Dtype::float64), 0.0);
}

TEST_CASE("a stream cut anywhere gives the bits of the whole") {
  const auto check = [](const auto& scan, const Shape& shape) {
    const Tensor a = random(shape, 1);
    const Tensor b = random(shape, 2);
    const Tensor whole = scan(a, b, LinearScanOptions{}).value();
    for (Index cut = 0; cut <= 9; ++cut) {
      CAPTURE(cut);
      const Variable head = scan(a.slice(0, 0, cut), b.slice(0, 0, cut), LinearScanOptions{});
      const Variable start = cut == 0 ? Variable() : select(head, 0, cut - 1);
      const Variable tail =
          scan(a.slice(0, cut, 9), b.slice(0, cut, 9), LinearScanOptions{.start = start});
      CHECK(concat({head, tail}, 0).value().to_vector<double>() == whole.to_vector<double>());
    }
  };
  check(linear_scan, {9, 2, 5});
  check(complex_linear_scan, {9, 3, 2, 5});
}

TEST_CASE("threads and blocks of columns change no bit, in either dtype") {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const bool is_complex : {false, true})
      for (const bool is_constant : {false, true}) {
        const Shape shape = is_complex ? Shape{40, 3, 2, 1500} : Shape{40, 3, 1500};
        const Shape once = is_complex ? Shape{2, 1500} : Shape{1500};
        const Tensor a = random(is_constant ? once : shape, 3, -0.7, 0.7).to(dtype);
        const Tensor b = random(shape, 4).to(dtype);
        const Tensor resets = ge(random({40, 3}, 5), 0.8);
        const auto run = [&](int count) {
          const WithThreads with(count);
          Tape tape;
          const Variable x = tape.watch(a);
          const Variable y = tape.watch(b);
          const LinearScanOptions how{.lengths = {40, 37, 39}, .resets = resets};
          const Variable h = is_complex ? complex_linear_scan(x, y, how) : linear_scan(x, y, how);
          const Gradients g = tape.gradients(sum(square(h)));
          return std::vector<std::vector<double>>{h.value().to_vector<double>(),
                                                  g[x].value().to_vector<double>(),
                                                  g[y].value().to_vector<double>()};
        };
        CHECK(run(1) == run(2));
      }
}

TEST_CASE("what lies past the end of a sequence or before a reset does not matter, be it NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const LinearScanOptions how{.lengths = {3, 1},
                              .resets = Tensor::of<double>({3, 2}, {0, 0, 1, 0, 0, 0})};
  {
    Tape tape;
    const Variable a = tape.watch(Tensor::of<double>({3, 2}, {0.5, 2, 0.5, nan, 0.5, nan}));
    const Variable b = tape.watch(Tensor::of<double>({3, 2}, {nan, 1, 1, nan, 1, nan}));
    const Variable h = linear_scan(a, b, how);
    const Variable seen = slice(h, 0, 1, 3);
    expect_values(seen.value(), {1, 1, 1.5, 1});
    const Gradients g = tape.gradients(sum(seen));
    expect_values(g[a].value(), {0, 0, 0, 0, 1, 0});
    expect_values(g[b].value(), {0, 2, 1.5, 0, 1, 0});
  }
  {
    // a = i / 2, from i on; sequence 1 ends after a step.
    Tape tape;
    const Variable a = tape.watch(
        Tensor::of<double>({3, 2, 2}, {0, 0.5, 2, 0, 0, 0.5, nan, nan, 0, 0.5, nan, nan}));
    const Variable b =
        tape.watch(Tensor::of<double>({3, 2, 2}, {nan, nan, 1, 0, 0, 1, nan, 0, 1, 0, 0, nan}));
    const Variable h = complex_linear_scan(a, b, how);
    const Variable seen = slice(h, 0, 1, 3);
    expect_values(seen.value(), {0, 1, 1, 0, 0.5, 0, 1, 0});
    const Gradients g = tape.gradients(sum(seen));
    expect_values(g[a].value(), {0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 0, 0});
    expect_values(g[b].value(), {0, 0, 2, 2, 1.5, 0.5, 0, 0, 1, 1, 0, 0});
  }
}

TEST_CASE("coefficients that are broadcast are not copied, nor are their gradients") {
  constexpr Index kSteps = 1000, kBatch = 4, kSize = 64;
  constexpr Index kBytes = kSteps * kBatch * kSize * 8;  // of h
  for (const std::vector<Index>& lengths : {std::vector<Index>{}, {1000, 900, 1000, 20}}) {
    Tape tape;
    const Variable a = tape.watch(random({kSize}, 15, 0.0, 0.9));
    const Variable b = random({kSteps, kBatch, kSize}, 16);
    const Tensor seed = ones(b.shape(), Dtype::float64);
    memory::reset_peak();
    const Index before = bytes_in_use();
    const Variable h = linear_scan(a, b, {.lengths = lengths});
    static_cast<void>(tape.gradients(h, {.seed = seed}));
    const auto peak = static_cast<Index>(memory::statistics().peak_bytes) - before;
    CHECK(peak < kBytes + kBytes / 10);
  }
}

TEST_CASE("the gradient of a coefficient of all steps keeps its digits over a long sequence") {
  constexpr Index kSteps = 20000;
  const Tensor a = full({1}, 0.5, Dtype::float32);
  const Tensor b = random({kSteps, 1, 1}, 17, 0.5, 1.5).to(Dtype::float32);
  const auto gradient = [&](Dtype dtype) {
    Tape tape;
    const Variable x = tape.watch(a.to(dtype));
    return tape.gradients(sum(linear_scan(x, b.to(dtype))))[x].item();
  };
  CHECK(gradient(Dtype::float32) == doctest::Approx(gradient(Dtype::float64)).epsilon(1e-6));
}

TEST_CASE("no steps are a scan too, and a sequence may have none") {
  Tape tape;
  const Variable a = tape.watch(zeros({0, 2, 3}, Dtype::float64));
  const Variable start = tape.watch(random({2, 3}, 6));
  const Variable none = linear_scan(a, zeros({0, 2, 3}, Dtype::float64), {.start = start});
  CHECK(none.shape() == Shape{0, 2, 3});
  CHECK(tape.gradients(sum(none))[a].shape() == Shape{0, 2, 3});
  CHECK(complex_linear_scan(zeros({2, 3}), zeros({0, 4, 2, 3})).shape() == Shape{0, 4, 2, 3});

  const Tensor x = random({2, 2, 3}, 7);
  const Variable h = linear_scan(x, x, {.start = start, .lengths = {0, 2}});
  expect_close(select(select(h, 0, 1), 0, 0).value(), start.value().select(0, 0), 0.0);
}

TEST_CASE("a scan is one operation, however long") {
  Tape tape;
  const Variable a = tape.watch(random({1000, 2, 2, 3}, 8));
  static_cast<void>(linear_scan(a, random({1000, 2, 2, 3}, 9), {.lengths = {1000, 7}}));
  CHECK(tape.statistics().operations == 1);
  static_cast<void>(complex_linear_scan(a, random({1000, 2, 2, 3}, 9)));
  CHECK(tape.statistics().operations == 2);
}

TEST_CASE("a scan refuses what does not fit, by name and size") {
  const Tensor x = zeros({4, 2, 3});
  expect_error<DtypeError>([&] { linear_scan(x, x.to(Dtype::float64)); },
                           {"linear_scan", "a float32 [4,2,3]", "b float64 [4,2,3]"});
  expect_error<DtypeError>([&] { linear_scan({}, x); }, {"linear_scan", "a undefined"});
  expect_error<ShapeError>([&] { linear_scan(zeros({4}), zeros({4})); },
                           {"linear_scan", "[T,B,...]", "[4]"});
  expect_error<ShapeError>([&] { linear_scan(zeros({4, 2, 2}), x); }, {"linear_scan", "[4,2,2]"});
  expect_error<ShapeError>(
      [&] {
        linear_scan(zeros({5, 4, 2, 3}), x);
      },
      {"linear_scan", "a [5,4,2,3]", "does not broadcast", "[4,2,3]"});
  expect_error<ShapeError>([&] { linear_scan(x, x, {.start = zeros({2})}); },
                           {"linear_scan", "start [2]", "[2,3]"});
  expect_error<DtypeError>(
      [&] {
        linear_scan(x, x, {.start = zeros({2, 3}, Dtype::float64)});
      },
      {"linear_scan", "start float64"});
  expect_error<ShapeError>([&] { linear_scan(x, x, {.lengths = {1}}); },
                           {"linear_scan", "1 lengths", "2 sequences"});
  expect_error<ArgumentError>(
      [&] {
        linear_scan(x, x, {.lengths = {1, 5}});
      },
      {"linear_scan", "sequence 1", "5", "0..4"});
  expect_error<ShapeError>(
      [&] {
        linear_scan(x, x, {.resets = zeros({2, 4})});
      },
      {"linear_scan", "resets [2,4]", "[4,2]"});
}

TEST_CASE("a complex scan refuses what has no real and imaginary parts") {
  const Tensor x = zeros({4, 5, 2, 3});
  expect_error<ShapeError>(
      [&] {
        complex_linear_scan(zeros({4, 5, 3}), zeros({4, 5, 3}));
      },
      {"complex_linear_scan", "[T,B,2,...]", "[4,5,3]"});
  expect_error<ShapeError>(
      [&] {
        complex_linear_scan(zeros({4, 2}), zeros({4, 2}));
      },
      {"complex_linear_scan", "[T,B,2,...]", "[4,2]"});
  for (const Shape& shape : {Shape{3}, Shape{1, 3}, Shape{4, 5, 1, 3}})
    expect_error<ShapeError>([&] { complex_linear_scan(zeros(shape), x); },
                             {"complex_linear_scan", "no axis of 2", "[4,5,2,3]"});
  expect_error<ShapeError>(
      [&] {
        complex_linear_scan(x, x, {.start = zeros({5, 3})});
      },
      {"complex_linear_scan", "start [5,3]", "[5,2,3]"});
}

}  // namespace unroll::testing
