#pragma once

#include "graph.hpp"

#include <autograd/tape/variable.hpp>
#include <autograd/tensor/random.hpp>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// The grammar of random graphs: a row for each way to call an op.
namespace unroll::testing::graphs {

using Inputs = std::span<const Variable>;
using Numbers = std::span<const double>;

/// Where the elements of an operand must lie for an op to be smooth there.
enum class Domain {
  any,
  positive,   ///< 0.05 and more
  unit,       ///< -0.95..0.95
  above_one,  ///< 1.05 and more
  nonzero,    ///< 0.02 and more from 0
  apart       ///< no two elements closer than 0.001
};

/// Large arrays are cut into parts for several threads.
enum class Sizes { small, large };

/// What a row draws its operands and numbers from; values that do not exist yet are added to the
/// graph.
class Draw {
 public:
  explicit Draw(std::uint64_t seed, Sizes sizes = Sizes::small) : generator_(seed), sizes_(sizes) {}

  Index pick(Index count) {
    return static_cast<Index>(generator_.below(static_cast<std::uint64_t>(count)));
  }
  bool chance(Index one_in) { return pick(one_in) == 0; }
  double real(double low, double high) { return low + (high - low) * generator_.uniform(); }

  /// A value that is there already, of at least this rank, or -1.
  int any(int least_rank = 0);
  /// One within a domain: made of `any`, or a new source.
  int within(Domain domain, int least_rank = 0);
  /// A value or a new source of this shape.
  int of(const Shape& shape, Domain domain = Domain::any);
  /// A value whose shape broadcasts with that of another.
  int beside(int value, Domain domain = Domain::any);
  int constant(const Shape& shape, double low, double high);
  int whole(const Shape& shape, Index below);

  const Variable& value(int id) const { return values_[static_cast<std::size_t>(id)]; }
  const Shape& shape(int id) const { return value(id).shape(); }
  int rank(int id) const { return value(id).rank(); }
  int axis(int id) { return static_cast<int>(pick(rank(id))); }
  Shape some_shape(int least_rank = 0);

  bool lies_in(int id, Domain domain) const;

  /// Appends a call if its results are few and of moderate size; -1 otherwise, else the first
  /// result.
  int append(const Call& call);

  Graph finish(int order);
  int calls() const { return calls_; }

 private:
  int add(const Source& source);

  Generator generator_;
  Sizes sizes_;
  Graph graph_;
  std::vector<Variable> values_;
  std::vector<bool> is_whole_;
  std::uint64_t seeds_ = 0;
  int calls_ = 0;
};

struct Row {
  std::string op;  ///< the name under which autograd/ops declares it
  /// Fills in inputs and numbers; false where nothing fits.
  std::function<bool(Draw&, Call&)> draw;
  std::function<std::vector<Variable>(Inputs, Numbers)> apply;
};

/// By the name that stands in a call: that of the op, and `/` with a word if there are several.
const std::map<std::string, Row>& rows();

/// What a call returns. Whole numbers take no part in what is recorded.
std::vector<Variable> results_of(const Call& call, const std::vector<Variable>& inputs);

void add_elementwise(std::map<std::string, Row>& rows);
void add_layout(std::map<std::string, Row>& rows);
void add_products(std::map<std::string, Row>& rows);
void add_reductions(std::map<std::string, Row>& rows);
void add_losses(std::map<std::string, Row>& rows);

/// For rows that take one operand and give one result.
template <class F>
Row unary(std::string op, Domain domain, F f) {
  return {std::move(op),
          [domain](Draw& draw, Call& call) {
            call.inputs = {draw.within(domain)};
            return true;
          },
          [f](Inputs x, Numbers) { return std::vector<Variable>{f(x[0])}; }};
}

/// A random graph of this seed, with gradients of this order.
Graph generate(std::uint64_t seed, int order, Sizes sizes = Sizes::small);

}  // namespace unroll::testing::graphs
