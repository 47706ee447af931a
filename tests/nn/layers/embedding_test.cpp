#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

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

TEST_CASE("the row of the padding index is zero at first and gets no gradient") {
  nn::Embedding embedding(5, 3, {.padding_index = 2});
  expect_values(embedding.weight().value().select(0, 2), {0.0, 0.0, 0.0});
  CHECK(sum(square(embedding.weight().value().select(0, 1))).item() > 0.0);
  Tape tape;
  const Variable y = embedding(indices({2, 3}, {1, 2, 2, 4, 1, 2}));
  const Gradients gradients = tape.gradients(sum(square(y + 1.0)));
  REQUIRE(gradients.parameters().size() == 1);
  const ParameterGradient& gradient = gradients.parameters()[0];
  CHECK_FALSE(gradient.dense.defined());
  REQUIRE(gradient.rows.size() == 1);
  CHECK(gradient.rows[0].indices.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 4, 1});
  const Tensor dense = gradient.to_dense();
  for (Index row : {0, 2, 3}) CHECK(sum(abs(dense.select(0, row))).item() == 0.0);
  const Variable table = embedding.weight();
  expect_close(dense.select(0, 1), (4.0 * (select(table, 0, 1) + 1.0)).value(), 1e-6);
}

TEST_CASE("an Embedding with a padding index looks up like one without") {
  const nn::Embedding padded(6, 2, {.padding_index = 0});
  const Tensor at = indices({2, 2}, {3, 0, 5, 3});
  expect_close(padded(at).value(), embedding(padded.weight(), at).value(), 0.0);
  const Tensor strided = indices({2, 2}, {3, 0, 5, 3}).transpose(0, 1);
  expect_close(padded(strided).value(), embedding(padded.weight(), strided).value(), 0.0);
}

TEST_CASE("the padding row stays zero in training") {
  nn::Embedding embedding(4, 3, {.padding_index = 3});
  nn::Adam optimizer(embedding.parameters(), {.learning_rate = 0.1});
  const Tensor before = embedding.weight().value().clone();
  for (int k = 0; k < 5; ++k) {
    Tape tape;
    optimizer.step(tape.gradients(sum(square(embedding(indices({3}, {3, 0, 3})) - 2.0))));
  }
  expect_values(embedding.weight().value().select(0, 3), {0.0, 0.0, 0.0});
  CHECK_FALSE(embedding.weight().value().select(0, 0).to_vector<float>() ==
              before.select(0, 0).to_vector<float>());
}

TEST_CASE("a batch of padding alone has a zero gradient") {
  const nn::Embedding embedding(4, 3, {.padding_index = 1});
  Tape tape;
  const Gradients gradients = tape.gradients(sum(embedding(indices({2}, {1, 1}))));
  expect_close(gradients[embedding.weight()].value(), zeros({4, 3}), 0.0);
}

TEST_CASE("the gradients of both orders of an Embedding with padding are right") {
  const nn::Embedding embedding(5, 3, {.padding_index = 0});
  const auto report = nn::gradcheck(embedding,
                                    [&](std::span<const Variable> x) {
                                      const Tensor at = indices({4}, {2, 4, 2, 1});
                                      return tanh(embedding(at) * x[0]);
                                    },
                                    {random({4, 3}, 1)});
  CHECK_MESSAGE(report.passed, report.to_string());

  nn::Embedding wide(3, 2, {.padding_index = 0});
  wide.to(Dtype::float64);
  Tape tape;
  const Variable loss = sum(pow(wide(indices({3}, {0, 1, 1})), 3.0));
  const Variable first = tape.gradients(loss, {.differentiable = true})[wide.weight()];
  const Variable second = tape.gradients(sum(first))[wide.weight()];
  const Variable row = select(wide.weight(), 0, 1);
  expect_close(second.value().select(0, 1), (12.0 * row).value());
  expect_values(second.value().select(0, 0), {0.0, 0.0});
}

TEST_CASE("max_norm scales the rows that are looked up, and only those that are longer") {
  nn::Embedding embedding(4, 2, {.max_norm = 5.0});
  Parameter table = embedding.weight();
  table.set(Tensor::of({4, 2}, {6.0, 8.0, 3.0, 4.0, 30.0, 40.0, 0.3, 0.4}));
  const Variable y = embedding(indices({4}, {0, 1, 0, 3}));
  expect_values(y.value(), {3.0, 4.0, 3.0, 4.0, 3.0, 4.0, 0.3, 0.4});
  expect_values(table.value(), {3.0, 4.0, 3.0, 4.0, 30.0, 40.0, 0.3, 0.4});
}

TEST_CASE("max_norm is not part of the derivative, and leaves what a tape has saved alone") {
  nn::Embedding embedding(2, 2, {.max_norm = 1.0});
  Parameter table = embedding.weight();
  table.set(Tensor::of({2, 2}, {3.0, 4.0, 0.0, 0.5}));
  Tape tape;
  const Variable before = sum(square(Variable(table)));  // has saved the long row
  const Variable y = embedding(indices({1}, {0}));
  const Gradients gradients = tape.gradients(before + sum(y * 10.0));
  expect_values(gradients[table].value(), {6.0 + 10.0, 8.0 + 10.0, 0.0, 1.0});
  expect_values(y.value(), {0.6, 0.8});
}

TEST_CASE("max_norm leaves a row alone once it is scaled, in float32 too") {
  seed(3);
  for (const double limit : {0.01, 1.0, 1.7, 100.0}) {
    const nn::Embedding embedding(1000, 7, {.max_norm = limit});
    Parameter table = embedding.weight();
    table.set((Variable(table.value()) * (10.0 * limit)).value());
    const Tensor all = arange(1000);
    const auto once = embedding(all).value().to_vector<float>();
    CHECK(embedding(all).value().to_vector<float>() == once);
    const Variable lengths = norm(table.value().to(Dtype::float64), {1});
    CHECK(max(lengths).item() <= limit * (1.0 + 1e-6));
    CHECK(mean(lengths).item() > 0.99 * limit);
  }
}

TEST_CASE("max_norm changes no table where no row is longer") {
  const nn::Embedding embedding(4, 2, {.max_norm = 1e6});
  const Tensor before = embedding.weight().value();
  embedding(indices({2}, {0, 1}));
  CHECK(embedding.weight().value().shares_buffer(before));
}

TEST_CASE("max_norm writes in place when nobody else refers to the table") {
  nn::Embedding embedding(100, 2, {.max_norm = 0.5});
  Parameter table = embedding.weight();
  table.set(full({100, 2}, 3.0));
  const void* address = table.value().address();
  embedding(indices({2}, {0, 99}));
  CHECK(table.value().address() == address);
  CHECK(table.value().at({99, 0}) == doctest::Approx(std::sqrt(0.125)));
  CHECK(table.value().at({1, 0}) == 3.0);
}

TEST_CASE("Embedding refuses options without a meaning, and still indices outside its table") {
  expect_error<ArgumentError>([] { nn::Embedding(3, 2, {.padding_index = 3}); },
                              {"embedding", "padding index", "0..2", "3"});
  expect_error<ArgumentError>([] { nn::Embedding(3, 2, {.padding_index = -1}); },
                              {"padding index", "-1"});
  for (const double norm : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    expect_error<ArgumentError>([&] { nn::Embedding(3, 2, {.max_norm = norm}); },
                                {"embedding", "maximal norm", std::to_string(norm)});
  const nn::Embedding embedding(4, 2, {.padding_index = 0, .max_norm = 1.0});
  expect_error<ArgumentError>([&] { embedding(indices({1}, {4})); }, {"embedding", "holds 4"});
  expect_error<DtypeError>([&] { embedding(zeros({3})); }, {"embedding", "int64", "float32"});
  expect_error<DtypeError>([&] { embedding(Tensor()); }, {"embedding", "int64"});
}
