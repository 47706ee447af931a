#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

namespace unroll::testing {
namespace {

struct Problem {
  Variable a, b;
  LinearScanOptions options;
};

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
    h = where(runs.reshape(column), select(a, 0, t) * before + select(p.b, 0, t), before);
    all[static_cast<std::size_t>(t)] = h;
  }
  return stack(all);
}

/// Whole batches of options, in shapes small enough for a plain loop.
Problem problem(std::uint64_t seed, Tape* tape = nullptr) {
  Generator draw(seed);
  const auto pick = [&](Index count) {
    return static_cast<Index>(draw.below(static_cast<std::uint64_t>(count)));
  };
  const Index steps = 1 + pick(6);
  const Index batch = 1 + pick(4);
  Shape shape{steps, batch};
  if (pick(3) != 0) shape.push_back(1 + pick(70));
  if (pick(4) == 0) shape.push_back(1 + pick(3));
  Shape coefficients = shape;
  if (pick(4) == 0) coefficients[static_cast<int>(pick(2))] = 1;
  const auto leaf = [&](const Shape& of, std::uint64_t stream) {
    const Tensor value = random(of, 10 * seed + stream, -1.2, 1.2);
    return tape && pick(5) != 0 ? tape->watch(value) : Variable(value);
  };
  Problem p{leaf(coefficients, 0), leaf(shape, 1), {.reverse = pick(2) == 0}};
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
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Tape tape;
    const Problem p = problem(seed, &tape);
    const Variable scanned = linear_scan(p.a, p.b, p.options);
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
  CHECK(differentiated > 200);
}

TEST_CASE("a stream cut anywhere gives the bits of the whole") {
  const Tensor a = random({9, 2, 5}, 1);
  const Tensor b = random({9, 2, 5}, 2);
  const Tensor whole = linear_scan(a, b).value();
  for (Index cut = 0; cut <= 9; ++cut) {
    CAPTURE(cut);
    const Variable head = linear_scan(a.slice(0, 0, cut), b.slice(0, 0, cut));
    const Variable start = cut == 0 ? Variable() : select(head, 0, cut - 1);
    const Variable tail = linear_scan(a.slice(0, cut, 9), b.slice(0, cut, 9), {.start = start});
    CHECK(concat({head, tail}, 0).value().to_vector<double>() == whole.to_vector<double>());
  }
}

TEST_CASE("threads and blocks of columns change no bit, in either dtype") {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor a = random({40, 3, 1500}, 3).to(dtype);
    const Tensor b = random({40, 3, 1500}, 4).to(dtype);
    const Tensor resets = ge(random({40, 3}, 5), 0.8);
    const auto run = [&](int count) {
      const WithThreads with(count);
      Tape tape;
      const Variable x = tape.watch(a);
      const Variable y = tape.watch(b);
      const Variable h = linear_scan(x, y, {.resets = resets});
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
  Tape tape;
  const Variable a = tape.watch(Tensor::of<double>({3, 2}, {0.5, 2, 0.5, nan, 0.5, nan}));
  const Variable b = tape.watch(Tensor::of<double>({3, 2}, {nan, 1, 1, nan, 1, nan}));
  const Variable h = linear_scan(
      a, b, {.lengths = {3, 1}, .resets = Tensor::of<double>({3, 2}, {0, 0, 1, 0, 0, 0})});
  const Variable seen = slice(h, 0, 1, 3);
  expect_values(seen.value(), {1, 1, 1.5, 1});
  const Gradients g = tape.gradients(sum(seen));
  expect_values(g[a].value(), {0, 0, 0, 0, 1, 0});
  expect_values(g[b].value(), {0, 2, 1.5, 0, 1, 0});
}

TEST_CASE("no steps are a scan too, and a sequence may have none") {
  Tape tape;
  const Variable a = tape.watch(zeros({0, 2, 3}, Dtype::float64));
  const Variable start = tape.watch(random({2, 3}, 6));
  const Variable none = linear_scan(a, zeros({0, 2, 3}, Dtype::float64), {.start = start});
  CHECK(none.shape() == Shape{0, 2, 3});
  CHECK(tape.gradients(sum(none))[a].shape() == Shape{0, 2, 3});

  const Tensor x = random({2, 2, 3}, 7);
  const Variable h = linear_scan(x, x, {.start = start, .lengths = {0, 2}});
  expect_close(select(select(h, 0, 1), 0, 0).value(), start.value().select(0, 0), 0.0);
}

TEST_CASE("a scan is one operation, however long") {
  Tape tape;
  const Variable a = tape.watch(random({1000, 2, 3}, 8));
  static_cast<void>(linear_scan(a, random({1000, 2, 3}, 9)));
  CHECK(tape.statistics().operations == 1);
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

}  // namespace unroll::testing
