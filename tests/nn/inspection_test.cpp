// Modules, layers and time steps as the tools that look inside see them.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <set>
#include <string>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// A user's cell: it knows nothing of scopes.
class Damped : public nn::Cell {
 public:
  explicit Damped(Index size) : Cell(size, {size}), gate_(add("gate", nn::Linear(size, size))) {}
  nn::Step step(const Variable& x, const nn::State& state) const override {
    return {x + tanh(gate_(state[0])) * 0.5};
  }

 private:
  nn::Linear gate_;
};

struct Model : nn::Module {
  nn::Embedding embed = add("embed", nn::Embedding(5, 3));
  nn::Stacked rnn = add("rnn", nn::Stacked(Damped(3), nn::LSTM(3, 4)));
  nn::Linear head = add("head", nn::Linear(4, 5));

  Variable operator()(const Tensor& symbols) const {
    return cross_entropy(head(rnn(embed(symbols)).outputs), symbols);
  }
};

std::set<std::string> places(const Graph& graph) {
  std::set<std::string> all;
  for (const GraphNode& node : graph.nodes())
    if (node.kind == GraphNode::Kind::operation)
      all.insert(node.name + extension::Place{node.scopes}.to_string());
  return all;
}

const Tensor kSymbols = Tensor::of<Index>({2, 1}, {3, 1});

}  // namespace

TEST_CASE("every operation of a model stands in its module, its layer and its time step") {
  const Model model;
  const Graph graph;
  const Tape tape;
  model(kSymbols);
  CHECK(places(graph) == std::set<std::string>{"embedding in embed",
                                               "linear in rnn.l0.gate at time step 0",
                                               "tanh in rnn.l0 at time step 0",
                                               "mul in rnn.l0 at time step 0",
                                               "add in rnn.l0 at time step 0",
                                               "linear in rnn.l0.gate at time step 1",
                                               "tanh in rnn.l0 at time step 1",
                                               "mul in rnn.l0 at time step 1",
                                               "add in rnn.l0 at time step 1",
                                               "stack in rnn.l0",
                                               "add in rnn.l1",
                                               "linear in rnn.l1",
                                               "linear in rnn.l1 at time step 0",
                                               "lstm in rnn.l1 at time step 0",
                                               "linear in rnn.l1 at time step 1",
                                               "lstm in rnn.l1 at time step 1",
                                               "stack in rnn.l1",
                                               "linear in head",
                                               "cross_entropy",
                                               "sum_to",
                                               "mul"});
}

TEST_CASE("a parameter is drawn in the module that has it") {
  const Model model;
  const Graph graph;
  const Tape tape;
  model(kSymbols);
  std::set<std::string> parameters;
  for (const GraphNode& node : graph.nodes())
    if (node.kind == GraphNode::Kind::parameter) parameters.insert(node.module() + '.' + node.name);
  CHECK(parameters == std::set<std::string>{"embed.weight", "head.bias", "head.weight",
                                            "rnn.l0.bias", "rnn.l0.weight", "rnn.l1.bias_hh",
                                            "rnn.l1.bias_ih", "rnn.l1.weight_hh",
                                            "rnn.l1.weight_ih"});
}

TEST_CASE("a module bears the name that it was added under last, and none by itself") {
  nn::Linear linear(2, 2);
  const auto place = [&] {
    const Graph graph;
    const Tape tape;
    linear(ones({1, 2}));
    return *places(graph).begin();
  };
  CHECK(place() == "linear");
  struct Pair : nn::Module {
    explicit Pair(const nn::Linear& part) {
      add("first", part);
      add("second", part);
    }
  };
  const Pair pair(linear);
  CHECK(place() == "linear in second");
}

TEST_CASE("a profile tells the time of each layer, and the check the step of a NaN") {
  Model model;
  {
    const Profile profile;
    Tape tape;
    tape.gradients(model(kSymbols));
    std::set<std::string> modules;
    for (const ProfileRow& row : profile.by_module()) modules.insert(row.module);
    CHECK(modules == std::set<std::string>{"", "embed", "rnn.l0", "rnn.l0.gate", "rnn.l1", "head"});
  }
  Variable start = zeros({1, 3});
  const FiniteCheck check;
  Tape tape;
  Tensor x = ones({3, 1, 3});
  x.mutable_data<float>()[3] = -1.0F;
  nn::Recurrent rnn(Damped(3));
  expect_error<NonFiniteError>([&] { rnn(log(tape.watch(x))); }, {"log: element [1,0,0]"});
  x.mutable_data<float>()[3] = INFINITY;
  expect_error<NonFiniteError>([&] { rnn(x); }, {"add in l0 at time step 1: element [0,0] of the "
                                                 "result [1,3] is inf; so was its input 0"});
}

TEST_CASE("looking changes no number") {
  const Model model;
  const auto run = [&] {
    Tape tape;
    const Variable loss = model(kSymbols);
    std::vector<double> numbers{loss.item()};
    const Gradients gradients = tape.gradients(loss);
    for (const ParameterGradient& gradient : gradients.parameters())
      for (double g : gradient.to_dense().to_vector<double>()) numbers.push_back(g);
    return numbers;
  };
  const auto expected = run();
  const FiniteCheck check;
  const Graph graph;
  const Profile profile;
  CHECK(run() == expected);
}

TEST_CASE("both directions of a layer have places of their own") {
  struct Both : nn::Module {
    nn::Bidirectional rnn = add("rnn", nn::Bidirectional(nn::Elman(2, 3), nn::GRU(2, 3)));
  };
  const Both both;
  const Graph graph;
  const Tape tape;
  both.rnn(ones({2, 1, 2}));
  const auto seen = places(graph);
  CHECK(seen.contains("tanh in rnn.l0 at time step 1"));
  CHECK(seen.contains("linear in rnn.reverse.l0 at time step 0"));
  CHECK(seen.contains("concat in rnn"));
}

TEST_CASE("steps that run again for their gradient stand where they stood") {
  const nn::Recurrent rnn = nn::Recurrent(nn::Elman(2, 3)).checkpointed(1);
  const Graph graph;
  Tape tape;
  const Variable x = tape.watch(ones({4, 1, 2}));
  const Variable loss = sum(rnn(x).outputs);
  const auto tanhs = [&] {
    std::string steps;
    for (const GraphNode& node : graph.nodes())
      if (node.name == "tanh") {
        CHECK(node.module() == "l0");
        steps += std::to_string(node.time_step().value());
      }
    std::sort(steps.begin(), steps.end());
    return steps;
  };
  CHECK(tanhs() == "0123");
  tape.gradients(loss);
  CHECK(tanhs() == "00112233");
  for (const GraphNode& node : graph.nodes())
    if (node.name == "checkpoint") CHECK(!node.inputs.empty());
}
