#include <autograd/inspect/graph.hpp>
#include <autograd/tensor/error.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace unroll {
namespace {

using Frame = extension::Place::Frame;
using Kind = GraphNode::Kind;

std::string literal(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + '"';
}

/// Appends a part, with the separator unless it is the first.
void join(std::string& text, const char* separator, const std::string& part) {
  if (!text.empty()) text += separator;
  text += part;
}

std::string number(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

/// A module or a time step, and what is drawn in it.
struct Cluster {
  Frame frame;
  std::vector<std::size_t> nodes;
  std::vector<Cluster> inner;

  Cluster& at(std::span<const Frame> path) {
    if (path.empty()) return *this;
    const auto found = std::find_if(inner.begin(), inner.end(), [&](const Cluster& cluster) {
      return cluster.frame == path[0];
    });
    Cluster& next = found != inner.end() ? *found : inner.emplace_back(Cluster{path[0], {}, {}});
    return next.at(path.subspan(1));
  }
};

/// The scopes that a node is drawn in. Parameters belong to modules, whatever step uses them;
/// inputs to time steps, and otherwise to no module.
std::span<const Frame> drawn_in(const GraphNode& node) {
  const std::span<const Frame> all(node.scopes);
  if (node.kind == Kind::operation) return all;
  const auto is_step = [](const Frame& frame) { return frame.time_step.has_value(); };
  if (node.kind == Kind::parameter)
    return all.first(
        static_cast<std::size_t>(std::find_if(all.begin(), all.end(), is_step) - all.begin()));
  const auto last = std::find_if(all.rbegin(), all.rend(), is_step);
  return all.first(static_cast<std::size_t>(all.rend() - last));
}

class Writer {
 public:
  Writer(const std::vector<GraphNode>& nodes, const DotOptions& options)
      : nodes_(nodes), options_(options) {}

  std::string write() {
    Cluster root;
    for (std::size_t k = 0; k < nodes_.size(); ++k) root.at(drawn_in(nodes_[k])).nodes.push_back(k);
    text_ = std::string("digraph unroll {\n") +
            (options_.left_to_right ? "  rankdir=LR;\n" : "  rankdir=BT;\n") +
            "  ranksep=0.35; nodesep=0.2; fontname=\"Helvetica\"; fontsize=11;\n"
            "  node [fontname=\"Helvetica\", fontsize=11, height=0.3, margin=\"0.1,0.05\", "
            "style=filled, shape=box];\n"
            "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.6, color=\"#404040\", "
            "fontcolor=\"#606060\"];\n";
    write(root, "  ");
    for (std::size_t k = 0; k < nodes_.size(); ++k)
      for (const GraphEdge& edge : nodes_[k].inputs) write(edge, k);
    return text_ + "}\n";
  }

 private:
  void write(const Cluster& cluster, const std::string& indent) {
    for (std::size_t node : cluster.nodes) text_ += indent + node_line(node);
    for (const Cluster& inner : cluster.inner) {
      const bool is_step = inner.frame.time_step.has_value();
      text_ += indent + "subgraph cluster_" + std::to_string(clusters_++) + " {\n";
      text_ += indent + "  label=" +
               (is_step ? literal("time step " + std::to_string(*inner.frame.time_step))
                        : literal(inner.frame.module)) +
               (is_step ? "; style=\"rounded,filled\"; color=\"#f0f0f0\";\n"
                        : "; style=rounded; color=\"#909090\"; bgcolor=white;\n");
      write(inner, indent + "  ");
      text_ += indent + "}\n";
    }
  }

  std::string node_line(std::size_t k) const {
    const GraphNode& node = nodes_[k];
    std::string label = node.label;
    if (!node.name.empty()) join(label, " = ", node.name);
    if (node.number) join(label, " = ", number(*node.number));
    if (options_.shapes && !node.number) join(label, "\n", shapes(node));
    if (label.empty()) label = node.kind == Kind::constant ? "constant" : "input";
    std::string look;
    switch (node.kind) {
      case Kind::operation:
        look = "fillcolor=white, style=\"rounded,filled\"";
        break;
      case Kind::parameter:
        look = "fillcolor=\"#fde3b8\"";
        break;
      case Kind::input:
        look = "fillcolor=\"#cfe5fa\", shape=ellipse";
        break;
      case Kind::constant:
        look = "fillcolor=\"#eef5fc\", shape=ellipse, style=\"filled,dashed\"";
        break;
    }
    return std::string("n").append(std::to_string(k)) + " [label=" + literal(label) + ", " + look +
           "];\n";
  }

  /// "[2,3]", "2 of [2,3]", "[2,3] [4]".
  static std::string shapes(const GraphNode& node) {
    const bool alike = std::all_of(node.shapes.begin(), node.shapes.end(),
                                   [&](const Shape& shape) { return shape == node.shapes[0]; });
    if (alike && node.shapes.size() > 1)
      return std::to_string(node.shapes.size()) + " of " + to_string(node.shapes[0]);
    std::string text;
    for (const Shape& shape : node.shapes) join(text, " ", to_string(shape));
    return text;
  }

  void write(const GraphEdge& edge, std::size_t to) {
    const GraphNode& from = nodes_[edge.from];
    std::string label;
    if (from.shapes.size() > 1) label = "result " + std::to_string(edge.output);
    if (options_.parts && !edge.part.empty()) join(label, " ", edge.part);
    text_ += "  n" + std::to_string(edge.from) + " -> n" + std::to_string(to);
    std::string look;
    if (!label.empty()) look = "label=" + literal(label);
    if (from.kind == Kind::parameter) join(look, ", ", "color=\"#d8a040\"");
    text_ += look.empty() ? ";\n" : " [" + look + "];\n";
  }

  const std::vector<GraphNode>& nodes_;
  const DotOptions& options_;
  std::string text_;
  std::size_t clusters_ = 0;
};

/// A file with this text that goes when the object does.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_((std::filesystem::temp_directory_path() / "unroll_XXXXXX").string()) {
    const int file = mkstemp(path_.data());
    if (file < 0) throw ArgumentError("graph: cannot make a temporary file " + path_);
    close(file);
    std::ofstream stream(path_);
    stream << text;
    if (stream.flush()) return;
    std::remove(path_.c_str());
    throw ArgumentError("graph: cannot write the temporary file " + path_);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// The path as a word of the shell.
  std::string word() const {
    std::string word = "'";
    for (char c : path_)
      if (c == '\'')
        word += "'\\''";
      else
        word += c;
    return word + '\'';
  }

 private:
  std::string path_;
};

}  // namespace

std::string Graph::dot(const DotOptions& options) const { return Writer(nodes_, options).write(); }

std::string Graph::svg(const DotOptions& options) const {
  constexpr int kNotFound = 127;
  const TemporaryFile file(dot(options));
  const std::string command =
      "command -v dot >/dev/null 2>&1 || exit 127; exec dot -Tsvg " + file.word();
  std::FILE* program = popen(command.c_str(), "r");
  if (!program) throw ArgumentError("graph: no further program can be started, so dot cannot draw");
  std::string picture;
  std::array<char, 4096> block;
  for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), program)) > 0;)
    picture.append(block.data(), n);
  const int status = pclose(program);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == kNotFound)
    throw ArgumentError(
        "graph: a picture is drawn by the program `dot`, which is not installed; install Graphviz "
        "(Debian: apt-get install graphviz), or take the text from dot()");
  if (code != 0)
    throw ArgumentError("graph: the program `dot` failed with code " + std::to_string(code));
  return picture;
}

void Graph::write(const std::string& path, const DotOptions& options) const {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending != ".dot" && ending != ".svg")
    throw ArgumentError("graph: cannot write " + path + ": the path must end in .dot or .svg");
  const std::string text = ending == ".dot" ? dot(options) : svg(options);
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw ArgumentError("graph: cannot write " + path);
}

}  // namespace unroll
