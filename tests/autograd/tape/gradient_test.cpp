#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// An operation whose derivative adds to x the terms that `vjp(gradient, pass)` adds.
template <class Vjp>
Variable with_terms(const Variable& /*x*/, Vjp vjp) {
  return record("with_terms", full({}, 1.0, Dtype::float64), vjp);
}

Tensor gradient_of(Tape& tape, const Variable& x, const Variable& loss) {
  return tape.gradients(loss)[x].value();
}

Tensor rows(std::initializer_list<std::int64_t> indices) {
  return Tensor::of<std::int64_t>({static_cast<Index>(indices.size())}, indices);
}

}  // namespace

TEST_CASE("dense terms add up") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3}, 1));
  const Tensor a = random({2, 3}, 2);
  const Tensor b = random({2, 3}, 3);
  const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
    pass.add(x, a);
    pass.add(x, b);
    pass.add(x, a);
  });
  expect_close(gradient_of(tape, x, loss), (Variable(a) * 2.0 + Variable(b)).value());
}

TEST_CASE("adding up never changes a term that somebody else still sees") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3}, 1));
  const Tensor a = ones({2, 3}, Dtype::float64);
  const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
    pass.add(x, a);
    pass.add(x, a);
    pass.add_region(x, {0, 0, 1, 1}, Variable(ones({1, 3}, Dtype::float64)));
    pass.add_rows(x, rows({1}), Variable(ones({1, 3}, Dtype::float64)));
  });
  expect_values(gradient_of(tape, x, loss), {3, 3, 3, 3, 3, 3});
  expect_close(a, ones({2, 3}, Dtype::float64));
}

TEST_CASE("a term of a expanded shape is summed back") {
  Tape tape;
  const Variable x = tape.watch(random({3, 1}, 1));
  const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
    pass.add(x, Variable(ones({2, 3, 4}, Dtype::float64)));
    pass.add(x, Variable(ones({3, 4}, Dtype::float64)));
  });
  expect_values(gradient_of(tape, x, loss), {12, 12, 12});
}

TEST_CASE("regions add up where they lie, steps and overlaps included") {
  Tape tape;
  const Variable x = tape.watch(random({2, 5}, 1));
  const auto ones_of = [](const Shape& shape) { return Variable(ones(shape, Dtype::float64)); };
  const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
    pass.add_region(x, {1, 0, 3, 1}, ones_of({2, 3}));
    pass.add_region(x, {1, 1, 5, 2}, ones_of({2, 2}));
    pass.add_region(x, {0, 1, 2, 1}, ones_of({1, 5}));
  });
  expect_values(gradient_of(tape, x, loss), {1, 2, 1, 1, 0, 2, 3, 2, 2, 1});
}

TEST_CASE("rows that occur several times add up") {
  Tape tape;
  const Variable x = tape.watch(zeros({4, 2}, Dtype::float64));
  const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
    pass.add_rows(x, rows({2, 0, 2}), Variable(Tensor::of<double>({3, 2}, {1, 2, 3, 4, 5, 6})));
    pass.add_rows(x, rows({2}), Variable(Tensor::of<double>({1, 2}, {10, 20})));
  });
  expect_values(gradient_of(tape, x, loss), {3, 4, 0, 0, 16, 28, 0, 0});
}

TEST_CASE("products of unequal lengths add up to the sum of their products") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    Tape tape;
    const Variable x = tape.watch(zeros({3, 4}, dtype));
    std::vector<std::pair<Tensor, Tensor>> pairs;
    for (Index k : {1, 7, 300, 1, 20, 256, 0})
      pairs.emplace_back(random({k, 3}, 10 + static_cast<std::uint64_t>(k)).to(dtype),
                         random({k, 4}, 20 + static_cast<std::uint64_t>(k)).to(dtype));
    const Variable y =
        record("pairs", full({}, 1.0, dtype), [=](const Variable&, BackwardPass& pass) {
          for (const auto& [a, b] : pairs) pass.add_product(x, a, b);
        });
    std::vector<double> expected(12, 0.0);
    for (const auto& [a, b] : pairs) {
      const auto term =
          product(a.transpose(0, 1).to_vector<double>(), b.to_vector<double>(), 3, a.size(0), 4);
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += term[i];
    }
    expect_values(gradient_of(tape, x, y), expected, dtype == Dtype::float32 ? 1e-5 : 1e-12);
  }
}

TEST_CASE("terms of all four kinds add up, in whatever order they come") {
  const Tensor dense = random({3, 4}, 1);
  const Tensor region = random({3, 2}, 2);
  const Tensor values = random({2, 4}, 3);
  const Tensor a = random({5, 3}, 4);
  const Tensor b = random({5, 4}, 5);
  std::vector<double> expected = dense.to_vector<double>();
  const auto ab = product(a.transpose(0, 1).to_vector<double>(), b.to_vector<double>(), 3, 5, 4);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 4; ++j) {
      double& e = expected[static_cast<std::size_t>(i * 4 + j)];
      e += ab[static_cast<std::size_t>(i * 4 + j)];
      if (j == 1 || j == 2) e += region.at({i, j - 1});
      if (i == 2) e += values.at({0, j}) + values.at({1, j});
    }

  std::array order{0, 1, 2, 3};
  do {
    Tape tape;
    const Variable x = tape.watch(zeros({3, 4}, Dtype::float64));
    const Variable loss = with_terms(x, [=](const Variable&, BackwardPass& pass) {
      for (int kind : order) {
        if (kind == 0) pass.add(x, dense);
        if (kind == 1) pass.add_region(x, {1, 1, 3, 1}, region);
        if (kind == 2) pass.add_rows(x, rows({2, 2}), values);
        if (kind == 3) pass.add_product(x, a, b);
      }
    });
    expect_values(gradient_of(tape, x, loss), expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("terms for constants are dropped, and vjps can skip their work") {
  Tape tape;
  const Variable x = tape.watch(random({3}, 1));
  const Variable c = random({3}, 2);
  bool wants_x = false;
  bool wants_c = true;
  const Variable loss = record("half", full({}, 1.0, Dtype::float64),
                               [=, &wants_x, &wants_c](const Variable&, BackwardPass& pass) {
                                 wants_x = pass.wants(x);
                                 wants_c = pass.wants(c);
                                 pass.add(c, c);
                                 pass.add_region(c, {0, 0, 1, 1}, c);
                               });
  expect_values(gradient_of(tape, x, loss), {0, 0, 0});
  CHECK(wants_x);
  CHECK_FALSE(wants_c);
}

TEST_CASE("the gradient of an embedding that was only looked up stays rows") {
  const Parameter table("table", random({100, 3}, 1));
  Tape tape;
  const Variable y = embedding(table, rows({7, 3, 7})) * 2.0;
  Gradients gradients = tape.gradients(sum(y));
  ParameterGradient& gradient = gradients.parameters()[0];
  CHECK_FALSE(gradient.dense.defined());
  REQUIRE(gradient.rows.size() == 1);
  expect_values(gradient.rows[0].indices, {7, 3, 7});
  expect_values(gradient.rows[0].values.value(), std::vector<double>(9, 2.0));
  gradient.scale(0.5);
  CHECK(gradient.rows.size() == 1);
  const Tensor dense = gradient.to_dense();
  CHECK(dense.at({7, 1}) == 2.0);
  CHECK(dense.at({3, 2}) == 1.0);
  CHECK(dense.at({0, 0}) == 0.0);
  expect_close(gradients[table].value(), dense);
}

TEST_CASE("an embedding that is also used as a matrix has a dense gradient, rows added in") {
  const Parameter table("table", random({4, 2}, 1));
  Tape tape;
  const Variable looked_up = sum(embedding(table, rows({1, 1})));
  const Variable h = random({3, 4}, 2);
  const Variable loss = looked_up + sum(matmul(h, table));
  const Gradients gradients = tape.gradients(loss);
  CHECK(gradients.parameters()[0].dense.defined());
  CHECK(gradients.parameters()[0].rows.empty());
  const std::vector<double> columns = sum(h, {0}).value().to_vector<double>();
  std::vector<double> expected;
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 2; ++j)
      expected.push_back(columns[static_cast<std::size_t>(i)] + (i == 1 ? 2.0 : 0.0));
  expect_values(gradients[table].value(), expected);
}

TEST_CASE("scaling a dense gradient multiplies every element") {
  const Parameter w("w", random({3}, 1));
  Tape tape;
  Gradients gradients = tape.gradients(sum(Variable(w) * 4.0));
  gradients.parameters()[0].scale(0.25);
  expect_values(gradients[w].value(), {1, 1, 1});
}

TEST_CASE("an embedding's gradient costs the rows looked up, not the table") {
  const Parameter table("table", zeros({100'000, 8}));
  Tape tape;
  const Variable loss = sum(embedding(table, rows({5, 9})));
  const std::uint64_t before = memory::statistics().bytes_requested;
  const Gradients gradients = tape.gradients(loss);
  CHECK(gradients.parameters()[0].rows.size() == 1);
  CHECK(memory::statistics().bytes_requested - before < 10'000);
}

TEST_CASE("a slice's gradient costs the size of the slice, not of the tensor") {
  const auto bytes_for = [](Index slices) {
    Tape tape;
    const Variable x = tape.watch(zeros({1000, 100}));
    Variable loss = zeros({});
    for (Index t = 0; t < slices; ++t) loss = loss + sum(select(x, 0, t));
    const std::uint64_t before = memory::statistics().bytes_requested;
    static_cast<void>(tape.gradients(loss));
    return memory::statistics().bytes_requested - before;
  };
  const std::uint64_t whole = bytes_for(1);
  CHECK(whole >= 400'000);
  CHECK(bytes_for(101) - whole < 100 * 4 * 1000);  // a thousand bytes a slice, not 400 000
}

TEST_CASE("the gradient of a weight used T times costs the rows, not T times the weight") {
  constexpr Index kSize = 64;
  const Parameter w("w", random({kSize, kSize}, 1));
  const auto bytes_for = [&](int uses) {
    Tape tape;
    Variable loss = zeros({}, Dtype::float64);
    const Variable x = random({1, kSize}, 2);
    for (int t = 0; t < uses; ++t) loss = loss + sum(matmul(x, w));
    const std::uint64_t before = memory::statistics().bytes_requested;
    static_cast<void>(tape.gradients(loss));
    return memory::statistics().bytes_requested - before;
  };
  const std::uint64_t use = (bytes_for(110) - bytes_for(10)) / 100;
  CHECK(use < kSize * kSize * sizeof(double) / 4);  // each product alone would make a matrix
}

TEST_CASE("the memory of pending products is bounded, and the bound changes no gradient") {
  constexpr int kUses = 3600;  // of 160 kB: more than twice the bound
  const Tensor a = random({200, 100}, 2).to(Dtype::float32);
  Tape tape;
  const Variable x = tape.watch(zeros({100, 100}));
  const Variable loss = record("many", full({}, 1.0), [=](const Variable&, BackwardPass& pass) {
    for (int k = 0; k < kUses; ++k) pass.add_product(x, a, a);
  });
  const Index before = bytes_in_use();
  memory::reset_peak();
  const Tensor total = gradient_of(tape, x, loss);
  CHECK(static_cast<Index>(memory::statistics().peak_bytes) - before < Index{400} << 20);
  memory::release_cached();
  const auto once =
      product(a.transpose(0, 1).to_vector<double>(), a.to_vector<double>(), 100, 200, 100);
  for (Index i : {0, 37, 99})
    for (Index j : {0, 50, 99})
      CHECK(total.at({i, j}) / kUses ==
            doctest::Approx(once[static_cast<std::size_t>(i * 100 + j)]).epsilon(1e-3));
}

}  // namespace unroll::testing
