#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// Gradients (3, 0) and (0, -4), and a table whose row 1 was looked up twice: (6, 6) each time.
struct Example {
  Parameter a{"a", zeros({2}, Dtype::float64)};
  Parameter b{"b", zeros({2}, Dtype::float64)};
  Parameter table{"table", zeros({3, 2}, Dtype::float64)};

  Gradients gradients(bool with_table) const {
    Tape tape;
    Variable loss = sum(Variable(a) * Variable(Tensor::of({2}, {3.0, 0.0}))) -
                    sum(Variable(b) * Variable(Tensor::of({2}, {0.0, 4.0})));
    if (with_table)
      loss = loss + 6.0 * sum(embedding(table, Tensor::of<std::int64_t>({2}, {1, 1})));
    return tape.gradients(loss);
  }
};

}  // namespace

TEST_CASE("the global norm is that of all gradients in one vector") {
  CHECK(nn::global_norm(Example().gradients(false)) == 5.0);
}

TEST_CASE("rows that were looked up twice add up before they are squared") {
  // 3^2 + 4^2 + 12^2 + 12^2
  CHECK(nn::global_norm(Example().gradients(true)) == doctest::Approx(std::sqrt(313.0)));
}

TEST_CASE("clipping scales every gradient by one factor and returns the norm before") {
  const Example example;
  Gradients gradients = example.gradients(false);
  CHECK(nn::clip_by_global_norm(gradients, 2.5) == 5.0);
  expect_values(gradients[example.a].value(), {1.5, 0.0}, 1e-15);
  expect_values(gradients[example.b].value(), {0.0, -2.0}, 1e-15);
  CHECK(nn::global_norm(gradients) == doctest::Approx(2.5).epsilon(1e-14));
}

TEST_CASE("clipping scales sparse rows and keeps them sparse") {
  const Example example;
  Gradients gradients = example.gradients(true);
  nn::clip_by_global_norm(gradients, std::sqrt(313.0) / 2.0);
  CHECK_FALSE(gradients.parameters().back().dense.defined());
  expect_values(gradients[example.table].value(), {0.0, 0.0, 6.0, 6.0, 0.0, 0.0}, 1e-14);
  expect_values(gradients[example.a].value(), {1.5, 0.0}, 1e-15);
}

TEST_CASE("gradients within the bound stay bit for bit as they are") {
  const Example example;
  for (double bound : {5.0, 5.1, 1e300, std::numeric_limits<double>::infinity()}) {
    Gradients gradients = example.gradients(false);
    CHECK(nn::clip_by_global_norm(gradients, bound) == 5.0);
    CHECK(gradients[example.a].value().to_vector<double>() == std::vector<double>{3.0, 0.0});
    CHECK(gradients[example.b].value().to_vector<double>() == std::vector<double>{0.0, -4.0});
  }
}

TEST_CASE("the norm of float32 gradients does not overflow") {
  const Parameter w("w", zeros({2}));
  Tape tape;
  Gradients gradients = tape.gradients(sum(Variable(w) * Variable(full({2}, 1e30))));
  CHECK(nn::clip_by_global_norm(gradients, 1.0) == doctest::Approx(std::sqrt(2.0) * 1e30));
  expect_values(gradients[w].value(), {std::sqrt(0.5), std::sqrt(0.5)}, 1e-6);
}

TEST_CASE("a NaN in a gradient shows in the norm that is returned") {
  const Parameter w("w", zeros({2}, Dtype::float64));
  Tape tape;
  const Variable slope(Tensor::of({2}, {1.0, std::numeric_limits<double>::quiet_NaN()}));
  Gradients gradients = tape.gradients(sum(Variable(w) * slope));
  CHECK(std::isnan(nn::clip_by_global_norm(gradients, 1.0)));
}

TEST_CASE("a bound that is not positive is refused") {
  for (double bound : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    Gradients gradients = Example().gradients(false);
    expect_error<ArgumentError>([&] { nn::clip_by_global_norm(gradients, bound); },
                                {"clip_by_global_norm", "positive"});
  }
}
