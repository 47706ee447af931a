#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/sequential.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& [name, parameter] : module.named_parameters()) all.push_back(name);
  return all;
}

}  // namespace

TEST_CASE("a Sequential feeds each layer what the one before returns") {
  const nn::Linear first(3, 4);
  const nn::Linear second(4, 2);
  const nn::Sequential net{first, tanh, second, [](const Variable& x) { return 2.0 * x; }};
  CHECK(net.size() == 4);
  const Tensor x = narrow({5, 3}, 1);
  expect_close(net(x).value(), (2.0 * second(tanh(first(x)))).value(), 0.0);
}

TEST_CASE("the parameters of a Sequential are named as in PyTorch, functions counted") {
  const nn::Sequential net{nn::Linear(3, 4), relu, nn::Dropout(0.5),
                           nn::Linear(4, 2, {.bias = false})};
  CHECK(names(net) == std::vector<std::string>{"0.weight", "0.bias", "3.weight"});
  const nn::Sequential nested{nn::Linear(3, 4), nn::Sequential{sigmoid, nn::Linear(4, 4)}};
  CHECK(names(nested) == std::vector<std::string>{"0.weight", "0.bias", "1.1.weight", "1.1.bias"});
}

TEST_CASE("functions with an optional argument are layers: gelu and those along the last axis") {
  const Tensor x = random({2, 3}, 2);
  expect_close(nn::Sequential{gelu}(x).value(), gelu(x).value(), 0.0);
  expect_close(nn::Sequential{softmax}(x).value(), softmax(x).value(), 0.0);
  expect_close(nn::Sequential{log_softmax}(x).value(), log_softmax(x).value(), 0.0);
  expect_close(nn::Activation(gelu)(x).value(), gelu(x).value(), 0.0);
  const nn::MLP net({3, 2}, {.output_activation = softmax});
  CHECK(sum(net(x.to(Dtype::float32))).item() == doctest::Approx(2.0));
}

TEST_CASE("training mode reaches the layers of a Sequential") {
  nn::Sequential net{nn::Dropout(1.0)};
  CHECK(sum(net(ones({4}))).item() == 0.0);
  net.eval();
  CHECK(sum(net(ones({4}))).item() == 4.0);
}

TEST_CASE("layers that a loop has made are a Sequential too") {
  std::vector<nn::Sequential::Layer> layers;
  for (int k = 0; k < 3; ++k) {
    layers.emplace_back(nn::Linear(2, 2));
    layers.emplace_back(nn::Activation(tanh));
  }
  nn::Sequential net(layers);
  net.push_back(nn::Linear(2, 1));
  CHECK(net.size() == 7);
  CHECK(names(net).back() == "6.bias");
  CHECK(net(ones({5, 2})).shape() == Shape{5, 1});
}

TEST_CASE("a copy of a Sequential shares its parameters, braces around it nest it") {
  const nn::Sequential net{nn::Linear(2, 2)};
  const nn::Sequential copy = net;
  CHECK(names(copy) == names(net));
  CHECK(copy.parameters()[0] == net.parameters()[0]);
  CHECK(names(nn::Sequential{net})[0] == "0.0.weight");
}

TEST_CASE("a Sequential without layers returns x") {
  const Tensor x = random({3}, 3);
  CHECK(nn::Sequential{}(x).value().shares_buffer(x));
}

TEST_CASE("the gradients of a Sequential agree with finite differences") {
  const nn::Sequential net{nn::Linear(3, 4), gelu, nn::Linear(4, 2), softmax};
  const auto report = nn::gradcheck(net, [&](std::span<const Variable> x) { return net(x[0]); },
                                    {random({5, 3}, 4)});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("a Sequential refuses a function that is none") {
  expect_error<ArgumentError>([] { nn::Sequential{nullptr}; }, {"activation", "no function"});
  expect_error<ArgumentError>([] { nn::Activation{nullptr}; }, {"activation", "no function"});
  Variable (*none)(const Variable&, int) = nullptr;
  expect_error<ArgumentError>([&] { nn::Activation{none}; }, {"activation", "no function"});
}

}  // namespace unroll::testing
