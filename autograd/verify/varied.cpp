#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/random.hpp>
#include <autograd/verify/varied.hpp>

#include <algorithm>
#include <limits>
#include <memory>

namespace unroll::detail {
namespace {

/// Gives a parameter another value for a while, also when f throws meanwhile.
class Replaced {
 public:
  Replaced(const Parameter& parameter, const Tensor& value)
      : parameter_(parameter), original_(parameter.value()) {
    parameter_.set(value);
  }
  ~Replaced() { parameter_.set(original_); }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  Parameter parameter_;
  Tensor original_;
};

}  // namespace

Tensor with_added(const Tensor& x, Index flat, double amount) {
  Tensor changed = x.clone();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    T& element = changed.in_place<T>()[flat];
    element = static_cast<T>(static_cast<double>(element) + amount);
  });
  return changed;
}

Tensor moved(const Tensor& x, const Tensor& d, double t) {
  Tensor changed = x.clone();
  const Tensor direction = d.contiguous();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    T* to = changed.in_place<T>();
    const T* by = direction.data<T>();
    for (Index i = 0; i < changed.size(); ++i)
      to[i] = static_cast<T>(static_cast<double>(to[i]) + t * static_cast<double>(by[i]));
  });
  return changed;
}

Tensor random_direction(const Tensor& x, Generator& generator) {
  Tensor direction = Tensor::empty(x.shape(), x.dtype());
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    for (Index i = 0; i < direction.size(); ++i) {
      const double size = 0.5 + 0.5 * generator.uniform();
      direction.in_place<T>()[i] = static_cast<T>(generator.below(2) == 0 ? size : -size);
    }
  });
  return direction;
}

double inner_product(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector<double>();
  const std::vector<double> y = b.to_vector<double>();
  double total = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
  return total;
}

double precision_of(Dtype dtype) {
  return dtype == Dtype::float32 ? double{std::numeric_limits<float>::epsilon()}
                                 : std::numeric_limits<double>::epsilon();
}

Variable weighted_sum(const Variable& y) {
  Generator generator(1990);
  return sum(y * Variable(uniform(y.shape(), 0.5, 1.5, y.dtype(), generator)));
}

Varied::Varied(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
               const std::vector<Parameter>& parameters)
    : f_(f), inputs_(inputs.size()), parameters_(parameters) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    names_.push_back("input " + std::to_string(i));
    point_.push_back(inputs[i].contiguous());
  }
  for (const Parameter& parameter : parameters) {
    names_.push_back(parameter.name());
    point_.push_back(parameter.value().contiguous());
  }
}

double Varied::precision() const {
  double precision = precision_of(Dtype::float64);
  for (const Tensor& x : point_) precision = std::max(precision, precision_of(x.dtype()));
  return precision;
}

Variable Varied::operator()(const Point& point, std::vector<Variable>* leaves) const {
  std::vector<std::unique_ptr<Replaced>> replaced;
  for (std::size_t k = inputs_; k < point.size(); ++k)
    replaced.push_back(std::make_unique<Replaced>(parameters_[k - inputs_], point[k]));
  std::vector<Variable> arguments;
  for (std::size_t k = 0; k < inputs_; ++k)
    arguments.push_back(leaves ? Tape::active()->watch(point[k]) : Variable(point[k]));
  if (leaves) {
    *leaves = arguments;
    for (const Parameter& parameter : parameters_) leaves->emplace_back(parameter);
  }
  return f_(arguments);
}

double Varied::weighted(const Point& point) const { return weighted_sum((*this)(point)).item(); }

std::vector<Tensor> Varied::gradient(const Point& point) const {
  Tape tape;
  std::vector<Variable> leaves;
  const Variable loss = weighted_sum((*this)(point, &leaves));
  std::vector<Tensor> slopes;
  slopes.reserve(leaves.size());
  // A function that ignores its inputs has a constant result, which is no error here: its slope
  // is 0.
  const Gradients gradients = loss.recorded() ? tape.gradients(loss) : Gradients();
  for (const Variable& leaf : leaves)
    slopes.push_back(loss.recorded() ? gradients[leaf].value().contiguous()
                                     : zeros(leaf.shape(), leaf.dtype()));
  return slopes;
}

Curve Varied::along_element(std::size_t k, Index flat) const {
  return [this, k, flat](double t) {
    Point point = point_;
    point[k] = with_added(point_[k], flat, t);
    return std::vector{weighted(point)};
  };
}

Curve Varied::along(std::size_t k, const Tensor& direction) const {
  return [this, k, direction](double t) {
    Point point = point_;
    point[k] = moved(point_[k], direction, t);
    return std::vector{weighted(point)};
  };
}

}  // namespace unroll::detail
