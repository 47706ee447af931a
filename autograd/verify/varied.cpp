#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/verify/varied.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

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

bool same(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const std::vector<double> x = a.to_vector<double>();
  const std::vector<double> y = b.to_vector<double>();
  return std::equal(x.begin(), x.end(), y.begin(), [](double p, double q) {
    return p == q || (std::isnan(p) && std::isnan(q)) ||
           std::abs(p - q) <= 1e-12 * std::max(std::abs(p), std::abs(q));
  });
}

double precision_of(Dtype dtype) {
  return dtype == Dtype::float32 ? double{std::numeric_limits<float>::epsilon()}
                                 : std::numeric_limits<double>::epsilon();
}

namespace {

Tensor unequal_weights(const Tensor& y) {
  Generator generator(1990);
  return uniform(y.shape(), 0.5, 1.5, y.dtype(), generator);
}

}  // namespace

namespace {

/// Notes whose vjp runs.
class RunningVjp final : public extension::TapeObserver {
 public:
  Tensor recorded(const char* /*operation*/, std::size_t /*node*/, std::uint32_t /*slot*/,
                  const Tensor& value) override {
    return value;
  }
  Tensor detached(const Tensor& value) override { return value; }
  void vjp_begins(const Tape& /*tape*/, const char* operation, std::size_t node,
                  std::span<const Variable> /*gradients*/) override {
    name = operation;
    place = node;
  }
  std::string name;
  std::size_t place = 0;
};

Gradients run_vjps(Tape& tape, const Variable& loss) {
  RunningVjp running;
  extension::TapeObserver* const before = extension::TapeAccess::observer();
  extension::TapeAccess::observe(tape, &running);
  try {
    Gradients gradients = tape.gradients(loss, {.retain = true});
    extension::TapeAccess::observe(tape, before);
    return gradients;
  } catch (const std::exception& error) {
    extension::TapeAccess::observe(tape, before);
    throw VjpError(running.name, running.place, error.what());
  }
}

}  // namespace

WeightedSums::WeightedSums(const Tensor& result, const std::vector<double>& cancelled) {
  constexpr std::size_t kMostSums = 8;
  constexpr double kSpread = 0x1p-13;  // within one sum
  constexpr double kLarge = 0x1p10;
  const std::vector<double> y = result.to_vector<double>();
  std::vector<std::size_t> order(y.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto size_of = [&](std::size_t i) {
    return std::isfinite(y[i]) ? std::max(std::abs(y[i]), std::min(cancelled[i], 1.0)) : 0.0;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size_of(a) > size_of(b); });
  const std::vector<double> unequal = unequal_weights(result).to_vector<double>();
  std::vector<std::vector<double>> weights;
  double largest = 0.0, scale = 1.0;
  for (const std::size_t i : order) {
    const double size = size_of(i);
    // An element that is 0 has no size of its own.
    if (weights.empty() || ((size > 0.0 ? size < kSpread * largest : largest > kLarge) &&
                            weights.size() < kMostSums)) {
      weights.emplace_back(y.size(), 0.0);
      largest = size;
      const bool small = size > 0.0 && size < 1.0 / kLarge;
      scale = small ? std::exp2(-std::floor(std::log2(size))) : 1.0;
    }
    weights.back()[i] = unequal[i] * scale;
  }
  for (const std::vector<double>& one : weights)
    weights_.push_back(Tensor::of(result.shape(), one).to(result.dtype()));
}

Variable WeightedSums::operator()(const Variable& y, std::size_t k) const {
  const bool fits = !weights_.empty() && weights_[k].shape() == y.shape();
  return sum(y * Variable(fits ? weights_[k] : unequal_weights(y.value())));
}

std::vector<double> WeightedSums::values(const Tensor& y) const {
  std::vector<double> all;
  for (std::size_t k = 0; k < size(); ++k) all.push_back((*this)(y, k).item());
  return all;
}

Varied::Varied(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
               const GradcheckOptions& options)
    : f_(f), inputs_(inputs.size()), parameters_(options.parameters) {
  const std::vector<std::string>& given = options.parameter_names;
  if (!given.empty() && given.size() != parameters_.size())
    throw ArgumentError("gradcheck: there are " + std::to_string(given.size()) + " names for " +
                        std::to_string(parameters_.size()) +
                        " parameters; leave them out or give one for each");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    names_.push_back("input " + std::to_string(i));
    point_.push_back(inputs[i].contiguous());
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    names_.push_back(given.empty() ? parameters_[i].name() : given[i]);
    point_.push_back(parameters_[i].value().contiguous());
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

std::vector<std::vector<Tensor>> Varied::gradients(const Point& point, const WeightedSums& sums,
                                                   int runs) const {
  Tape tape;
  std::vector<Variable> leaves;
  const Variable y = (*this)(point, &leaves);
  std::vector<std::vector<Tensor>> slopes(sums.size());
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const Variable loss = sums(y, k);
    // A function that ignores its inputs has a constant result, which is no error here: its slope
    // is 0.
    Gradients gradients;
    for (int run = 0; loss.recorded() && run < runs; ++run) gradients = run_vjps(tape, loss);
    for (const Variable& leaf : leaves)
      slopes[k].push_back(loss.recorded() ? gradients[leaf].value().contiguous()
                                          : zeros(leaf.shape(), leaf.dtype()));
  }
  return slopes;
}

Curve Varied::along_element(std::size_t k, Index flat, const WeightedSums& sums) const {
  return [this, k, flat, &sums](double t) {
    Point point = point_;
    point[k] = with_added(point_[k], flat, t);
    return sums.values((*this)(point).value());
  };
}

Curve Varied::along(std::size_t k, const Tensor& direction, const WeightedSums& sums) const {
  return [this, k, direction, &sums](double t) {
    Point point = point_;
    point[k] = moved(point_[k], direction, t);
    return sums.values((*this)(point).value());
  };
}

}  // namespace unroll::detail
