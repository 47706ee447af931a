#pragma once

#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <string>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

/// What the tests of learning rules train: a cell, a readout to two numbers, a squared error.
struct Net {
  nn::Recurrent rnn;
  nn::Linear readout;

  explicit Net(nn::Recurrent recurrent)
      : rnn(std::move(recurrent)), readout(rnn.cell().outputs(), 2) {
    readout.to(Dtype::float64);
  }

  nn::StepLoss loss() const {
    return [readout = readout](const Variable& h, const Tensor& d) {
      return 0.5 * sum(square(readout(h) - Variable(d)));
    };
  }

  std::vector<nn::Module::Named> parameters() const {
    std::vector<nn::Module::Named> all = rnn.named_parameters();
    for (const nn::Module::Named& named : readout.named_parameters())
      all.push_back({"readout." + named.name, named.parameter});
    return all;
  }
};

/// Both updates are gradients of one loss, the same to `tolerance`.
inline void check_same(const Net& net, const nn::Update& actual, const nn::Update& expected,
                       double tolerance, const std::string& what) {
  INFO(what);
  CHECK(actual.steps == expected.steps);
  CHECK(actual.loss == doctest::Approx(expected.loss).epsilon(1e-12));
  for (const nn::Module::Named& named : net.parameters()) {
    INFO(named.name);
    expect_close(actual.gradients[named.parameter].value(),
                 expected.gradients[named.parameter].value(), tolerance);
  }
}

/// The largest difference of the gradients of any parameter.
inline double difference(const Net& net, const nn::Update& a, const nn::Update& b) {
  double most = 0.0;
  for (const nn::Module::Named& named : net.parameters())
    most = std::max(most,
                    max(abs(a.gradients[named.parameter] - b.gradients[named.parameter])).item());
  return most;
}

}  // namespace unroll::testing
