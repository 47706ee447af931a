// The operation; tests/nn/layers/dropout_test.cpp has the module, and with it the statistics.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("dropout draws the same numbers for any number of threads") {
  const int before = threads();
  const Tensor x = ones({700, 301});
  std::vector<std::vector<float>> results;
  for (int count : {1, 2, 3}) {
    set_threads(count);
    Generator generator(1);
    generator.set_position(5);
    results.push_back(dropout(x, 0.3, generator).value().to_vector<float>());
    CHECK(generator.position() == 5 + (700 * 301 + 3) / 4);
  }
  set_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("dropout saves no mask, and draws it again at every backward pass") {
  Tape tape;
  const Variable x = tape.watch(ones({64, 64}, Dtype::float64));
  Generator generator(2);
  const Index before = bytes_in_use();
  Variable y = dropout(x, 0.5, generator);
  const std::vector<double> factors = y.value().to_vector<double>();
  const Variable total = sum(y);
  y = Variable();
  CHECK(bytes_in_use() - before < 64 * 64 * 8);
  const auto position = generator.position();
  CHECK(tape.gradients(total, {.retain = true})[x].value().to_vector<double>() == factors);
  CHECK(tape.gradients(total)[x].value().to_vector<double>() == factors);
  CHECK(generator.position() == position);
}

TEST_CASE("dropout passes a NaN on, and takes views") {
  Generator a(3);
  Generator b(3);
  const Tensor x = random({3, 4}, 4);
  expect_close(dropout(x.transpose(0, 1), 0.5, a).value(),
               dropout(x.transpose(0, 1).contiguous(), 0.5, b).value());
  for (double value : dropout(full({50}, std::nan("")), 0.5, a).value().to_vector<double>())
    CHECK(std::isnan(value));
}

TEST_CASE("rate 1 leaves nothing, and no gradient") {
  Tape tape;
  Generator generator(1);
  const Variable x = tape.watch(random({7}, 1));
  const Variable y = dropout(x, 1.0, generator);
  expect_values(y.value(), std::vector<double>(7, 0.0));
  expect_values(tape.gradients(sum(y))[x].value(), std::vector<double>(7, 0.0));
}

TEST_CASE("dropout names what it refuses") {
  for (double rate : {-0.1, 1.1, std::nan("")})
    expect_error<ArgumentError>([&] { dropout(ones({2}), rate); }, {"dropout", "[0, 1]"});
  expect_error<DtypeError>([] { dropout(arange(3), 0.5); }, {"dropout", "int64 [3]"});
  expect_error<DtypeError>([] { dropout(Variable(), 0.0); }, {"dropout", "undefined"});
}

}  // namespace unroll::testing
