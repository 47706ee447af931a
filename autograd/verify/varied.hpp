#pragma once

#include <autograd/derivatives/derivatives.hpp>
#include <autograd/tape/parameter.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/verify/finite_differences.hpp>
#include <autograd/verify/gradcheck.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace unroll::detail {

/// The values of everything that a check varies: the inputs, then the parameters. Contiguous.
using Point = std::vector<Tensor>;

/// x with `amount` added to one element.
Tensor with_added(const Tensor& x, Index flat, double amount);
/// x + t d, element by element.
Tensor moved(const Tensor& x, const Tensor& d, double t);
/// Numbers of ±[0.5, 1], none near 0, in the dtype of x.
Tensor random_direction(const Tensor& x, Generator& generator);
/// The sum of the products of two tensors' elements.
double inner_product(const Tensor& a, const Tensor& b);
/// Equal, or both undefined, as far as a double's rounding allows; a NaN equals a NaN.
bool same(const Tensor& a, const Tensor& b);
/// Rounding error of one operation, relative.
double precision_of(Dtype dtype);

/// What a vjp threw in a backward pass.
class VjpError : public Error {
 public:
  VjpError(std::string operation, std::size_t node, const std::string& what)
      : Error(what), operation_(std::move(operation)), node_(node) {}
  const std::string& operation() const { return operation_; }
  std::size_t node() const { return node_; }

 private:
  std::string operation_;
  std::size_t node_;
};

/// Sums of the elements of a result with unequal weights, so that errors cannot cancel. Elements of
/// very different size have separate sums, and a sum of small elements is scaled to about 1:
/// neither the rounding of large elements nor an absolute tolerance hides the small ones.
class WeightedSums {
 public:
  /// One sum of all elements.
  WeightedSums() = default;
  /// As many as these elements need, few of each result. `cancelled`: the sizes of terms that
  /// cancel in an element and leave nothing but their rounding, which is judged at their size.
  WeightedSums(const Tensor& result, const std::vector<double>& cancelled);

  std::size_t size() const { return weights_.empty() ? 1 : weights_.size(); }
  Variable operator()(const Variable& y, std::size_t k) const;
  std::vector<double> values(const Tensor& y) const;

 private:
  std::vector<Tensor> weights_;
};

/// f as a function of a point.
class Varied {
 public:
  /// Of the options, the parameters and their names are used.
  Varied(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
         const GradcheckOptions& options);

  std::size_t size() const { return names_.size(); }
  /// "input 0", or what the options call the parameter.
  const std::string& name(std::size_t k) const { return names_[k]; }
  const Point& point() const { return point_; }
  double precision() const;

  /// f there, recorded on a tape if one is alive. `leaves`: receives what is varied, on that tape.
  /// Parameters have their values back afterwards.
  Variable operator()(const Point& point, std::vector<Variable>* leaves = nullptr) const;

  /// Of each sum of f there, its gradient by everything that is varied, as the tape computes it in
  /// the last of so many backward passes. Throws VjpError for what a vjp throws.
  std::vector<std::vector<Tensor>> gradients(const Point& point, const WeightedSums& sums,
                                             int runs = 1) const;
  /// What the sums are along a line from the point, where one element, or one tensor, moves.
  Curve along_element(std::size_t k, Index flat, const WeightedSums& sums) const;
  Curve along(std::size_t k, const Tensor& direction, const WeightedSums& sums) const;

 private:
  DifferentiableFunction f_;
  std::size_t inputs_;
  std::vector<Parameter> parameters_;
  std::vector<std::string> names_;
  Point point_;
};

}  // namespace unroll::detail
