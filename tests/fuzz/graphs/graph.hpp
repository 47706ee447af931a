#pragma once

#include <autograd/tensor/tensor.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

/// A random graph as text that several programs understand: the library's, and the oracle's.
///
///     graph ORDER
///     leaf SHAPE LOW HIGH SEED LAYOUT        a variable; values by the formula of `values`
///     parameter SHAPE LOW HIGH SEED LAYOUT   the same, as a Parameter
///     constant SHAPE LOW HIGH SEED LAYOUT
///     whole SHAPE BELOW SEED                 int64, 0..BELOW-1
///     call OP HOW INPUTS : NUMBERS           HOW: plain, checkpoint or gradient
///     loss VALUE SEED                        adds sum(value * weights) to the loss
///
/// Every line but the first and the loss lines makes one value, or, a call, as many as its op has
/// results; values are numbered from 0 in that order. SHAPE is `2x3`, or `-` for a scalar.
namespace unroll::testing::graphs {

struct Source {
  enum class Kind { leaf, parameter, constant, whole };
  Kind kind = Kind::leaf;
  Shape shape;
  double low = 0.0, high = 0.0;  ///< for whole numbers: 0 and BELOW
  std::uint64_t seed = 0;
  int layout = 0;  ///< 0 row-major, 1 transposed, 2 every other element, 3 from behind
};

enum class How { plain, checkpoint, gradient };

struct Call {
  std::string op;
  How how = How::plain;
  std::vector<int> inputs;
  std::vector<double> numbers;
};

struct Step {
  bool is_call = false;
  Source source;
  Call call;
};

struct Loss {
  int value = 0;
  std::uint64_t seed = 0;
};

struct Graph {
  int order = 1;  ///< how many times the gradient is taken, of a loss made of the gradients before
  std::vector<Step> steps;
  std::vector<Loss> losses;
};

/// Row-major, from a hash of seed and position (splitmix64), so that every language has the same
/// bits.
std::vector<double> values(Index count, double low, double high, std::uint64_t seed);
Tensor tensor(const Source& source, Dtype dtype);

std::string to_string(const Graph& graph);
/// Reads one graph, up to an empty line or the end. Throws Error for a line it does not know.
Graph parse(std::istream& stream);

struct Options {
  Dtype dtype = Dtype::float64;
  bool differentiable = false;  ///< records also the last backward pass
  bool twice = false;           ///< runs the last backward pass a second time and returns that
};

/// The loss and the gradient of every leaf, of the last order. A gradient of a loss that does not
/// depend on any leaf is zeros.
struct Result {
  double loss = 0.0;
  std::vector<std::vector<double>> gradients;
};
Result run(const Graph& graph, const Options& options = {});

}  // namespace unroll::testing::graphs
