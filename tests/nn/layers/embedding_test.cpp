#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

Tensor indices(const Shape& shape, const std::vector<std::int64_t>& values) {
  return Tensor::of(shape, values);
}

}  // namespace

TEST_CASE("Embedding puts a row of its table at every index") {
  nn::Embedding embedding(4, 2);
  Parameter table = embedding.weight();
  table.set(Tensor::of({4, 2}, {0.0, 0.5, 10.0, 10.5, 20.0, 20.5, 30.0, 30.5}));
  const Variable y = embedding(indices({2, 2}, {3, 0, 1, 3}));
  CHECK(y.shape() == Shape{2, 2, 2});
  expect_values(y.value(), {30.0, 30.5, 0.0, 0.5, 10.0, 10.5, 30.0, 30.5});
}

TEST_CASE("the gradient of an Embedding stays a list of rows, and repeated rows add up") {
  nn::Embedding embedding(1000, 2);
  Tape tape;
  const Variable y = embedding(indices({3}, {7, 999, 7}));
  const Variable weights(Tensor::of({3, 2}, {1.0F, 2.0F, 4.0F, 8.0F, 16.0F, 32.0F}));
  const Gradients gradients = tape.gradients(sum(y * weights));
  REQUIRE(gradients.parameters().size() == 1);
  const ParameterGradient& gradient = gradients.parameters()[0];
  CHECK_FALSE(gradient.dense.defined());
  REQUIRE(gradient.rows.size() == 1);
  CHECK(gradient.rows[0].values.shape() == Shape{3, 2});

  const Tensor dense = gradient.to_dense();
  CHECK(dense.shape() == Shape{1000, 2});
  expect_values(dense.select(0, 7), {17.0, 34.0});
  expect_values(dense.select(0, 999), {4.0, 8.0});
  CHECK(sum(abs(dense)).item() == 63.0);
}

TEST_CASE("an Embedding that is also used as a matrix gets one dense gradient") {
  nn::Embedding embedding(3, 2);
  embedding.to(Dtype::float64);
  Tape tape;
  const Variable looked_up = embedding(indices({2}, {1, 1}));
  const Gradients gradients =
      tape.gradients(sum(looked_up) + sum(Variable(embedding.weight()) * 10.0));
  expect_values(gradients[embedding.weight()].value(), {10.0, 10.0, 12.0, 12.0, 10.0, 10.0});
}

TEST_CASE("the gradients of Embedding agree with finite differences") {
  nn::Embedding embedding(5, 3);
  const auto report = nn::gradcheck(embedding,
                                    [&](std::span<const Variable> x) {
                                      return embedding(indices({4}, {2, 0, 2, 4})) * x[0];
                                    },
                                    {random({4, 3}, 1)});
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked == 4 * 3 + 5 * 3);
}

TEST_CASE("Embedding starts standard normal") {
  seed(2);
  const Tensor table = nn::Embedding(1000, 50).weight().value().to(Dtype::float64);
  const double average = mean(table).item();
  CHECK(std::abs(average) < 0.02);  // 4.5 standard errors of 50,000 numbers
  CHECK(mean(square(table)).item() == doctest::Approx(1.0).epsilon(0.03));
}

TEST_CASE("Embedding refuses indices outside its table, and says which") {
  const nn::Embedding embedding(4, 2);
  expect_error<ArgumentError>(
      [&] {
        embedding(indices({3}, {0, 4, 1}));
      },
      {"embedding", "[3]", "holds 4", "position 1", "0..3"});
  expect_error<ArgumentError>([&] { embedding(indices({1}, {-1})); }, {"holds -1", "0..3"});
  expect_error<DtypeError>([&] { embedding(zeros({3})); }, {"embedding", "int64", "float32"});
  expect_error<DtypeError>([&] { embedding(Tensor()); }, {"embedding", "int64"});
}

TEST_CASE("Embedding refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::Embedding(0, 2); }, {"embedding", "0"});
  expect_error<ArgumentError>([] { nn::Embedding(-3, 2); }, {"embedding", "-3"});
  expect_error<ArgumentError>([] { nn::Embedding(3, 0); }, {"embedding", "0"});
}
