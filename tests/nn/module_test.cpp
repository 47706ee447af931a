#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const nn::Module::Named& named : module.named_parameters()) all.push_back(named.name);
  return all;
}

using Names = std::vector<std::string>;

/// One parameter of its own and one child.
class Readout : public nn::Module {
 public:
  explicit Readout(Index hidden)
      : linear(add("linear", nn::Linear(hidden, 2))), scale(parameter("scale", ones({hidden}))) {}
  nn::Linear linear;
  Parameter scale;
};

/// A module made of whatever the test gives it.
class Bag : public nn::Module {
 public:
  using nn::Module::add;
  using nn::Module::buffer;
  using nn::Module::parameter;
};

}  // namespace

TEST_CASE("parameters are named by their path, own ones before those of the children") {
  CHECK(names(Readout(3)) == Names{"scale", "linear.weight", "linear.bias"});

  Bag model;
  model.add("embedding", nn::Embedding(5, 3));
  model.add("readout", Readout(3));
  CHECK(names(model) ==
        Names{"embedding.weight", "readout.scale", "readout.linear.weight", "readout.linear.bias"});
}

TEST_CASE("an empty name leaves a child's names as they are, and a suffix is appended") {
  Bag model;
  model.add("", nn::Linear(2, 2), "_first");
  model.add("named", nn::Linear(2, 2, {.bias = false}), "_x");
  CHECK(names(model) == Names{"weight_first", "bias_first", "named.weight_x"});
}

TEST_CASE("a name that is taken, empty or dotted is refused, and nothing is added") {
  Bag model;
  model.parameter("weight", ones({2}));
  expect_error<ArgumentError>([&] { model.parameter("weight", ones({3})); },
                              {"parameter", "'weight'", "taken"});
  expect_error<ArgumentError>([&] { model.parameter("", ones({3})); }, {"empty"});
  expect_error<ArgumentError>([&] { model.parameter("a.b", ones({3})); }, {"'a.b'", "dot"});
  model.add("layer", nn::Linear(2, 2, {.bias = false}));
  expect_error<ArgumentError>([&] { model.add("layer", nn::Linear(2, 2)); },
                              {"add", "'layer'", "taken"});
  CHECK(names(model) == Names{"weight", "layer.weight"});
}

TEST_CASE("no two parameters of a module can have one full name") {
  Bag model;
  model.add("", nn::Recurrent(nn::GRU(2, 2), 0));
  expect_error<ArgumentError>([&] { model.add("", nn::Recurrent(nn::GRU(2, 2), 0)); },
                              {"add", "weight_ih_l0", "taken"});
  CHECK(model.named_parameters().size() == 4);
  model.add("", nn::Recurrent(nn::GRU(2, 2), 1));
  CHECK(model.named_parameters().size() == 8);

  Bag own;
  own.parameter("weight", ones({2}));
  expect_error<ArgumentError>([&] { own.add("", nn::Embedding(2, 2)); }, {"weight", "taken"});

  Bag reversed;
  reversed.add("", nn::Embedding(2, 2));
  expect_error<ArgumentError>([&] { reversed.parameter("weight", ones({2})); },
                              {"weight", "taken"});
  CHECK(names(reversed) == Names{"weight"});
}

TEST_CASE("a module cannot be a part of itself, directly or through others") {
  Bag inner;
  Bag outer;
  outer.add("inner", inner);
  expect_error<ArgumentError>([&] { inner.add("self", inner); }, {"part of itself"});
  expect_error<ArgumentError>([&] { inner.add("outer", outer); }, {"part of itself"});
  CHECK(names(outer).empty());
}

TEST_CASE("a parameter that two children share has both names and counts once") {
  const nn::Linear shared(3, 3, {.bias = false});
  Bag model;
  model.add("encoder", shared);
  model.add("decoder", shared);
  CHECK(names(model) == Names{"encoder.weight", "decoder.weight"});
  REQUIRE(model.parameters().size() == 1);
  CHECK(model.parameters()[0] == shared.weight());
  CHECK(model.parameter_count() == 9);
}

TEST_CASE("a tied weight gets the sum of the gradients of its uses, and one optimizer step") {
  const nn::Linear shared(2, 2, {.bias = false});
  Bag model;
  model.add("encoder", shared);
  model.add("decoder", shared);
  model.to(Dtype::float64);
  model.parameters()[0].set(Tensor::of({2, 2}, {1.0, 0.0, 0.0, 1.0}));

  nn::SGD sgd(model.parameters(), {.learning_rate = 1.0});
  Tape tape;
  // With W = 1: sum(W W x) has the slope 2 (1,1)^T x^T.
  const Variable y = shared(shared(Variable(Tensor::of({1, 2}, {3.0, 5.0}))));
  const Gradients gradients = tape.gradients(sum(y));
  expect_values(gradients[shared.weight()].value(), {6.0, 10.0, 6.0, 10.0});
  sgd.step(gradients);
  expect_values(shared.weight().value(), {-5.0, -10.0, -6.0, -9.0});
}

TEST_CASE("a copy of a module shares its parameters and its children") {
  const Readout original(2);
  const Readout copy = original;
  Parameter weight = copy.linear.weight();
  weight.set(full({2, 2}, 7.0));
  CHECK(original.linear.weight() == copy.linear.weight());
  expect_values(original.linear.weight().value(), {7.0, 7.0, 7.0, 7.0});
  CHECK(original.parameters() == copy.parameters());
}

TEST_CASE("two modules made alike share nothing") {
  const nn::Linear a(2, 2);
  const nn::Linear b(2, 2);
  CHECK_FALSE(a.weight() == b.weight());
  CHECK_FALSE(*a.bias() == *b.bias());
}

TEST_CASE("train and eval reach every child, whoever holds it") {
  const nn::Dropout dropout(0.5);
  Bag inner;
  inner.add("dropout", dropout);
  Bag outer;
  outer.add("inner", inner);
  CHECK(outer.training());
  CHECK(dropout.training());
  outer.eval();
  CHECK_FALSE(outer.training());
  CHECK_FALSE(inner.training());
  CHECK_FALSE(dropout.training());
  outer.train();
  CHECK(dropout.training());
  inner.eval();
  CHECK(outer.training());
  CHECK_FALSE(dropout.training());
}

TEST_CASE("to converts every parameter and keeps every value that the dtype can hold") {
  Readout module(3);
  const std::vector<double> before = module.linear.weight().value().to_vector<double>();
  module.to(Dtype::float64);
  for (const Parameter& parameter : module.parameters()) CHECK(parameter.dtype() == Dtype::float64);
  CHECK(module.linear.weight().value().to_vector<double>() == before);
  module.to(Dtype::float32);
  CHECK(module.scale.dtype() == Dtype::float32);
  CHECK(module.linear.weight().value().to_vector<double>() == before);
}

TEST_CASE("to refuses int64 and leaves the module as it was") {
  Readout module(3);
  expect_error<DtypeError>([&] { module.to(Dtype::int64); }, {"float32", "float64", "int64"});
  for (const Parameter& parameter : module.parameters()) CHECK(parameter.dtype() == Dtype::float32);
}

TEST_CASE("parameter_count adds up the elements") {
  CHECK(Readout(3).parameter_count() == 3 + 3 * 2 + 2);
  CHECK(nn::LSTM(5, 7).parameter_count() == 4 * 7 * 5 + 4 * 7 * 7 + 2 * 4 * 7);
  CHECK(nn::Dropout(0.1).parameter_count() == 0);
}

TEST_CASE("a module that was moved elsewhere says so") {
  const auto refused = [](const std::function<void()>& use) {
    expect_error<ArgumentError>(use, {"moved"});
  };
  const auto all_refused = [&](auto module, const auto& run) {
    const auto to = std::move(module);
    run(to);
    // NOLINTBEGIN(bugprone-use-after-move)
    refused([&] { run(module); });
    refused([&] { module.parameters(); });
    refused([&] { module.train(); });
    refused([&] { static_cast<void>(module.training()); });
    refused([&] { module.to(Dtype::float64); });
    refused([&] { Bag().add("part", module); });
    // NOLINTEND(bugprone-use-after-move)
  };
  const Variable x = ones({2, 3}), sequence = ones({4, 2, 3});
  all_refused(nn::Linear(3, 2), [&](const nn::Linear& f) { f(x); });
  all_refused(nn::MLP({3, 4, 2}), [&](const nn::MLP& f) { f(x); });
  all_refused(nn::Dropout(0.5), [&](const nn::Dropout& f) { f(x); });
  all_refused(nn::Recurrent(nn::LSTM(3, 2)), [&](const nn::Recurrent& f) { f(sequence); });
  all_refused(nn::Stacked(nn::GRU(3, 2)), [&](const nn::Stacked& f) { f(sequence); });
  all_refused(nn::Bidirectional(nn::GRU(3, 2), nn::GRU(3, 2)),
              [&](const nn::Bidirectional& f) { f(sequence); });
  all_refused(nn::Elman(3, 2), [&](const nn::Elman& f) {
    f.step(f.project(x), f.initial_state(2, Dtype::float32));
  });
}

TEST_CASE("a parameter of a named child may meet one of an unnamed child") {
  Bag inner;
  inner.add("a", nn::Linear(2, 2, {.bias = false}));
  Bag model;
  model.add("a", nn::Linear(2, 2, {.bias = false}));
  expect_error<ArgumentError>([&] { model.add("", inner); }, {"add", "'a.weight'", "taken"});
  model.add("", inner, "_2");
  CHECK(names(model) == Names{"a.weight", "a.weight_2"});
}

TEST_CASE("a buffer is a constant with a path, converted and listed beside the parameters") {
  Bag inner;
  nn::Buffer mean = inner.buffer("mean", Tensor::of<float>({2}, {1, 2}));
  Bag model;
  model.parameter("mean", ones({2}));
  model.add("norm", inner);
  CHECK(names(model) == Names{"mean"});
  REQUIRE(model.named_buffers().size() == 1);
  CHECK(model.named_buffers()[0].name == "norm.mean");
  CHECK(model.parameter_count() == 2);
  {
    const Tape tape;
    CHECK(!(Variable(mean) * 2.0).recorded());
  }
  model.to(Dtype::float64);
  CHECK(mean.dtype() == Dtype::float64);
  model.freeze();
  model.freeze(false);
  const Tape tape;
  CHECK(!Variable(mean).recorded());
  CHECK_THROWS_AS(inner.buffer("mean", ones({1})), ArgumentError);
  CHECK_THROWS_AS(inner.parameter("mean", ones({1})), ArgumentError);
}

TEST_CASE("freeze keeps training from a part of a model, and an optimizer leaves it alone") {
  const Tensor x = random({4, 3}, 1).to(Dtype::float32);
  Bag model;
  nn::Linear lower = model.add("lower", nn::Linear(3, 5));
  const nn::Linear upper = model.add("upper", nn::Linear(5, 1));
  lower.freeze();
  const std::vector<double> before = lower.parameters()[0].value().to_vector<double>();
  nn::Adam adam(model.parameters(), {.learning_rate = 0.1, .weight_decay = 0.1});
  Tape tape;
  const Gradients gradients = tape.gradients(mean(square(upper(lower(x)))));
  CHECK(gradients.parameters().size() == 2);
  adam.step(gradients);
  CHECK(lower.parameters()[0].value().to_vector<double>() == before);
}

TEST_CASE("a clone has parameters of its own under the same names, and computes the same") {
  const nn::Recurrent rnn(nn::LSTM(3, 4));
  nn::Recurrent copy = nn::clone(rnn);
  const Tensor x = random({5, 2, 3}, 1).to(Dtype::float32);
  CHECK(names(copy) == names(rnn));
  expect_close(copy(x).outputs.value(), rnn(x).outputs.value(), 0.0);
  for (std::size_t k = 0; k < rnn.parameters().size(); ++k)
    CHECK(!(copy.parameters()[k] == rnn.parameters()[k]));
  // What the layer lists is what its cell reads.
  for (Parameter& parameter : copy.parameters()) parameter.set(zeros(parameter.shape()));
  expect_close(copy(x).outputs.value(), zeros({5, 2, 4}), 0.0);
  CHECK(rnn(x).outputs.value().at({0, 0, 0}) != 0.0);
}

TEST_CASE("a clone of any class follows: buffers, shared parts, functions that hold modules") {
  struct Tied : nn::Module {
    nn::Linear first = add("first", nn::Linear(2, 2));
    nn::Linear second = add("second", first);
    nn::Buffer scale = buffer("scale", full({2}, 3.0));
    std::function<Variable(const Variable&)> last = [one = first](const Variable& x) {
      return one(x);
    };
    Variable operator()(const Variable& x) const { return last(second(first(x))) * scale; }
  };
  const Tied model;
  Tied copy = nn::clone(model);
  CHECK(copy.parameters().size() == 2);
  const Tensor x = ones({1, 2});
  expect_close(copy(x).value(), model(x).value(), 0.0);
  copy.scale.set(zeros({2}));
  CHECK(model.scale.value().at({0}) == 3.0);
  for (Parameter& parameter : copy.parameters()) parameter.set(zeros(parameter.shape()));
  copy.scale.set(ones({2}));
  expect_close(copy(x).value(), zeros({1, 2}), 0.0);
}

TEST_CASE("a plain copy shares, as before a clone was made and after") {
  const nn::Linear linear(2, 2);
  static_cast<void>(nn::clone(linear));
  const nn::Linear copy = linear;
  CHECK(copy.parameters()[0] == linear.parameters()[0]);
}
