// The graphs that the lectures draw, as the library draws them: docs/pictures.
//
// 000_1637ef2ec2d0b1c0.txt, "Unfolding in time", <x1, x2, x3> -> y:
//
//   h1 = f_hid(W_in x1)      h2 = f_hid(W_in x2 + W_rec h1)      h3 = f_hid(W_in x3 + W_rec h2)
//   y  = f_out(W_out h3)
//
// 004_f35a51dda55cb382.txt, "Computational graphs":
//
//   z = x y                  y = sigma(x^T W + b)                H = max{0, XW + b}
//
// A committed picture must show the graph that the code has: the same nodes, in the same order,
// with the same words, and the same arrows. To draw them anew (Graphviz is needed):
//
//   UNROLL_DRAW=1 ctest --preset release -R hand_derived/drawings
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace unroll;

namespace {

using Arrows = std::vector<std::string>;

/// "x -> matmul" for every arrow, in the order of recording. A node without a label is called by
/// its operation.
Arrows arrows(const Graph& graph) {
  const auto title = [&](std::size_t k) {
    const GraphNode& node = graph.nodes()[k];
    return node.label.empty() ? node.name : node.label;
  };
  Arrows all;
  for (std::size_t k = 0; k < graph.nodes().size(); ++k)
    for (const GraphEdge& edge : graph.nodes()[k].inputs)
      all.push_back(title(edge.from) + " -> " + title(k));
  return all;
}

Variable input(Graph& graph, const Shape& shape, const std::string& name) {
  return graph.name(Tape::active()->watch(ones(shape, Dtype::float64)), name);
}

std::string numbered(char letter, Index t) {
  return std::string(1, letter).append(std::to_string(t));
}

void unfolding(Graph& graph) {
  const Parameter w_in("W_in", ones({3, 2}, Dtype::float64));
  const Parameter w_rec("W_rec", ones({3, 3}, Dtype::float64));
  const Parameter w_out("W_out", ones({1, 3}, Dtype::float64));
  Variable h;
  for (Index t = 1; t <= 3; ++t) {
    const Scope step = Scope::time_step(t);
    Variable a = matmul(w_in, input(graph, {2, 1}, numbered('x', t)));
    if (t > 1) a = a + matmul(w_rec, h);
    h = graph.name(tanh(a), numbered('h', t));
  }
  graph.name(sigmoid(matmul(w_out, h)), "y");
}

void product(Graph& graph) {
  const Variable x = input(graph, {}, "x");
  graph.name(x * input(graph, {}, "y"), "z");
}

void neuron(Graph& graph) {
  const Parameter w("W", ones({4, 3}, Dtype::float64)), b("b", ones({3}, Dtype::float64));
  const Variable x = input(graph, {4, 1}, "x");
  graph.name(sigmoid(matmul(transpose(x), w) + b), "y");
}

void layer(Graph& graph) {
  const Parameter w("W", ones({4, 3}, Dtype::float64)), b("b", ones({3}, Dtype::float64));
  graph.name(relu(matmul(input(graph, {5, 4}, "X"), w) + b), "H");
}

/// No drawing of a lecture: what the library's own layers look like.
void elman(Graph& graph) {
  const nn::Recurrent rnn(nn::Elman(2, 3));
  graph.name(rnn(graph.name(ones({3, 1, 2}), "x")).outputs, "outputs");
}
void stacked_lstm(Graph& graph) {
  const nn::Stacked rnn(nn::LSTM(3, 4), nn::LSTM(4, 4));
  graph.name(rnn(graph.name(ones({2, 1, 3}), "x")).outputs, "outputs");
}

void build(Graph& graph, void (*program)(Graph&)) {
  const Tape tape;
  program(graph);
}

/// What a picture shows of the nodes and of the arrows: "n0: x [2,1]" and "n0->n1".
struct Shown {
  std::map<std::string, std::string> nodes;
  std::multiset<std::string> arrows;
};

std::string plain_text(std::string xml) {
  for (const auto& [code, c] : {std::pair{"&#45;", "-"}, {"&gt;", ">"}, {"&#160;", " "}})
    xml = std::regex_replace(xml, std::regex(code), c);
  return xml;
}

Shown shown_by(const std::string& svg) {
  static const std::regex group(R"re(<g id="\w+" class="(node|edge)">\s*<title>([^<]*)</title>)re");
  static const std::regex words(R"(<text[^>]*>([^<]*)</text>)");
  Shown shown;
  for (std::sregex_iterator at(svg.begin(), svg.end(), group), end; at != end; ++at) {
    const std::string title = plain_text((*at)[2]);
    if ((*at)[1] == "edge") {
      shown.arrows.insert(title);
      continue;
    }
    const auto begin = static_cast<std::size_t>(at->position() + at->length());
    const std::string body = svg.substr(begin, svg.find("</g>", begin) - begin);
    std::string& text = shown.nodes[title];
    for (std::sregex_iterator word(body.begin(), body.end(), words); word != end; ++word) {
      if (!text.empty()) text += ' ';
      text += plain_text((*word)[1]);
    }
  }
  return shown;
}

Shown expected(const std::string& dot) {
  static const std::regex node(R"re(\s*(n\d+) \[label="([^"]*)".*)re");
  static const std::regex arrow(R"re(\s*(n\d+) -> (n\d+)(;| \[).*)re");
  Shown shown;
  std::istringstream lines(dot);
  std::smatch match;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, match, node))
      shown.nodes[match[1]] = std::regex_replace(match[2].str(), std::regex(R"(\\n)"), " ");
    else if (std::regex_match(line, match, arrow))
      shown.arrows.insert(match[1].str() + "->" + match[2].str());
  return shown;
}

}  // namespace

TEST_CASE("the unfolded network is drawn as on the slide: one chain of states, three weights") {
  Graph graph;
  build(graph, unfolding);
  CHECK(arrows(graph) == Arrows{"W_in -> matmul",  "x1 -> matmul",                    //
                                "matmul -> h1",                                       //
                                "W_in -> matmul",  "x2 -> matmul",                    //
                                "W_rec -> matmul", "h1 -> matmul",                    //
                                "matmul -> add",   "matmul -> add", "add -> h2",      //
                                "W_in -> matmul",  "x3 -> matmul",                    //
                                "W_rec -> matmul", "h2 -> matmul",                    //
                                "matmul -> add",   "matmul -> add", "add -> h3",      //
                                "W_out -> matmul", "h3 -> matmul",  "matmul -> y"});  //
  for (const GraphNode& node : graph.nodes()) {
    if (node.label.starts_with('x') || node.label.starts_with('h'))
      CHECK(node.time_step() == std::stoi(node.label.substr(1)));
    if (node.label == "y" || node.name == "W_in" || node.name == "W_rec")
      CHECK(!node.time_step().has_value());
  }
}

TEST_CASE("the three computational graphs are drawn as in the lecture") {
  {
    Graph graph;
    build(graph, product);
    CHECK(arrows(graph) == Arrows{"x -> z", "y -> z"});
  }
  {
    Graph graph;
    build(graph, neuron);
    CHECK(arrows(graph) ==
          Arrows{"x -> matmul", "W -> matmul", "matmul -> add", "b -> add", "add -> y"});
    CHECK(graph.nodes()[2].name == "matmul");
    CHECK(graph.nodes()[2].inputs[0].shape == Shape{1, 4});  // x^T
  }
  {
    Graph graph;
    build(graph, layer);
    CHECK(arrows(graph) ==
          Arrows{"X -> matmul", "W -> matmul", "matmul -> add", "b -> add", "add -> H"});
    CHECK(graph.nodes().back().name == "relu");
  }
}

TEST_CASE("the committed pictures show these graphs") {
  const std::filesystem::path folder =
      std::filesystem::path(UNROLL_SOURCE_DIR) / "docs" / "pictures";
  const std::vector<std::pair<std::string, void (*)(Graph&)>> pictures{
      {"unfolding", unfolding}, {"product", product}, {"neuron", neuron},
      {"layer", layer},         {"elman", elman},     {"stacked_lstm", stacked_lstm}};
  for (const auto& [name, program] : pictures) {
    CAPTURE(name);
    Graph graph;
    build(graph, program);
    const std::filesystem::path path = folder / (name + ".svg");
    if (std::getenv("UNROLL_DRAW")) graph.write(path);
    std::ostringstream svg;
    svg << std::ifstream(path).rdbuf();
    const Shown shown = shown_by(svg.str()), wanted = expected(graph.dot());
    CHECK(!wanted.nodes.empty());
    CHECK(shown.nodes == wanted.nodes);
    CHECK(shown.arrows == wanted.arrows);
  }
}
