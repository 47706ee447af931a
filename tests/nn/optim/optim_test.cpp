// Each optimizer over four steps with given gradients, against the numbers of PyTorch 1.13
// (torch.optim, float64).
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

using Rows = std::vector<std::vector<double>>;

const Rows kGradients = {
    {0.5, -0.25, 0.125}, {-1.0, 0.75, 0.0}, {2.0, 0.25, -0.5}, {0.0, 0.0, 1.0}};

Parameter start() { return {"w", Tensor::of({3}, {1.0, -2.0, 0.5})}; }

/// One step with the gradient g: the loss is <g, w>.
void step(nn::Optimizer& optimizer, const Parameter& w, const std::vector<double>& g) {
  Tape tape;
  const Variable slope(Tensor::of({static_cast<Index>(g.size())}, g).to(w.dtype()));
  optimizer.step(tape.gradients(sum(Variable(w) * slope)));
}

template <class Optimizer, class Options>
void check_trajectory(const Options& options, const Rows& expected) {
  const Parameter w = start();
  Optimizer optimizer({w}, options);
  for (std::size_t k = 0; k < kGradients.size(); ++k) {
    CAPTURE(k);
    step(optimizer, w, kGradients[k]);
    expect_values(w.value(), expected[k], 1e-14);
  }
  CHECK(optimizer.steps() == 4);
}

}  // namespace

TEST_CASE("SGD steps as PyTorch's does") {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.1}, {{0.95, -1.975, 0.4875},
                                                                   {1.05, -2.05, 0.4875},
                                                                   {0.85, -2.075, 0.5375},
                                                                   {0.85, -2.075, 0.4375}});
}

TEST_CASE("SGD with weight decay steps as PyTorch's does") {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.1, .weight_decay = 0.05},
                            {{0.945, -1.965, 0.485},
                             {1.040275, -2.030175, 0.482575},
                             {0.835073625, -2.045024125, 0.530162125},
                             {0.830898256875, -2.034799004375, 0.427511314375}});
}

TEST_CASE("SGD with momentum and weight decay steps as PyTorch's does") {
  check_trajectory<nn::SGD>(
      nn::SGDOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.05},
      {{0.945, -1.965, 0.485},
       {0.990775, -1.998675, 0.469075},
       {0.827018625, -2.043989125, 0.502397125},
       {0.675502794375, -2.074551891875, 0.429875051875}});
}

TEST_CASE("SGD with Nesterov's momentum steps as PyTorch's does") {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true},
                            {{0.905, -1.9525, 0.47625},
                             {1.0545, -2.07475, 0.466125},
                             {0.71905, -2.164775, 0.5520125},
                             {0.597145, -2.2232975, 0.39431125}});
}

TEST_CASE("Adam steps as PyTorch's does") {
  check_trajectory<nn::Adam>(nn::AdamOptions{.learning_rate = 0.1},
                             {{0.900000002, -1.9000000039999998, 0.40000000799999935},
                              {0.9366103542405654, -1.9494189864458513, 0.33299419016908527},
                              {0.8946447927181046, -2.0051109948861283, 0.3824213773622958},
                              {0.8602691582840684, -2.050730499299515, 0.34929963402403896}});
}

TEST_CASE("Adam with other betas and a large epsilon steps as PyTorch's does") {
  check_trajectory<nn::Adam>(
      nn::AdamOptions{.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3},
      {{0.9800399201596807, -1.9800796812749004, 0.4801587301587302},
       {0.9883980404723584, -1.9908820146174089, 0.4675679228247738},
       {0.9791554675222891, -2.0026755886009813, 0.47884487797150604},
       {0.9720054587711675, -2.011796955650097, 0.47111089162880226}});
}

TEST_CASE("Adam with weight decay steps as PyTorch's AdamW does") {
  check_trajectory<nn::Adam>(nn::AdamOptions{.learning_rate = 0.1, .weight_decay = 0.2},
                             {{0.880000002, -1.8600000039999998, 0.39000000799999934},
                              {0.8990103542005653, -1.8722189863658512, 0.3151941900090853},
                              {0.8390645855940932, -1.8904666150788112, 0.3583174934021141},
                              {0.7879076594481751, -1.8982767871906214, 0.318029400195815}});
}

TEST_CASE("Adam keeps the digits of float32: its first step is the learning rate") {
  const Parameter w("w", zeros({2}));
  nn::Adam adam({w}, {.learning_rate = 0.5});
  step(adam, w, {3.0, -0.01});
  // 1 - 0.999 must not be taken in float32, where it is wrong by 5e-5.
  expect_values(w.value(), {-0.5, 0.5}, 1e-6);
}

TEST_CASE("SGD moves the rows of an embedding that were looked up, repeated ones by their sum") {
  const Parameter table("table", zeros({4, 2}, Dtype::float64));
  nn::SGD sgd({table}, {.learning_rate = 0.5});
  Tape tape;
  const Variable y = embedding(table, Tensor::of<std::int64_t>({3}, {3, 1, 3}));
  const Variable slope(Tensor::of({3, 2}, {1.0, 2.0, 4.0, 8.0, 16.0, 32.0}));
  const Gradients gradients = tape.gradients(sum(y * slope));
  REQUIRE_FALSE(gradients.parameters()[0].dense.defined());
  sgd.step(gradients);
  expect_values(table.value(), {0.0, 0.0, -2.0, -4.0, 0.0, 0.0, -8.5, -17.0});
}

TEST_CASE("sparse rows and the same gradient made dense give the same steps") {
  const Tensor first = Tensor::of({3, 2}, {0.3, -0.2, 0.5, 0.1, -0.7, 0.9});
  const Tensor at = Tensor::of<std::int64_t>({3}, {2, 0, 2});
  const auto run = [&](bool sparse, auto make) {
    const Parameter table("table", first);
    auto optimizer = make(table);
    for (int k = 1; k <= 3; ++k) {
      Tape tape;
      const Variable y = sparse ? embedding(table, at)
                                : embedding(Variable(table) * 1.0, at);  // dense from here down
      const Gradients gradients = tape.gradients(sum(square(y)) * double(k));
      CHECK(gradients.parameters()[0].dense.defined() == !sparse);
      optimizer->step(gradients);
    }
    return table.value();
  };
  const auto check_alike = [&](auto make) {
    const Tensor moved = run(true, make);
    expect_close(moved, run(false, make), 1e-14);
    CHECK(sum(abs(Variable(moved) - Variable(first))).item() > 0.1);
  };
  const auto sgd = [](const nn::SGDOptions& options) {
    return [options](const Parameter& p) {
      return std::make_unique<nn::SGD>(std::vector{p}, options);
    };
  };
  check_alike(sgd({.learning_rate = 0.1}));
  check_alike(sgd({.learning_rate = 0.1, .momentum = 0.9}));
  check_alike(sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}));
  check_alike(sgd({.learning_rate = 0.1, .weight_decay = 0.5}));
  check_alike([](const Parameter& p) {
    return std::make_unique<nn::Adam>(std::vector{p},
                                      nn::AdamOptions{.learning_rate = 0.1, .weight_decay = 0.1});
  });
}

TEST_CASE("a parameter that the loss does not use stays as it is, and keeps its count of steps") {
  const Parameter used = start();
  const Parameter unused = start();
  nn::Adam adam({unused, used}, {.learning_rate = 0.1, .weight_decay = 0.2});
  step(adam, used, kGradients[0]);
  step(adam, used, kGradients[1]);
  CHECK(unused.value().to_vector<double>() == start().value().to_vector<double>());
  // Its first step is then a first step.
  step(adam, unused, kGradients[0]);
  expect_values(unused.value(), {0.880000002, -1.8600000039999998, 0.39000000799999934}, 1e-14);
}

TEST_CASE("gradients of parameters that the optimizer was not given are ignored") {
  const Parameter own = start();
  const Parameter foreign = start();
  nn::SGD sgd({own}, {.learning_rate = 0.1});
  Tape tape;
  sgd.step(tape.gradients(sum(Variable(own)) + sum(Variable(foreign))));
  expect_values(own.value(), {0.9, -2.1, 0.4});
  expect_values(foreign.value(), {1.0, -2.0, 0.5});
}

TEST_CASE("a step does not change what was read from the parameter before it") {
  const Parameter w = start();
  nn::SGD sgd({w}, {.learning_rate = 0.1});
  const Tensor before = w.value();
  step(sgd, w, kGradients[0]);
  expect_values(before, {1.0, -2.0, 0.5});
  expect_values(w.value(), {0.95, -1.975, 0.4875});
}

TEST_CASE("a gradient that is another parameter's value is that before the step") {
  const Parameter a("a", Tensor::of({2}, {1.0, 2.0}));
  const Parameter b("b", Tensor::of({2}, {3.0, 5.0}));
  nn::SGD sgd({a, b}, {.learning_rate = 1.0});
  Tape tape;
  sgd.step(tape.gradients(sum(Variable(a) * Variable(b))));
  expect_values(a.value(), {-2.0, -3.0}, 0.0);
  expect_values(b.value(), {2.0, 3.0}, 0.0);
}

TEST_CASE("steps are the same bit for bit on any number of threads, and element by element") {
  const Tensor slopes = random({500'009}, 1).to(Dtype::float32);
  const auto run = [&](int count, auto make) {
    const WithThreads guard(count);
    // One parameter or many: where its elements lie in the pass makes no difference.
    const Parameter whole("whole", zeros({500'009}));
    std::vector<Parameter> parts;
    std::vector<Parameter> all = {whole};
    for (Index k = 0; k < 9; ++k)
      all.push_back(parts.emplace_back("part", zeros({k < 8 ? Index{61'001} : Index{12'001}})));
    const auto optimizer = make(all);
    for (int k = 0; k < 3; ++k) {
      Tape tape;
      Variable loss = sum(Variable(whole) * Variable(slopes));
      Index begin = 0;
      for (const Parameter& part : parts) {
        const Index end = begin + part.shape()[0];
        loss = loss + sum(Variable(part) * Variable(slopes.slice(0, begin, end)));
        begin = end;
      }
      optimizer->step(tape.gradients(loss * (k + 1.0)));
    }
    std::vector<float> joined;
    for (const Parameter& part : parts) {
      const auto values = part.value().to_vector<float>();
      joined.insert(joined.end(), values.begin(), values.end());
    }
    const auto moved = whole.value().to_vector<float>();
    CHECK(moved == joined);
    return moved;
  };
  const auto check = [&](auto make) {
    const std::vector<float> one = run(1, make);
    CHECK(one[0] != 0.0F);
    CHECK(run(1, make) == one);
    CHECK(run(2, make) == one);
    CHECK(run(3, make) == one);
  };
  check([](const std::vector<Parameter>& all) {
    return std::make_unique<nn::SGD>(all, nn::SGDOptions{.weight_decay = 0.1});
  });
  check([](const std::vector<Parameter>& all) {
    return std::make_unique<nn::SGD>(all, nn::SGDOptions{.momentum = 0.9, .nesterov = true});
  });
  check([](const std::vector<Parameter>& all) {
    return std::make_unique<nn::Adam>(all, nn::AdamOptions{.weight_decay = 0.1});
  });
}

TEST_CASE("gradients of another dtype than the parameter are refused, and it stays as it was") {
  Parameter w = start();
  nn::SGD sgd({w}, {.learning_rate = 0.1});
  Tape tape;
  const Gradients gradients = tape.gradients(sum(square(Variable(w))));
  w.set(w.value().to(Dtype::float32));
  expect_error<DtypeError>([&] { sgd.step(gradients); }, {"float32", "float64"});
  expect_values(w.value(), {1.0, -2.0, 0.5}, 0.0);
}

TEST_CASE("a learning rate that is set holds from the next step on") {
  const Parameter w = start();
  nn::SGD sgd({w}, {.learning_rate = 0.1});
  sgd.set_learning_rate(1.0);
  CHECK(sgd.learning_rate() == 1.0);
  step(sgd, w, kGradients[0]);
  expect_values(w.value(), {0.5, -1.75, 0.375});
}

TEST_CASE("options outside their domain are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto sgd = [](const nn::SGDOptions& options) {
    return [options] { nn::SGD optimizer({start()}, options); };
  };
  const auto adam = [](const nn::AdamOptions& options) {
    return [options] { nn::Adam optimizer({start()}, options); };
  };
  expect_error<ArgumentError>(sgd({.learning_rate = -0.1}), {"SGD", "learning rate"});
  expect_error<ArgumentError>(sgd({.learning_rate = nan}), {"SGD", "learning rate"});
  expect_error<ArgumentError>(sgd({.momentum = -0.1}), {"SGD", "momentum"});
  expect_error<ArgumentError>(sgd({.weight_decay = -0.1}), {"SGD", "weight decay"});
  expect_error<ArgumentError>(sgd({.nesterov = true}), {"SGD", "Nesterov", "momentum"});
  expect_error<ArgumentError>(adam({.learning_rate = -0.1}), {"Adam", "learning rate"});
  expect_error<ArgumentError>(adam({.learning_rate = nan}), {"Adam", "learning rate"});
  expect_error<ArgumentError>(adam({.beta1 = 1.0}), {"Adam", "beta1"});
  expect_error<ArgumentError>(adam({.beta2 = -0.1}), {"Adam", "beta2"});
  expect_error<ArgumentError>(adam({.epsilon = -1e-8}), {"Adam", "epsilon"});
  expect_error<ArgumentError>(adam({.weight_decay = nan}), {"Adam", "weight decay"});

  nn::SGD running({start()});
  expect_error<ArgumentError>([&] { running.set_learning_rate(-1.0); }, {"SGD", "learning rate"});
  nn::Adam other({start()});
  expect_error<ArgumentError>([&] { other.set_learning_rate(nan); }, {"Adam", "learning rate"});
}

TEST_CASE("a schedule sets the rate of any optimizer") {
  Parameter w("w", ones({2}, Dtype::float64));
  nn::SGD sgd({w});
  nn::Adam adam({w});
  for (nn::Optimizer* optimizer :
       {static_cast<nn::Optimizer*>(&sgd), static_cast<nn::Optimizer*>(&adam)}) {
    optimizer->set_learning_rate(0.0);
    CHECK(optimizer->learning_rate() == 0.0);
    Tape tape;
    optimizer->step(tape.gradients(sum(square(Variable(w)))));
    expect_values(w.value(), {1.0, 1.0});
  }
}

TEST_CASE("a gradient that does not fit its parameter is refused, and nothing has changed") {
  const Parameter a("a", ones({2}));
  const Parameter b("b", ones({3, 2}));
  nn::Adam adam({a, b});
  const auto gradients_of = [&] {
    Tape tape;
    const Variable of_a = sum(square(Variable(a)));
    return tape.gradients(of_a + sum(embedding(b, arange(2))));
  };
  const auto step_with = [&](const auto& change) {
    return [&adam, &gradients_of, change] {
      Gradients gradients = gradients_of();
      change(gradients.parameters()[1]);
      adam.step(gradients);
    };
  };
  expect_error<ShapeError>(step_with([](ParameterGradient& g) {
                             g.dense = ones({2, 2});
                           }),
                           {"optimizer", "b", "[3,2]", "[2,2]"});
  expect_error<DtypeError>(step_with([](ParameterGradient& g) {
                             g.dense = ones({3, 2}, Dtype::float64);
                           }),
                           {"optimizer", "b", "float64"});
  expect_error<ShapeError>(step_with([](ParameterGradient& g) {
                             g.rows[0].values = ones({2, 3});
                           }),
                           {"optimizer", "b", "[2,3]"});
  expect_error<ArgumentError>(step_with([](ParameterGradient& g) {
                                g.rows[0].indices = Tensor::of<std::int64_t>({2}, {0, 3});
                              }),
                              {"optimizer", "b", "no row 3"});
  CHECK(adam.steps() == 0);
  CHECK(a.value().to_vector<double>() == std::vector<double>{1, 1});

  nn::Adam fresh({a, b});
  const std::vector<float> before = a.value().to_vector<float>();
  adam.step(gradients_of());
  const std::vector<float> after = a.value().to_vector<float>();
  Parameter(a).set(Tensor::of<float>({2}, before));
  fresh.step(gradients_of());
  CHECK(a.value().to_vector<float>() == after);  // the failed steps were not counted
}

TEST_CASE("gradients that are not finite are kept, skipped or refused") {
  const Parameter w("w", ones({2}));
  const auto gradients = [&] {
    Tape tape;
    return tape.gradients(sum(Variable(w) * Tensor::of<float>({2}, {1.0F, NAN})));
  };
  nn::SGD sgd({w}, {.learning_rate = 0.5});
  sgd.set_non_finite(nn::NonFinite::skip);
  sgd.step(gradients());
  CHECK(w.value().to_vector<double>() == std::vector<double>{1, 1});
  CHECK(sgd.steps() == 0);
  sgd.set_non_finite(nn::NonFinite::raise);
  expect_error<ArgumentError>([&] { sgd.step(gradients()); }, {"optimizer", "not finite"});
  CHECK(w.value().to_vector<double>() == std::vector<double>{1, 1});
  sgd.set_non_finite(nn::NonFinite::keep);
  sgd.step(gradients());
  CHECK(w.value().at({0}) == 0.5);
  CHECK(std::isnan(w.value().at({1})));
}

TEST_CASE("Adam leaves a parameter that the loss does not reach untouched, decay included") {
  const Parameter used("used", ones({2}));
  const Parameter unused("unused", ones({2}));
  nn::Adam adam({used, unused}, {.weight_decay = 0.1});
  Tape tape;
  const Variable seen = Variable(unused) * 2.0;
  adam.step(tape.gradients(sum(Variable(used))));
  CHECK(seen.recorded());
  CHECK(used.value().at({0}) < 1.0);
  CHECK(unused.value().to_vector<double>() == std::vector<double>{1, 1});
}
