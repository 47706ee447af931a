#pragma once

#include <autograd/inspect/inspector.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

/// What leads into an operation.
struct GraphEdge {
  std::size_t from;        ///< number of the node
  std::size_t output = 0;  ///< which of its results
  Shape shape;             ///< of what the operation reads
  std::string part;        ///< what a view shows of that result, "[2,:,8:16]"; empty for all of it
};

/// An operation, or a leaf of the graph.
struct GraphNode {
  /// What a node stands for.
  enum class Kind { operation, parameter, input, constant };

  Kind kind;
  std::string name;               ///< of the operation or the parameter; empty for inputs
  std::string label;              ///< given with Graph::name
  std::vector<Shape> shapes;      ///< of the results; one for a leaf
  Dtype dtype = Dtype::float32;   ///< of the first
  std::optional<double> number;   ///< the value of a constant of one element
  std::vector<GraphEdge> inputs;  ///< in the order of the arguments; one for each use
  std::vector<extension::Place::Frame> scopes;  ///< of a leaf: those that all its uses share

  std::string module() const { return extension::Place{scopes}.module(); }
  std::optional<Index> time_step() const { return extension::Place{scopes}.time_step(); }
};

struct DotOptions {
  bool left_to_right = true;  ///< otherwise from bottom to top
  bool shapes = true;         ///< in the nodes
  bool parts = true;          ///< on the arrows from which a view takes a part
};

/// The computational graph of what the tapes of this thread record while it lives, as data, as DOT
/// text and as a picture. Operations and leaves are nodes; views are no operations and are written
/// on the arrows.
///
///     Graph graph;
///     Tape tape;
///     const Variable x = tape.watch(value);
///     const Variable y = graph.name(model(graph.name(x, "x")), "y");
///     graph.write("model.svg");
///
/// It keeps the constants that flow in, but no other values.
class Graph : private extension::Inspector {
 public:
  Graph() = default;

  /// In the order of recording; a leaf comes before its first use.
  const std::vector<GraphNode>& nodes() const { return nodes_; }

  /// Labels the node of x, and returns x. A leaf or a constant may be named before its first use.
  /// A view stands for its base; what was recorded before this graph is an input of it. Throws
  /// ArgumentError for an undefined variable.
  Variable name(const Variable& x, const std::string& label);

  /// The graph in the DOT language: the same text for the same graph. Modules and time steps are
  /// boxes around their nodes.
  std::string dot(const DotOptions& options = {}) const;
  /// The graph as SVG, drawn by the program `dot` of Graphviz. Throws ArgumentError when that is
  /// not installed or fails.
  std::string svg(const DotOptions& options = {}) const;
  /// Writes either, by the ending of the path: .dot or .svg. Throws ArgumentError for another one,
  /// for a file that cannot be written, and as svg() does.
  void write(const std::string& path, const DotOptions& options = {}) const;

 private:
  using Slot = std::pair<std::uint64_t, std::uint32_t>;  // tape, and slot on it
  using Output = std::pair<std::size_t, std::size_t>;    // node, and which of its outputs

  void recorded(const Tape& tape, const extension::SeenOperation& operation,
                std::span<const Variable> outputs) override;
  Output leaf(const Tape* tape, const Variable& x);
  std::size_t constant(const Tensor& value);

  std::vector<GraphNode> nodes_;
  std::map<Slot, Output> places_;
  std::vector<std::pair<Tensor, std::size_t>> constants_;  // kept, so that an address stays theirs
  std::set<std::size_t> unused_;                           // leaves that only have a name so far
};

}  // namespace unroll
