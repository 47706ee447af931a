#pragma once

#include <autograd/tape/gradient_buffer.hpp>
#include <autograd/tape/parameter.hpp>
#include <autograd/tape/product_terms.hpp>
#include <autograd/tape/variable.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace unroll {

class Tape;

/// Rows `indices: [n]` of a table with their gradient `values: [n,D]`; a row may occur several
/// times.
struct RowsTerm {
  Tensor indices;
  Variable values;
};

/// The gradient of one parameter. An embedding that was only looked up keeps it as rows.
struct ParameterGradient {
  Parameter parameter;
  std::uint32_t slot = 0;
  Variable dense;  ///< shape of the parameter; undefined while the gradient is kept as rows
  memory::Vector<RowsTerm> rows;  ///< terms to add up, when dense is undefined

  /// The gradient as one tensor of the parameter's shape.
  Tensor to_dense() const;
  /// The same as a variable: still recorded where the backward pass was differentiable.
  Variable whole() const;
  /// Multiplies the gradient by a factor.
  void scale(double factor);
};

/// The gradients of one loss, as values: nothing accumulates between calls, nothing must be zeroed.
class Gradients {
 public:
  /// d loss / d leaf, for a variable got from Tape::watch or named in GradientOptions::of; zeros
  /// when the loss does not depend on it. Throws TapeError for any other variable.
  Variable operator[](const Variable& x) const;
  /// d loss / d parameter; zeros when the loss does not depend on it.
  Variable operator[](const Parameter& parameter) const;

  /// One entry for every parameter that the loss depends on, in the order of first use by the tape.
  std::span<ParameterGradient> parameters() { return parameters_; }
  std::span<const ParameterGradient> parameters() const { return parameters_; }

  /// Adds the parameter gradients of another loss, for batches in parts or work on several threads.
  /// Gradients of variables stay as they are: those belong to one tape.
  Gradients& operator+=(const Gradients& other);
  /// Multiplies the parameter gradients by a factor: 1 / n for the mean of n that were added up.
  void scale(double factor);

 private:
  friend class Tape;
  struct Entry {
    std::uint32_t slot;
    Variable gradient;  // shape and dtype alone where the loss does not depend on the variable
  };
  std::uint64_t tape_ = 0;
  memory::Vector<Entry> variables_;
  memory::Vector<ParameterGradient> parameters_;
};

namespace detail {
class Closure;

/// While one lives, backward passes of this thread add up gradients as tensors of the variable's
/// whole shape, term by term: nothing is computed in place, kept as a part, as rows or as a product
/// to be joined with others. The reference that tests compare the accumulator with.
class PlainAccumulation {
 public:
  PlainAccumulation() : before_(std::exchange(on_, true)) {}
  ~PlainAccumulation() { on_ = before_; }
  PlainAccumulation(const PlainAccumulation&) = delete;
  PlainAccumulation& operator=(const PlainAccumulation&) = delete;
  static bool on() { return on_; }

 private:
  bool before_;
  static thread_local bool on_;
};

}  // namespace detail

/// Accumulates gradients during the backward pass. Contributions to a variable are kept as a list
/// of terms and summed once, when the pass reaches the operation that made the variable. Contract
/// for vjps: every call adds a term, none overwrites. Terms for constants are dropped.
class BackwardPass {
 public:
  /// A part of a tensor along one axis: positions begin, begin + step, ... below end.
  struct Region {
    int axis = 0;
    Index begin = 0;
    Index end = 0;
    Index step = 1;
  };

  /// False for constants: a vjp may skip the work for a term that nobody wants.
  bool wants(const Variable& x) const { return x.tape_ == tape_id_; }

  /// Adds `g`, of the shape of x or of a shape that x was broadcast to (it is then summed back).
  /// One that is too small is not broadcast: use broadcast_to.
  void add(const Variable& x, Variable g);
  /// Adds `g` to a region of x: the cost is that of the region, not of x.
  void add_region(const Variable& x, const Region& region, const Variable& g);
  /// Adds row k of `g: [n,D]` to row indices[k] of `x: [V,D]`, int64 `indices: [n]`. Throws
  /// DtypeError, ShapeError, and ArgumentError for an index outside 0..V-1.
  void add_rows(const Variable& x, const Tensor& indices, const Variable& g);
  /// Adds a^T b, for `x: [M,N]`, `a: [K,M]`, `b: [K,N]`. Products of one x that wait are
  /// concatenated and computed as one product of their summed K.
  void add_product(const Variable& x, const Variable& a, const Variable& b);

  /// For the vjp of an operation on several steps at once: computes the waiting products, if they
  /// are large enough, and thereby frees the memory of those steps.
  void finish_products();

  /// True when the backward pass itself is recorded, for derivatives of higher order.
  bool differentiable() const { return differentiable_; }

 private:
  friend class Tape;
  friend class extension::GradientDestination;
  struct Terms {
    detail::GradientBuffer dense;
    detail::ProductTerms products;
    bool is_pending = false;  // its slot is among pending_
    memory::Vector<RowsTerm> rows;
    Shape shape;  // of the variable; known once there are products or rows
    Dtype dtype = Dtype::float32;
  };

  BackwardPass(Tape& tape, std::size_t slots, bool differentiable);
  BackwardPass(const BackwardPass&) = delete;
  BackwardPass& operator=(const BackwardPass&) = delete;
  ~BackwardPass();

  /// Throws TapeError when a vjp has destroyed the tape.
  const Tape& tape() const {
    if (!tape_) [[unlikely]]
      throw_tape_ended();
    return *tape_;
  }
  [[noreturn]] static void throw_tape_ended();

  Terms& terms(const Variable& x);
  bool has_terms(std::uint32_t slot) const { return terms_[slot] != nullptr; }
  /// The shape of the variable that x shows a part of; that of x when it is none.
  const Shape& base_shape(const Variable& x) const;
  static detail::Part part_of(const Variable& x);
  void add_part(const Variable& x, const detail::Part& part, const Variable& g);
  /// The gradient of a slot, undefined when it has no terms. `keep_rows` receives rows that stay
  /// apart.
  Variable take(std::uint32_t slot, memory::Vector<RowsTerm>* keep_rows = nullptr);
  void materialize_products(Terms& terms);
  void drop(std::uint32_t slot);

  Tape* tape_;                             // null when a vjp has destroyed it
  BackwardPass* outer_;                    // of the same tape, when a vjp of its takes gradients
  memory::Vector<detail::Closure*> left_;  // by a tape that ended: one of them may be running
  std::uint64_t tape_id_;
  const char* operation_ = "the loss";  // whose vjp is running, for messages
  std::size_t passing_;                 // index into the passings of the tape, counted down
  bool differentiable_;
  bool plain_ = detail::PlainAccumulation::on();
  std::size_t pending_bytes_ = 0;          // in products that wait
  memory::Vector<std::uint32_t> pending_;  // slots that may have some
  memory::Vector<Terms*> terms_;
  memory::Vector<Terms*> unused_;
};

}  // namespace unroll
