#include <autograd/ops/check.hpp>
#include <autograd/ops/cross_entropy.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/layers/adaptive_softmax.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace unroll::nn {
namespace {

std::vector<Index> checked(Index inputs, Index classes, std::vector<Index> cutoffs,
                           const AdaptiveSoftmaxOptions& options) {
  if (inputs < 1 || classes < 1)
    throw ArgumentError("adaptive_softmax: inputs and classes must be at least 1, got " +
                        std::to_string(inputs) + " and " + std::to_string(classes));
  Index last = 0;
  bool is_rising = true;
  std::string given;
  for (const Index cutoff : cutoffs) {
    is_rising = is_rising && cutoff > last;
    last = cutoff;
    given.append(given.empty() ? "" : ",").append(std::to_string(cutoff));
  }
  if (cutoffs.empty() || !is_rising || last >= classes)
    throw ArgumentError("adaptive_softmax: the cutoffs must rise within 1.." +
                        std::to_string(classes - 1) + ", at least one, got {" + given +
                        "}; the number of classes is not among them");
  const double projected = static_cast<double>(inputs) /
                           std::pow(options.div_value, static_cast<double>(cutoffs.size()));
  if (!(options.div_value > 0.0) || !(projected >= 1.0) || !std::isfinite(projected))
    throw ArgumentError("adaptive_softmax: div_value " + std::to_string(options.div_value) +
                        " projects " + std::to_string(inputs) + " inputs to " +
                        std::to_string(projected) + " values in the last of " +
                        std::to_string(cutoffs.size()) +
                        " clusters, at least 1 is needed; give a smaller one or fewer cutoffs");
  cutoffs.push_back(classes);
  return cutoffs;
}

Tensor index_tensor(const std::vector<std::int64_t>& values) {
  return Tensor::of({static_cast<Index>(values.size())}, values);
}

/// The rows at these positions.
Variable rows_at(const Variable& rows, const Tensor& positions) {
  return positions.size() == rows.size(0) ? rows : embedding(rows, positions);
}

Shape without_last(Shape shape) {
  shape.erase(shape.rank() - 1);
  return shape;
}

}  // namespace

AdaptiveSoftmax::AdaptiveSoftmax(Index inputs, Index classes, const std::vector<Index>& cutoffs,
                                 const AdaptiveSoftmaxOptions& options)
    : inputs_(inputs),
      cutoffs_(checked(inputs, classes, cutoffs, options)),
      head_(add("head", Linear(inputs, cutoffs[0] + static_cast<Index>(cutoffs.size()),
                               {.bias = options.head_bias}))) {
  double divisor = 1.0;
  for (std::size_t i = 0; i < cutoffs.size(); ++i) {
    divisor *= options.div_value;
    const auto projected = static_cast<Index>(static_cast<double>(inputs) / divisor);
    tail_.push_back(add("tail." + std::to_string(i),
                        Sequential{Linear(inputs, projected, {.bias = false}),
                                   Linear(projected, end(i) - begin(i), {.bias = false})}));
  }
}

Variable AdaptiveSoftmax::rows_of(const Variable& h) const {
  if (!h.defined() || h.rank() < 1 || h.size(-1) != inputs_)
    throw ShapeError("adaptive_softmax: h is " + describe(h.value()) + ", the layer takes [...," +
                     std::to_string(inputs_) + "]");
  return reshape(h, {h.value().size() / inputs_, inputs_});
}

AdaptiveSoftmaxResult AdaptiveSoftmax::operator()(const Variable& h, const Tensor& targets) const {
  const Scope inside = scope();
  const Variable rows = rows_of(h);
  detail::check_indices("adaptive_softmax", "targets", targets, cutoffs_.back());
  if (targets.shape() != without_last(h.shape()) || targets.size() == 0)
    throw ShapeError("adaptive_softmax: h " + to_string(h.shape()) + " needs targets " +
                     to_string(without_last(h.shape())) + ", at least one, got " +
                     to_string(targets.shape()));
  // Of each cluster: the rows whose target is in it, and the number of the target there.
  std::vector<std::vector<std::int64_t>> members(tail_.size());
  std::vector<std::vector<std::int64_t>> numbers(tail_.size());
  std::vector<std::int64_t> head_targets = targets.to_vector<std::int64_t>();
  for (std::size_t row = 0; row < head_targets.size(); ++row) {
    std::int64_t& target = head_targets[row];
    const auto above = std::upper_bound(cutoffs_.begin(), cutoffs_.end(), target);
    if (above == cutoffs_.begin()) continue;
    const auto cluster = static_cast<std::size_t>(above - cutoffs_.begin() - 1);
    members[cluster].push_back(static_cast<std::int64_t>(row));
    numbers[cluster].push_back(target - begin(cluster));
    target = begin(0) + static_cast<Index>(cluster);
  }
  constexpr auto each = Reduction::none;
  Variable losses = cross_entropy(head_(rows), index_tensor(head_targets), {.reduction = each});
  for (std::size_t i = 0; i < tail_.size(); ++i) {
    if (members[i].empty()) continue;
    const Tensor positions = index_tensor(members[i]);
    const Variable inside_cluster = cross_entropy(tail_[i](rows_at(rows, positions)),
                                                  index_tensor(numbers[i]), {.reduction = each});
    losses = scatter_add(losses, positions, inside_cluster, 0);
  }
  return {reshape(-losses, targets.shape()), mean(losses)};
}

Variable AdaptiveSoftmax::log_prob_of_rows(const Variable& rows, const Variable& head_log_p) const {
  std::vector<Variable> parts{slice(head_log_p, 1, 0, begin(0))};
  for (std::size_t i = 0; i < tail_.size(); ++i) {
    const Index entry = begin(0) + static_cast<Index>(i);
    parts.push_back(log_softmax(tail_[i](rows)) + slice(head_log_p, 1, entry, entry + 1));
  }
  return concat(parts);
}

Variable AdaptiveSoftmax::log_prob(const Variable& h) const {
  const Scope inside = scope();
  const Variable rows = rows_of(h);
  Shape shape = without_last(h.shape());
  shape.push_back(cutoffs_.back());
  return reshape(log_prob_of_rows(rows, log_softmax(head_(rows))), shape);
}

Tensor AdaptiveSoftmax::predict(const Variable& h) const {
  const Scope inside = scope();
  const Variable rows = detach(rows_of(h));
  const Variable head_log_p = detach(log_softmax(head_(rows)));
  Tensor classes = argmax(head_log_p, 1);
  auto* predicted = classes.mutable_data<std::int64_t>();
  // A class of a cluster is at most as probable as the cluster.
  std::vector<std::int64_t> open;
  for (Index row = 0; row < classes.size(); ++row)
    if (predicted[row] >= begin(0)) open.push_back(row);
  if (!open.empty()) {
    const Tensor positions = index_tensor(open);
    const Tensor best =
        argmax(log_prob_of_rows(rows_at(rows, positions), rows_at(head_log_p, positions)), 1);
    const auto* of_row = best.data<std::int64_t>();
    for (std::size_t k = 0; k < open.size(); ++k) predicted[open[k]] = of_row[k];
  }
  return classes.reshape(without_last(h.shape()));
}

}  // namespace unroll::nn
