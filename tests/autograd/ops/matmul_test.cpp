#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// a b for matrices, against the definition, in both precisions.
void expect_product(const Tensor& a, const Tensor& b) {
  const auto expected =
      product(a.to_vector<double>(), b.to_vector<double>(), a.size(0), a.size(1), b.size(1));
  CAPTURE(to_string(a.shape()));
  CAPTURE(to_string(b.shape()));
  CAPTURE(to_string(a.strides()));
  CAPTURE(to_string(b.strides()));
  const Variable wide = matmul(a, b);
  CHECK(wide.shape() == Shape{a.size(0), b.size(1)});
  expect_values(wide.value(), expected, 1e-12);

  const Variable narrow = matmul(a.to(Dtype::float32), b.to(Dtype::float32));
  CHECK(narrow.dtype() == Dtype::float32);
  expect_values(narrow.value(), expected, 1e-5);
}

}  // namespace

TEST_CASE("a product of matrices of any size agrees with the definition") {
  for (Index m : {1, 2, 5, 6, 7, 13})
    for (Index k : {1, 3, 16, 40})
      for (Index n : {1, 4, 15, 16, 17, 33}) expect_product(random({m, k}, 1), random({k, n}, 2));
}

TEST_CASE("larger products agree with the definition too") {
  expect_product(random({64, 128}, 1), random({128, 100}, 2));
  expect_product(random({100, 300}, 3), random({300, 48}, 4));
  expect_product(random({1, 300}, 5), random({300, 200}, 6));
}

TEST_CASE("operands may be transposed, sliced, stepped through or expanded") {
  for (Dtype dtype : {Dtype::float64, Dtype::float32}) {
    const Tensor base = random({24, 30}, 1).to(dtype);
    const std::array left{base.slice(0, 0, 6).slice(1, 0, 8),
                          base.transpose(0, 1).slice(0, 3, 9).slice(1, 2, 10),
                          base.slice(0, 0, 24, 4).slice(1, 0, 24, 3),
                          base.slice(0, 1, 2).slice(1, 2, 10),
                          base.slice(0, 3, 11).transpose(0, 1).slice(0, 7, 8),
                          base.slice(0, 5, 6).slice(1, 0, 8).broadcast_to({6, 8}),
                          base.slice(1, 5, 6).slice(0, 0, 6).broadcast_to({6, 8})};
    const std::array right{base.slice(0, 8, 16).slice(1, 3, 20),
                           base.transpose(0, 1).slice(0, 10, 18).slice(1, 0, 17),
                           base.slice(0, 0, 16, 2).slice(1, 0, 30, 5),
                           base.slice(0, 0, 8).slice(1, 4, 5),
                           base.slice(0, 2, 3).transpose(0, 1).slice(0, 0, 8),
                           base.slice(0, 5, 6).slice(1, 0, 9).broadcast_to({8, 9}),
                           base.slice(1, 5, 6).slice(0, 0, 8).broadcast_to({8, 9})};
    for (const Tensor& a : left)
      for (const Tensor& b : right) {
        CAPTURE(to_string(a.strides()));
        CAPTURE(to_string(b.strides()));
        expect_values(
            matmul(a, b).value(),
            product(a.to_vector<double>(), b.to_vector<double>(), a.size(0), 8, b.size(1)),
            dtype == Dtype::float32 ? 1e-5 : 1e-12);
      }
  }
}

TEST_CASE("a product over no elements is zero, and one with no rows is empty") {
  expect_values(matmul(zeros({2, 0}), zeros({0, 3})).value(), std::vector<double>(6, 0.0));
  CHECK(matmul(zeros({0, 4}), zeros({4, 3})).shape() == Shape{0, 3});
  CHECK(matmul(zeros({2, 4}), zeros({4, 0})).shape() == Shape{2, 0});
  CHECK(matmul(zeros({2, 0, 4}), zeros({4, 3})).shape() == Shape{2, 0, 3});
  CHECK(linear(zeros({0, 4}), zeros({3, 4}), zeros({3})).shape() == Shape{0, 3});
  expect_values(matmul(zeros({2, 1, 0}), zeros({0, 3})).value(), std::vector<double>(6, 0.0));
  expect_values(linear(zeros({2, 1, 0}), zeros({3, 0}), ones({3})).value(),
                std::vector<double>(6, 1.0));
  CHECK(linear(zeros({2, 3, 4}), zeros({0, 4})).shape() == Shape{2, 3, 0});
  Tape tape;
  const Variable weight = tape.watch(zeros({3, 0}));
  CHECK(tape.gradients(sum(linear(zeros({2, 1, 0}), weight)))[weight].shape() == Shape{3, 0});
}

TEST_CASE("batches of products multiply position by position, and broadcast") {
  const Tensor a = random({2, 1, 3, 4}, 1);
  const Tensor b = random({5, 4, 2}, 2);
  const Tensor y = matmul(a, b).value();
  CHECK(y.shape() == Shape{2, 5, 3, 2});
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 5; ++j)
      expect_values(y.select(0, i).select(0, j),
                    product(a.select(0, i).select(0, 0).to_vector<double>(),
                            b.select(0, j).to_vector<double>(), 3, 4, 2));
}

TEST_CASE("one matrix multiplies every row of a tensor") {
  const Tensor a = random({2, 3, 4}, 1);
  const Tensor w = random({4, 5}, 2);
  const Tensor y = matmul(a, w).value();
  CHECK(y.shape() == Shape{2, 3, 5});
  expect_values(y, product(a.to_vector<double>(), w.to_vector<double>(), 6, 4, 5));
}

TEST_CASE("linear is x W^T + b, over any number of leading axes") {
  const Tensor weight = random({5, 4}, 1);
  const Tensor bias = random({5}, 2);
  for (const Shape& shape : {Shape{4}, Shape{3, 4}, Shape{2, 3, 4}, Shape{2, 1, 3, 4}}) {
    const Tensor x = random(shape, 3);
    const Index rows = x.size() / 4;
    auto expected =
        product(x.to_vector<double>(), weight.transpose(0, 1).to_vector<double>(), rows, 4, 5);
    Shape wanted = shape;
    wanted[shape.rank() - 1] = 5;
    const Variable plain = linear(x, weight);
    CHECK(plain.shape() == wanted);
    expect_values(plain.value(), expected);
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] += bias.at({static_cast<Index>(i % 5)});
    expect_values(linear(x, weight, bias).value(), expected);
  }
}

TEST_CASE("linear takes x and weight as views") {
  const Tensor x = random({4, 3, 2}, 1).permute(std::array{2, 1, 0});
  const Tensor weight = random({4, 5}, 2).transpose(0, 1);
  expect_values(
      linear(x, weight).value(),
      product(x.to_vector<double>(), weight.transpose(0, 1).to_vector<double>(), 6, 4, 5));
}

TEST_CASE("a not-a-number in an operand reaches every product it takes part in") {
  Tensor a = ones({2, 3}, Dtype::float64);
  a.mutable_data<double>()[1] = std::nan("");
  const Tensor y = matmul(a, ones({3, 2}, Dtype::float64)).value();
  CHECK(std::isnan(y.at({0, 0})));
  CHECK(std::isnan(y.at({0, 1})));
  CHECK(y.at({1, 0}) == 3.0);
}

}  // namespace unroll::testing
