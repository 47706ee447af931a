#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

TEST_CASE("Dropout zeroes elements at its rate and scales the others by 1 / (1 - rate)") {
  const nn::Dropout dropout(0.2);
  Generator generator(1);
  const Variable y = dropout(ones({100, 1000}), generator);
  Index zeroed = 0;
  for (float value : y.value().to_vector<float>()) {
    if (value == 0.0F)
      ++zeroed;
    else
      REQUIRE(value == 1.25F);
  }
  // Binomial: 20,000 expected, standard deviation 126.
  CHECK(std::abs(static_cast<double>(zeroed) - 20000.0) < 600.0);
}

TEST_CASE("Dropout keeps the expectation") {
  Generator generator(2);
  for (double rate : {0.1, 0.5, 0.9}) {
    CAPTURE(rate);
    const Tensor x = full({200, 1000}, 3.0, Dtype::float64);
    const double average = mean(nn::Dropout(rate)(x, generator)).item();
    const double deviation = 3.0 * std::sqrt(rate / (1.0 - rate) / 200000.0);
    CHECK(std::abs(average - 3.0) < 5.0 * deviation);
  }
}

TEST_CASE("Dropout in eval mode, and at rate 0, returns x itself") {
  const Tensor x = random({5, 5}, 3);
  nn::Dropout dropout(0.5);
  CHECK_FALSE(dropout(x).value().to_vector<double>() == x.to_vector<double>());
  dropout.eval();
  CHECK(dropout(x).value().shares_buffer(x));
  dropout.train();
  CHECK_FALSE(dropout(x).value().to_vector<double>() == x.to_vector<double>());
  CHECK(nn::Dropout(0.0)(x).value().shares_buffer(x));
}

TEST_CASE("Dropout in eval mode draws no random number") {
  nn::Dropout dropout(0.5);
  Generator generator(4);
  dropout.eval();
  dropout(ones({10}), generator);
  CHECK(generator.position() == 0);
  dropout.train();
  dropout(ones({10}), generator);
  CHECK(generator.position() > 0);
}

TEST_CASE("one seed gives one mask, and each call another one") {
  const nn::Dropout dropout(0.5);
  const auto draw = [&](Generator& generator) {
    return dropout(ones({64}), generator).value().to_vector<float>();
  };
  Generator a(5);
  Generator b(5);
  Generator other(6);
  const auto first = draw(a);
  CHECK(first == draw(b));
  CHECK_FALSE(first == draw(a));
  CHECK_FALSE(first == draw(other));

  seed(7);
  const auto by_default = dropout(ones({64})).value().to_vector<float>();
  seed(7);
  CHECK(by_default == dropout(ones({64})).value().to_vector<float>());
}

TEST_CASE("the gradient of Dropout passes where the value passed, with the same factor") {
  const nn::Dropout dropout(0.5);
  Generator generator(8);
  Tape tape;
  const Variable x = tape.watch(ones({4, 16}, Dtype::float64));
  const Variable y = dropout(x, generator);
  const Gradients gradients = tape.gradients(sum(y));
  CHECK(sum(y).item() > 0.0);
  CHECK(gradients[x].value().to_vector<double>() == y.value().to_vector<double>());
}

TEST_CASE("Dropout refuses a rate outside [0, 1]") {
  for (double rate : {-0.1, 1.1, 1.5, std::numeric_limits<double>::quiet_NaN(),
                      std::numeric_limits<double>::infinity()})
    expect_error<ArgumentError>([&] { nn::Dropout dropout(rate); }, {"dropout", "[0, 1]"});
}
