#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/tied_readout.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/folder.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

struct LanguageModel : nn::Module {
  nn::Embedding embedding = add("embedding", nn::Embedding(5, 3));
  nn::TiedReadout readout = add("readout", nn::TiedReadout(embedding));

  Variable operator()(const Tensor& tokens) const { return readout(tanh(embedding(tokens))); }
};

const Tensor tokens = Tensor::of<std::int64_t>({4}, {2, 0, 2, 4});

}  // namespace

TEST_CASE("TiedReadout computes h E^T + b with the matrix of the embedding") {
  nn::Embedding embedding(4, 3);
  nn::TiedReadout readout(embedding);
  readout.to(Dtype::float64);
  CHECK(embedding.weight().dtype() == Dtype::float64);
  CHECK(readout.weight() == embedding.weight());
  Parameter bias = *readout.bias();
  expect_values(bias.value(), {0.0, 0.0, 0.0, 0.0});
  bias.set(random({4}, 1));
  const Tensor h = random({2, 3}, 2);
  std::vector<double> expected;
  for (Index n = 0; n < 2; ++n)
    for (Index v = 0; v < 4; ++v) {
      double total = bias.value().at({v});
      for (Index d = 0; d < 3; ++d) total += h.at({n, d}) * embedding.weight().value().at({v, d});
      expected.push_back(total);
    }
  expect_values(readout(h).value(), expected);
  CHECK(readout(random({5, 2, 3}, 3)).shape() == Shape{5, 2, 4});
}

TEST_CASE("a model lists the tied parameter under both names, and counts it once") {
  const LanguageModel model;
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model.named_parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"embedding.weight", "readout.weight", "readout.bias"});
  CHECK(model.parameters().size() == 2);
  CHECK(model.parameter_count() == 5 * 3 + 5);
}

TEST_CASE("both uses of the tied matrix add to one gradient") {
  LanguageModel model;
  model.to(Dtype::float64);
  Tape tape;
  const Gradients gradients = tape.gradients(sum(square(model(tokens))));
  REQUIRE(gradients.parameters().size() == 2);
  const nn::Embedding apart = [&] {
    nn::Embedding copy(5, 3);
    Parameter weight = copy.weight();
    weight.set(model.embedding.weight().value().clone());
    return copy;
  }();
  Tape other;
  const Gradients separate = other.gradients(sum(square(model.readout(tanh(apart(tokens))))));
  expect_close(gradients[model.embedding.weight()].value(),
               (separate[model.readout.weight()] + separate[apart.weight()]).value());
}

TEST_CASE("the gradients of a tied model agree with finite differences") {
  const LanguageModel model;
  const auto report =
      nn::gradcheck(model, [&](std::span<const Variable> x) { return model(tokens) * x[0]; },
                    {random({4, 5}, 4)});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("a tied model is saved and loaded, and stays tied") {
  const Folder folder;
  const LanguageModel model;
  nn::save(model, folder / "model.safetensors");
  LanguageModel other;
  nn::load(other, folder / "model.safetensors");
  expect_close(other(tokens).value(), model(tokens).value(), 0.0);
  CHECK(other.readout.weight() == other.embedding.weight());
}

TEST_CASE("TiedReadout without bias has the shared parameter alone") {
  const nn::TiedReadout readout(nn::Embedding(4, 3), {.bias = false});
  CHECK_FALSE(readout.bias().has_value());
  REQUIRE(readout.named_parameters().size() == 1);
  CHECK(readout.named_parameters()[0].name == "weight");
  expect_values(readout(zeros({1, 3})).value(), {0.0, 0.0, 0.0, 0.0});
}

TEST_CASE("TiedReadout refuses vectors of another size than the embedding's") {
  const nn::TiedReadout readout(nn::Embedding(4, 3));
  expect_error<ShapeError>(
      [&] {
        readout(zeros({2, 4}));
      },
      {"tied_readout", "[2,4]", "[4,3]", "[...,3]"});
  expect_error<ShapeError>([&] { readout(Variable()); }, {"tied_readout", "[...,3]"});
}

}  // namespace unroll::testing
