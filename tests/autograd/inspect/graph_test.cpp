#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

using Kind = GraphNode::Kind;

/// "mul(x,y) exp(mul)": each operation and where its inputs come from, by label, name or number.
std::string sentences(const Graph& graph) {
  const auto title = [&](std::size_t k) {
    const GraphNode& node = graph.nodes()[k];
    if (!node.label.empty()) return node.label;
    return node.name.empty() ? std::string("#").append(std::to_string(k)) : node.name;
  };
  std::string text;
  for (const GraphNode& node : graph.nodes()) {
    if (node.kind != Kind::operation) continue;
    if (!text.empty()) text += ' ';
    text.append(node.name).append("(");
    for (const GraphEdge& edge : node.inputs) {
      if (text.back() != '(') text += ',';
      text.append(title(edge.from)).append(edge.part);
    }
    text += ')';
  }
  return text;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

/// The environment with another PATH while it lives.
class Path {
 public:
  explicit Path(const char* path) : before_(std::getenv("PATH")) { setenv("PATH", path, 1); }
  ~Path() { setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

bool has_graphviz() { return std::system("command -v dot >/dev/null 2>&1") == 0; }

}  // namespace

TEST_CASE("a graph holds every operation with its inputs in the order of the arguments") {
  Graph graph;
  Tape tape;
  const Variable x = graph.name(tape.watch(full({2}, 1.0)), "x");
  const Variable y = graph.name(tape.watch(full({2}, 2.0)), "y");
  const Variable z = graph.name(x * y, "z");
  sum(z - x);
  CHECK(sentences(graph) ==
        "mul(x,y)"
        " sub(z,x)"
        " sum_to(sub)");
  CHECK(graph.nodes().size() == 5);
  CHECK(graph.nodes()[0].kind == Kind::input);
  CHECK(graph.nodes()[2].shapes == std::vector<Shape>{{2}});
  CHECK(graph.nodes()[2].dtype == Dtype::float32);
  CHECK(graph.nodes()[4].shapes == std::vector<Shape>{Shape{}});
}

TEST_CASE("an input that is used twice has two arrows") {
  Graph graph;
  Tape tape;
  const Variable x = graph.name(tape.watch(full({}, 3.0)), "x");
  x* x;
  CHECK(sentences(graph) == "mul(x,x)");
  CHECK(count(graph.dot(), "n0 -> n1") == 2);
}

TEST_CASE("leaves are parameters, watched inputs or constants, each one node") {
  const Parameter weight("weight", ones({2, 3}));
  const Tensor data = ones({4, 2});
  Graph graph;
  Tape tape;
  const Variable bias = tape.watch(zeros({3}));
  const Variable y = matmul(data, weight) + bias;
  y* matmul(data, weight) * full({}, 0.5);
  const auto& nodes = graph.nodes();
  CHECK(sentences(graph) ==
        "matmul(#0,weight) add(matmul,#3) matmul(#0,weight) mul(add,matmul) mul(mul,#7)");
  CHECK(nodes[0].kind == Kind::constant);
  CHECK(nodes[1].kind == Kind::parameter);
  CHECK(nodes[3].kind == Kind::input);
  CHECK(nodes[7].kind == Kind::constant);
  CHECK(nodes[1].name == "weight");
  CHECK(nodes[1].shapes[0] == Shape{2, 3});
  CHECK(!nodes[0].number.has_value());
  CHECK(graph.dot().find("label=\"0.5\"") != std::string::npos);
}

TEST_CASE("views are no nodes: the arrow says what part of the base flows") {
  Graph graph;
  Tape tape;
  const Variable x = graph.name(tape.watch(ones({3, 4, 6})), "x");
  exp(select(x, 0, 2));
  exp(slice(x, 2, 2, 4));
  exp(slice(select(x, 0, 1), 1, 3, 6));
  exp(slice(x, 2, 1, 6, 2));
  exp(reshape(x, {12, 6}));
  exp(transpose(select(x, 0, 0)));
  exp(permute(x, {2, 1, 0}));
  exp(reshape(slice(x, 0, 1, 3), {8, 6}));
  exp(x);
  CHECK(sentences(graph) ==
        "exp(x[2,:,:])"
        " exp(x[:,:,2:4])"
        " exp(x[1,:,3:6])"
        " exp(x[:,:,1:6:2])"
        " exp(xas [12,6])"
        " exp(x[0,:,:] transposed)"
        " exp(xtransposed)"
        " exp(xpart)"
        " exp(x)");
  CHECK(graph.nodes().size() == 10);
  CHECK(graph.nodes()[0].shapes[0] == Shape{3, 4, 6});
  CHECK(graph.nodes()[1].inputs[0].shape == Shape{4, 6});
}

TEST_CASE("an operation with several results says which one is read") {
  Graph graph;
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  const auto [a, b] = pointwise(
      "pair",
      [](auto v) {
        return std::pair{v * v, v + v};
      },
      x);
  exp(b);
  CHECK(graph.nodes()[1].shapes.size() == 2);
  CHECK(graph.nodes()[2].inputs[0].from == 1);
  CHECK(graph.nodes()[2].inputs[0].output == 1);
  CHECK(graph.dot().find("n1 -> n2 [label=\"result 1\"]") != std::string::npos);
}

TEST_CASE("operations stand in the scopes that were open, leaves in those all their uses share") {
  const Parameter weight("weight", full({}, 2.0));
  Graph graph;
  Tape tape;
  Variable h = weight;
  const Scope model("model");
  for (Index t = 0; t < 2; ++t) {
    const Scope step = Scope::time_step(t);
    const Scope inner("inner");
    const Variable x =
        graph.name(tape.watch(full({}, 1.0)), std::string("x").append(std::to_string(t)));
    h = h * x;
  }
  const auto& nodes = graph.nodes();
  REQUIRE(nodes.size() == 5);  // x0, weight, mul, x1, mul
  CHECK(nodes[2].module() == "model.inner");
  CHECK(nodes[2].time_step() == 0);
  CHECK(nodes[4].time_step() == 1);
  CHECK(nodes[3].time_step() == 1);
  CHECK(nodes[1].kind == Kind::parameter);
  const std::string dot = graph.dot();
  CHECK(count(dot, "subgraph cluster_") == 5);
  CHECK(dot.find("label=\"model\"") < dot.find("label=\"time step 0\""));
  CHECK(dot.find("label=\"time step 1\"") != std::string::npos);
}

TEST_CASE("a parameter of several steps is drawn outside of them") {
  const Parameter weight("weight", full({}, 2.0));
  Graph graph;
  Tape tape;
  const Scope model("model");
  Variable h(full({}, 1.0));
  for (Index t = 0; t < 3; ++t) {
    const Scope step = Scope::time_step(t);
    h = h * weight;
  }
  CHECK(graph.nodes()[1].module() == "model");
  CHECK(!graph.nodes()[1].time_step().has_value());
}

TEST_CASE("the text is the same for the same graph, and whole words stay whole") {
  const auto draw = [] {
    Graph graph;
    Tape tape;
    graph.name(exp(graph.name(tape.watch(ones({2})), "a \"b\" \\c\nd")), "y");
    return graph.dot();
  };
  CHECK(draw() == draw());
  CHECK(draw() ==
        "digraph unroll {\n"
        "  rankdir=LR;\n"
        "  ranksep=0.35; nodesep=0.2; fontname=\"Helvetica\"; fontsize=11;\n"
        "  node [fontname=\"Helvetica\", fontsize=11, height=0.3, margin=\"0.1,0.05\", "
        "style=filled, shape=box];\n"
        "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.6, color=\"#404040\", "
        "fontcolor=\"#606060\"];\n"
        "  n0 [label=\"a \\\"b\\\" \\\\c\\nd\\n[2]\", fillcolor=\"#cfe5fa\", shape=ellipse];\n"
        "  n1 [label=\"y = exp\\n[2]\", fillcolor=white, style=\"rounded,filled\"];\n"
        "  n0 -> n1;\n"
        "}\n");
}

TEST_CASE("a graph sees only what is recorded while it lives") {
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  const Variable before = exp(x);
  Graph graph;
  const Variable y = tanh(before);
  {
    const Graph inner;
    sin(y);
    CHECK(inner.nodes().size() == 2);
  }
  CHECK(sentences(graph) ==
        "tanh(#0)"
        " sin(tanh)");
  CHECK(graph.nodes()[0].kind == Kind::input);
  Tensor constant = ones({2});
  exp(Variable(constant));
  CHECK(graph.nodes().size() == 3);
}

TEST_CASE("gradients that are themselves recorded stand where their operations stood") {
  Graph graph;
  Tape tape;
  const Variable x = tape.watch(full({}, 2.0));
  Variable y;
  {
    const Scope cube("cube");
    y = x * x * x;
  }
  const std::size_t forward = graph.nodes().size();
  tape.gradients(y, {.differentiable = true});
  REQUIRE(graph.nodes().size() > forward);
  for (std::size_t k = forward; k < graph.nodes().size(); ++k)
    if (graph.nodes()[k].kind == Kind::operation) CHECK(graph.nodes()[k].module() == "cube");
}

TEST_CASE("an undefined variable cannot be named") {
  Graph graph;
  expect_error<ArgumentError>([&] { graph.name(Variable(), "nobody"); }, {"graph", "nobody"});
}

TEST_CASE("a graph is written as text or as a picture") {
  Graph graph;
  Tape tape;
  graph.name(exp(tape.watch(ones({2}))), "y");
  const auto folder = std::filesystem::temp_directory_path() / "unroll graph's test";
  std::filesystem::create_directories(folder);
  graph.write(folder / "a.dot");
  std::stringstream text;
  text << std::ifstream(folder / "a.dot").rdbuf();
  CHECK(text.str() == graph.dot());

  expect_error<ArgumentError>([&] { graph.write(folder / "a.png"); }, {"a.png", ".dot or .svg"});
  expect_error<ArgumentError>([&] { graph.write(folder / "none" / "a.dot"); },
                              {"graph: cannot write", "none"});
  if (has_graphviz()) {
    const std::string svg = graph.svg();
    CHECK(svg.find("<svg") != std::string::npos);
    CHECK(svg.find("y = exp") != std::string::npos);
    CHECK(svg.find("</svg>") != std::string::npos);
  }
  {
    const Path nowhere(folder.c_str());
    expect_error<ArgumentError>([&] { graph.svg(); }, {"graph", "`dot`", "graphviz", "dot()"});
  }
  std::filesystem::remove_all(folder);
}
