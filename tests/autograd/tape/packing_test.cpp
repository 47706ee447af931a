#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/packed.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
TEST_CASE(
    "a packed matrix multiplies as the definition says, for sizes beside those of its tiles") {
  for (Index inner : {1, 15, 16, 255, 257, 300})
    for (Index columns : {1, 8, 15, 16, 17, 31, 33, 65, 200}) {
      const Tensor b = narrow({inner, columns}, 1);
      const kernels::PackedMatrix packed(b);
      const kernels::PackedMatrix of_a_view(b.transpose(0, 1).clone().transpose(0, 1));
      for (Index rows : {1, 4, 7, 12, 13, 25}) {
        const Tensor a = narrow({rows, inner}, 2);
        const auto expected = product(a, b);
        CAPTURE(inner);
        CAPTURE(columns);
        CAPTURE(rows);
        Tensor c = full({rows, columns}, std::nan(""));  // what it held is ignored
        packed.multiply(a, {}, c);
        expect_values(c, expected, 1e-5);
        Tensor d = Tensor::empty({rows, columns}, Dtype::float32);
        of_a_view.multiply(a, {}, d);
        expect_close(d, c, 0.0);
      }
    }
}

TEST_CASE("a packed matrix multiplies rows and inner axes longer than its blocks") {
  const Tensor b = narrow({1030, 40}, 1);
  const kernels::PackedMatrix packed(b);
  const Tensor a = narrow({250, 1030}, 2);
  Tensor c = Tensor::empty({250, 40}, Dtype::float32);
  packed.multiply(a, {}, c);
  expect_values(c, product(a, b), 1e-4);
}

TEST_CASE("the left operand of a packed product may lie by columns, or in rows far apart") {
  const Tensor b = narrow({70, 50}, 1);
  const kernels::PackedMatrix packed(b);
  for (Index rows : {1, 9, 250}) {
    CAPTURE(rows);
    Tensor c = Tensor::empty({rows, 50}, Dtype::float32);
    const Tensor by_columns = narrow({70, rows}, 2).transpose(0, 1);
    packed.multiply(by_columns, {}, c);
    expect_values(c, product(by_columns, b), 1e-5);
    // The distance at which rows take each other's place in a cache.
    const Tensor apart = narrow({rows, 1024}, 3).slice(1, 5, 75);
    packed.multiply(apart, {}, c);
    expect_values(c, product(apart, b), 1e-5);
  }
}

TEST_CASE("a packed product starts from another tensor, whose rows may all be one") {
  const Tensor b = narrow({30, 150}, 1);
  const kernels::PackedMatrix packed(b);
  for (Index rows : {1, 7}) {
    const Tensor a = narrow({rows, 30}, 2);
    for (const Tensor& start :
         {narrow({rows, 150}, 3), narrow({150}, 4).broadcast_to({rows, 150})}) {
      auto expected = product(a, b);
      const auto added = start.to_vector<double>();
      for (std::size_t k = 0; k < expected.size(); ++k) expected[k] += added[k];
      Tensor c = full({rows, 150}, std::nan(""));
      packed.multiply(a, start, c);
      expect_values(c, expected, 1e-5);
    }
  }
}

TEST_CASE("one row times the transpose of a matrix is the products with its rows") {
  for (Index inner : {1, 63, 64, 65, 130, 1000})
    for (Index columns : {1, 2, 7, 300}) {
      CAPTURE(inner);
      CAPTURE(columns);
      const Tensor weight = narrow({columns, inner}, 1);
      const Tensor x = narrow({1, inner}, 2);
      const Tensor bias = narrow({columns}, 3);
      auto expected = product(x, weight.transpose(0, 1));
      expect_values(linear(x, weight).value(), expected, 1e-4);
      for (std::size_t k = 0; k < expected.size(); ++k)
        expected[k] += bias.at({static_cast<Index>(k)});
      expect_values(linear(x, weight, bias).value(), expected, 1e-4);
    }
}

TEST_CASE("a packed product can be added, and touches nothing beside its columns") {
  const Tensor a = narrow({9, 40}, 1).slice(1, 3, 33);
  const Tensor b = narrow({30, 21}, 2);
  Tensor whole = ones({9, 25});
  Tensor target = whole.slice(1, 2, 23);
  kernels::PackedMatrix(b).multiply(a, target, target);
  auto expected = product(a, b);
  for (double& e : expected) e += 1.0;
  expect_values(whole.slice(1, 2, 23), expected, 1e-5);
  expect_values(whole.slice(1, 0, 2), std::vector<double>(18, 1.0));
  expect_values(whole.slice(1, 23, 25), std::vector<double>(18, 1.0));
}

TEST_CASE("a weight that a tape uses again and again gives the same products every time") {
  for (Index rows : {1, 4, 5, 32, 300}) {
    const Parameter w("w", narrow({40, 50}, 1));
    const Parameter v("v", narrow({50, 40}, 2));
    const Tensor bias = narrow({50}, 3);
    Tape tape;
    for (int use = 0; use < 4; ++use) {
      const Tensor x = narrow({rows, 40}, 10 + static_cast<std::uint64_t>(use));
      expect_values(matmul(x, w).value(), product(x, w.value()), 1e-5);
      auto expected = product(x, v.value().transpose(0, 1));
      expect_values(linear(x, v).value(), expected, 1e-5);
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] += bias.at({static_cast<Index>(i % 50)});
      expect_values(linear(x, v, bias).value(), expected, 1e-5);
    }
  }
}

TEST_CASE("a product sees the value that a parameter has now, not one packed before") {
  Parameter w("w", narrow({20, 20}, 1));
  const Tensor x = narrow({8, 20}, 2);
  const auto expect_current = [&] {
    expect_values(matmul(x, w).value(), product(x, w.value()), 1e-5);
    expect_values(linear(x, w).value(), product(x, w.value().transpose(0, 1)), 1e-5);
  };
  Tape tape;
  for (int use = 0; use < 3; ++use) expect_current();
  SUBCASE("written to in place") { w.mutable_value().mutable_data<float>()[7] = 9.0F; }
  SUBCASE("another tensor") { w.set(narrow({20, 20}, 3)); }
  SUBCASE("its own transpose") { w.set(w.value().transpose(0, 1)); }
  SUBCASE("after a backward pass, written to in place") {
    static_cast<void>(tape.gradients(sum(matmul(x, w))));
    w.mutable_value().mutable_data<float>()[7] = 9.0F;
  }
  for (int use = 0; use < 3; ++use) expect_current();
}

TEST_CASE("gradients of a recurrence in float32 are those in float64, packed or not") {
  const auto gradient = [](Dtype dtype) {
    const Parameter w("w", (Variable(random({64, 64}, 1)) * 0.2).value().to(dtype));
    Tape tape;
    const Variable start = tape.watch(random({8, 64}, 2).to(dtype));
    Variable h = start;
    for (int t = 0; t < 6; ++t) h = tanh(linear(h, w) + matmul(h, w));
    const Gradients gradients = tape.gradients(mean(square(h)));
    return concat({gradients[w], gradients[start]}, 0).value();
  };
  const Tensor wide = gradient(Dtype::float64);
  const Tensor packed = gradient(Dtype::float32);
  const double scale = std::sqrt(mean(square(wide)).item());
  CHECK(std::sqrt(mean(square(Variable(packed.to(Dtype::float64)) - wide)).item()) < 1e-5 * scale);
}

}  // namespace unroll::testing
