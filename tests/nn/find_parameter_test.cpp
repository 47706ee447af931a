#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/find_parameter.hpp>
#include <nn/nn.hpp>

#include "support/expect.hpp"

namespace unroll::testing {

TEST_CASE("find_parameter returns a handle to the parameter under its full name") {
  const nn::Stacked rnn(nn::LSTM(2, 3), nn::LSTM(3, 4));
  Parameter found = nn::find_parameter(rnn, "weight_hh_l1");
  CHECK(found.shape() == Shape{16, 4});
  found.set(zeros({16, 4}));
  for (const auto& [name, parameter] : rnn.named_parameters())
    CHECK((name == "weight_hh_l1") == (parameter == found));
  CHECK(sum(square(nn::find_parameter(rnn, "weight_hh_l1"))).item() == 0.0);
}

TEST_CASE("find_parameter names the parameters that there are when it finds none") {
  const nn::Linear linear(2, 3);
  expect_error<ArgumentError>([&] { nn::find_parameter(linear, "weights"); },
                              {"find_parameter", "\"weights\"", "weight [3,2], bias [3]"});
  expect_error<ArgumentError>([&] { nn::find_parameter(nn::Dropout(0.5), ""); },
                              {"find_parameter", "\"\"", "has none"});
}

TEST_CASE("a parameter found by name keeps its shape") {
  const nn::Linear linear(2, 3);
  expect_error<ShapeError>([&] { nn::find_parameter(linear, "bias").set(zeros({2})); },
                           {"bias", "[3]", "[2]"});
}

}  // namespace unroll::testing
