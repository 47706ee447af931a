#pragma once

#include <autograd/derivatives.hpp>
#include <autograd/parameter.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/verify/finite_differences.hpp>

#include <cstddef>
#include <string>
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
/// Rounding error of one operation, relative.
double precision_of(Dtype dtype);

/// f as a function of a point.
class Varied {
 public:
  Varied(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
         const std::vector<Parameter>& parameters);

  std::size_t size() const { return names_.size(); }
  /// "input 0", or the parameter's name.
  const std::string& name(std::size_t k) const { return names_[k]; }
  const Point& point() const { return point_; }
  double precision() const;

  /// f there, recorded on a tape if one is alive. `leaves`: receives what is varied, on that tape.
  /// Parameters have their values back afterwards.
  Variable operator()(const Point& point, std::vector<Variable>* leaves = nullptr) const;

  /// A scalar: f there, weighted with unequal numbers so that errors cannot cancel.
  double weighted(const Point& point) const;
  /// The gradient of that by everything that is varied, as the tape computes it.
  std::vector<Tensor> gradient(const Point& point) const;
  /// What weighted() is along a line from the point, where one element, or one tensor, moves.
  Curve along_element(std::size_t k, Index flat) const;
  Curve along(std::size_t k, const Tensor& direction) const;

 private:
  DifferentiableFunction f_;
  std::size_t inputs_;
  std::vector<Parameter> parameters_;
  std::vector<std::string> names_;
  Point point_;
};

/// Unequal weights for the elements of a result.
Variable weighted_sum(const Variable& y);

}  // namespace unroll::detail
