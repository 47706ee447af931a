#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/cross_entropy.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

Shape shape_of_rows(const Variable& x) {
  Shape shape = x.shape();
  shape.erase(x.rank() - 1);
  return shape;
}

/// Checks the arguments. `name` is what the operation calls x.
kernels::ClassTargets checked(const char* operation, const char* name, const Variable& x,
                              const Tensor& targets, const Tensor& weights, Index ignored) {
  detail::check_floating(operation, {name, x});
  if (x.rank() == 0)
    throw ShapeError(std::string(operation) + ": " + name +
                     " must have an axis of classes, the shape is []");
  const Shape rows = shape_of_rows(x);
  if (targets.defined() && targets.shape() != rows)
    throw ShapeError(std::string(operation) + ": " + name + " " + to_string(x.shape()) +
                     " with targets " + to_string(targets.shape()) + ": targets must have shape " +
                     to_string(rows));
  detail::check_indices(operation, "targets", targets, x.size(-1), ignored);
  const Shape classes{x.size(-1)};
  if (weights.defined() && (weights.shape() != classes || !is_floating(weights.dtype())))
    throw ShapeError(std::string(operation) + ": the weights of the classes are " +
                     describe(weights) + ", they must be floating, of shape " + to_string(classes));
  return {.index = targets.contiguous().reshape({targets.size()}),
          .ignored = ignored,
          .weights = weights.defined() ? weights.to(x.dtype()).contiguous() : Tensor()};
}

Variable reduced(const char* operation, const Variable& losses, Reduction reduction,
                 const kernels::ClassTargets& targets) {
  if (reduction != Reduction::mean) return detail::reduce(operation, losses, reduction);
  const double total = kernels::total_weight(targets);
  if (targets.index.size() == 0)
    throw ShapeError(std::string(operation) + ": there are no rows to average");
  if (total == 0.0)
    throw ArgumentError(std::string(operation) + ": none of the " +
                        std::to_string(targets.index.size()) +
                        " rows counts, all are ignored or of weight 0, so there is no mean; "
                        "Reduction::sum is 0 then");
  return sum(losses) * (1.0 / total);
}

/// The derivative of each row's loss by its logits, as operations: `x: [...,C]`.
Variable gradient_of_losses(const Variable& x, const kernels::ClassTargets& targets) {
  Tensor weights = Tensor::empty({targets.index.size(), x.size(-1)}, x.dtype());
  kernels::class_weights(targets, weights);
  const Variable q = weights.reshape(x.shape());
  const Variable total = sum(q, {-1}, true);
  // A row that is ignored may hold anything, a NaN too.
  return softmax(where(total.value(), x, zeros({}, x.dtype()))) * total - q;
}

/// The loss of every row: `x: [...,C]`, result `[...]`.
Variable cross_entropy_rows(const Variable& x, const kernels::ClassTargets& targets) {
  const Index rows = targets.index.size();
  const auto matrix = [rows](const Variable& v) {
    return v.value().contiguous().reshape({rows, v.size(-1)});
  };
  Tensor losses = Tensor::empty({rows}, x.dtype());
  Tensor log_sums = Tensor::empty({rows}, Dtype::float64);
  kernels::cross_entropy_rows(matrix(x), targets, losses, log_sums);
  losses = losses.reshape(shape_of_rows(x));
  if (!recording("cross_entropy", x)) return losses;
  return record("cross_entropy", std::move(losses),
                [x, targets, log_sums, matrix](const Variable& g, BackwardPass& pass) {
                  if (pass.differentiable())
                    return pass.add(x, gradient_of_losses(x, targets) * unsqueeze(g, -1));
                  Tensor dx = Tensor::empty({targets.index.size(), x.size(-1)}, x.dtype());
                  kernels::cross_entropy_rows_gradient(matrix(x), targets, log_sums,
                                                       g.value().contiguous(), dx);
                  pass.add(x, dx.reshape(x.shape()));
                });
}

}  // namespace

Variable nll_loss(const Variable& log_p, const Tensor& targets, const NllOptions& options) {
  const kernels::ClassTargets classes =
      checked("nll_loss", "log_p", log_p, targets, options.weights, options.ignore_index);
  const Index rows = classes.index.size();
  const Index count = log_p.size(-1);
  // Where each target stands among all elements, and what it is multiplied with.
  Tensor places = Tensor::empty({rows}, Dtype::int64);
  Tensor factors = Tensor::empty({rows, 1}, log_p.dtype());
  dispatch_floating(log_p.dtype(), [&]<class T>(T) {
    const std::int64_t* index = classes.index.data<std::int64_t>();
    const T* weights = classes.weights.defined() ? classes.weights.data<T>() : nullptr;
    for (Index k = 0; k < rows; ++k) {
      const bool ignored = index[k] == classes.ignored;
      const Index target = ignored ? 0 : index[k];
      places.in_place<std::int64_t>()[k] = k * count + target;
      factors.in_place<T>()[k] = ignored ? T(0) : weights ? -weights[target] : T(-1);
    }
  });
  const Variable picked = embedding(reshape(log_p, {rows * count, 1}), places);
  const Variable losses = where(factors, picked * factors, zeros({}, log_p.dtype()));
  return reduced("nll_loss", reshape(losses, shape_of_rows(log_p)), options.reduction, classes);
}

Variable cross_entropy(const Variable& logits, const Tensor& targets,
                       const CrossEntropyOptions& options) {
  kernels::ClassTargets classes =
      checked("cross_entropy", "logits", logits, targets, options.weights, options.ignore_index);
  if (!(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0))
    throw ArgumentError("cross_entropy: label_smoothing must lie in 0..1, it is " +
                        std::to_string(options.label_smoothing));
  classes.smoothing = options.label_smoothing;
  return reduced("cross_entropy", cross_entropy_rows(logits, classes), options.reduction, classes);
}

}  // namespace unroll
