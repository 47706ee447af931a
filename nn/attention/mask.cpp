#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/attention/mask.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace unroll::nn {
namespace {

/// The score of an excluded key. Finite, since FiniteCheck would report an infinity; a softmax
/// makes exactly 0 of it.
constexpr double kExcluded = std::numeric_limits<float>::lowest();

Index batch_of(const Shape& scores) { return scores.rank() > 2 ? scores[0] : 1; }

/// `mask` with leading axes of size 1 up to the rank of the scores.
Tensor broadcastable(const char* name, const char* argument, const Tensor& mask,
                     const Shape& scores) {
  const auto fits = [&] {
    const int missing = scores.rank() - mask.rank();
    if (missing < 0) return false;
    for (int axis = 0; axis < mask.rank(); ++axis)
      if (mask.shape()[axis] != 1 && mask.shape()[axis] != scores[missing + axis]) return false;
    return true;
  };
  if (!fits())
    throw ShapeError(std::string(name) + ": the " + argument + " is " + describe(mask) +
                     ", it must broadcast to the weights " + to_string(scores));
  Shape shape(scores.rank(), 1);
  for (int axis = 0; axis < mask.rank(); ++axis)
    shape[scores.rank() - mask.rank() + axis] = mask.shape()[axis];
  return mask.reshape(shape);
}

/// `[B,1,...,1,K]`: 1 for the keys that each sequence has.
Tensor within_lengths(const char* name, const Shape& scores, const std::vector<Index>& lengths) {
  const Index batch = batch_of(scores);
  const Index keys = scores.back();
  if (static_cast<Index>(lengths.size()) != batch)
    throw ShapeError(std::string(name) + ": " + std::to_string(lengths.size()) +
                     " lengths were given for " + std::to_string(batch) +
                     " sequences; each needs one");
  Shape shape(scores.rank(), 1);
  if (scores.rank() > 2) shape[0] = batch;
  shape[scores.rank() - 1] = keys;
  Tensor within = zeros(shape);
  float* element = within.mutable_data<float>();
  for (std::size_t b = 0; b < lengths.size(); ++b, element += keys) {
    if (lengths[b] < 1 || lengths[b] > keys)
      throw ArgumentError(std::string(name) + ": the length of sequence " + std::to_string(b) +
                          " is " + std::to_string(lengths[b]) + ", it must lie in 1.." +
                          std::to_string(keys) + "; a sequence without keys cannot be attended to");
    std::fill_n(element, lengths[b], 1.0F);
  }
  return within;
}

/// `[1,...,Q,K]`: 1 for the keys 0..i of query i.
Tensor not_ahead(const char* name, const Shape& scores) {
  const Index queries = scores[scores.rank() - 2];
  if (queries != scores.back())
    throw ShapeError(std::string(name) + ": causal needs as many queries as keys, got " +
                     std::to_string(queries) + " and " + std::to_string(scores.back()) +
                     "; give a mask that says which keys come before which query");
  Shape shape(scores.rank(), 1);
  shape[scores.rank() - 2] = shape[scores.rank() - 1] = queries;
  Tensor allowed = zeros(shape);
  float* element = allowed.mutable_data<float>();
  for (Index i = 0; i < queries; ++i, element += queries) std::fill_n(element, i + 1, 1.0F);
  return allowed;
}

}  // namespace

AttentionMask::AttentionMask(const char* name, const Shape& scores,
                             const AttentionOptions& options) {
  if (scores.back() < 1)
    throw ArgumentError(std::string(name) +
                        ": there are no keys to attend to, the weights would be " +
                        to_string(scores));
  if (!options.lengths.empty()) exclude(within_lengths(name, scores, options.lengths));
  if (options.causal) exclude(not_ahead(name, scores));
  if (options.mask.defined())
    exclude(ne(broadcastable(name, "mask", options.mask, scores), 0.0).to(Dtype::float32));
  if (options.bias.defined()) {
    detail::check_floating(name, {"bias", options.bias});
    const Tensor bias = broadcastable(name, "bias", options.bias.value(), scores);
    bias_ = reshape(options.bias, bias.shape());
    exclude(ne(bias, -std::numeric_limits<double>::infinity()).to(Dtype::float32));
  }
  if (!allowed_.defined()) return;
  if (all_true(allowed_).item() != 0.0) {
    allowed_ = {};
    return;
  }
  check_every_query_reads(name);
  readable_ = allowed_;
  for (int axis = scores.rank() > 2 ? 1 : 0; axis < scores.rank() - 1; ++axis)
    readable_ = any_true(readable_, {axis}, true);
  readable_ = readable_.transpose(-2, -1).contiguous();
  if (all_true(readable_).item() != 0.0) readable_ = {};
}

void AttentionMask::exclude(const Tensor& allowed) {
  allowed_ = allowed_.defined() ? mask_and(allowed_, allowed) : allowed;
}

void AttentionMask::check_every_query_reads(const char* name) const {
  const Tensor reads = any_true(allowed_, {-1});
  if (all_true(reads).item() != 0.0) return;
  const Index first = static_cast<Index>(argmin(reads).item());
  const Index queries = reads.shape().back();
  const Index sequence = reads.rank() > 1 ? first / (reads.size() / reads.shape()[0]) : 0;
  throw ArgumentError(std::string(name) + ": query " + std::to_string(first % queries) +
                      " of sequence " + std::to_string(sequence) +
                      " may read no key; leave it at least one, or leave the query out");
}

Variable AttentionMask::clear(const Variable& x) const {
  if (!readable_.defined()) return x;
  // The axes between batch and keys have size 1: there may be fewer in x than in the scores.
  Shape shape(x.rank(), 1);
  shape[0] = readable_.shape()[0];
  shape[x.rank() - 2] = readable_.shape()[readable_.rank() - 2];
  return where(readable_.reshape(shape), x, 0.0);
}

Variable AttentionMask::weights(const Variable& scores) const {
  const Variable biased = bias_.defined() ? scores + bias_ : scores;
  return softmax(allowed_.defined() ? where(allowed_, biased, kExcluded) : biased);
}

AttentionMask AttentionMask::sequences(const Tensor& indices) const {
  AttentionMask selected;
  const auto of = [&](const Tensor& mask) {
    return mask.defined() && mask.rank() > 2 && mask.shape()[0] > 1
               ? index_select(mask, indices, 0).value()
               : mask;
  };
  selected.allowed_ = of(allowed_);
  selected.readable_ = of(readable_);
  selected.bias_ = bias_;
  if (bias_.defined() && bias_.rank() > 2 && bias_.size(0) > 1)
    selected.bias_ = index_select(bias_, indices, 0);
  return selected;
}

}  // namespace unroll::nn
