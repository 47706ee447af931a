#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/ctc.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace unroll {
namespace {

// The logarithm of zero. Finite, since infinities would meet in differences, and so large that
// e^kNever is 0 whatever is added to it.
constexpr double kNever = -1e30;

/// log(e^a + e^b). Either side of the choice is smooth where they meet, to every order.
Variable log_add_exp(const Variable& a, const Variable& b) {
  return detail::elementwise(
      "log_add_exp",
      [](auto x, auto y) { return where(x > y, x + softplus(y - x), y + softplus(x - y)); }, a, b);
}

/// The lengths of B sequences, all `whole` when none are given.
std::vector<Index> checked_lengths(const char* name, const std::vector<Index>& lengths, Index batch,
                                   Index least, Index whole) {
  if (lengths.empty()) return std::vector<Index>(static_cast<std::size_t>(batch), whole);
  if (static_cast<Index>(lengths.size()) != batch)
    throw ShapeError("ctc_loss: there are " + std::to_string(lengths.size()) + " " + name +
                     " for " + std::to_string(batch) + " sequences");
  for (std::size_t b = 0; b < lengths.size(); ++b)
    if (lengths[b] < least || lengths[b] > whole)
      throw ArgumentError("ctc_loss: " + std::string(name) + " hold " + std::to_string(lengths[b]) +
                          " for sequence " + std::to_string(b) + ", outside " +
                          std::to_string(least) + ".." + std::to_string(whole));
  return lengths;
}

/// The targets with a blank before, between and behind the labels: what an input may spell.
class Spelling {
 public:
  Spelling(const Variable& log_p, const Tensor& targets, const CtcOptions& options)
      : batch_(targets.size(0)), places_(2 * targets.size(1) + 1), dtype_(log_p.dtype()) {
    const Index classes = log_p.size(2);
    lengths_ =
        checked_lengths("target_lengths", options.target_lengths, batch_, 0, targets.size(1));
    const std::vector<std::int64_t> labels = targets.to_vector<std::int64_t>();
    classes_.assign(static_cast<std::size_t>(batch_ * places_), options.blank);
    for (Index b = 0; b < batch_; ++b)
      for (Index k = 0; k < lengths_[static_cast<std::size_t>(b)]; ++k) {
        const Index label = labels[static_cast<std::size_t>(b * targets.size(1) + k)];
        if (label < 0 || label >= classes || label == options.blank)
          throw ArgumentError(
              "ctc_loss: targets " + to_string(targets.shape()) + " hold " + std::to_string(label) +
              " at position " + std::to_string(k) + " of sequence " + std::to_string(b) +
              ", which is " +
              (label == options.blank ? "the blank" : "outside 0.." + std::to_string(classes - 1)));
        classes_[static_cast<std::size_t>(b * places_ + 2 * k + 1)] = label;
      }
  }

  Index places() const { return places_; }
  Index target_length(Index b) const { return lengths_[static_cast<std::size_t>(b)]; }

  /// log_p of the class at every place, for all steps: `[T,B,L]`.
  Variable emissions(const Variable& log_p) const {
    const Index steps = log_p.size(0);
    const Index classes = log_p.size(2);
    std::vector<Index> at;
    at.reserve(static_cast<std::size_t>(steps) * classes_.size());
    for (Index row = 0; row < steps * batch_; ++row)
      for (Index s = 0; s < places_; ++s) at.push_back(row * classes + class_at(row % batch_, s));
    const Variable table = reshape(log_p, {log_p.value().size(), 1});
    const Variable y = reshape(embedding(table, Tensor::of({static_cast<Index>(at.size())}, at)),
                               {steps, batch_, places_});
    return maximum(y, full({}, kNever, dtype_));
  }

  /// 0 at the places where a sequence may begin: the first blank and the first label.
  Tensor start() const {
    return places_where([](Index, Index s) { return s < 2; });
  }
  /// 0 at the places that can be reached from two places before: labels that differ.
  Tensor skips() const {
    return places_where([this](Index b, Index s) {
      return s % 2 == 1 && s >= 2 && class_at(b, s) != class_at(b, s - 2);
    });
  }
  /// 0 at the places where a sequence may end: the last label and the blank behind it.
  Tensor finish() const {
    return places_where([this](Index b, Index s) {
      return s == 2 * target_length(b) || s == 2 * target_length(b) - 1;
    });
  }

 private:
  Index class_at(Index b, Index s) const {
    return classes_[static_cast<std::size_t>(b * places_ + s)];
  }
  template <class F>
  Tensor places_where(const F& allowed) const {
    std::vector<double> values;
    for (Index b = 0; b < batch_; ++b)
      for (Index s = 0; s < places_; ++s) values.push_back(allowed(b, s) ? 0.0 : kNever);
    return Tensor::of({batch_, places_}, values).to(dtype_);
  }

  Index batch_;
  Index places_;  ///< L = 2S + 1
  Dtype dtype_;
  std::vector<Index> lengths_;
  std::vector<Index> classes_;  ///< [B,L]
};

void check(const Variable& log_p, const Tensor& targets, Index blank) {
  detail::check_floating("ctc_loss", {"log_p", log_p});
  if (!targets.defined() || targets.dtype() != Dtype::int64)
    throw DtypeError("ctc_loss: targets must be int64, got " + describe(targets));
  if (log_p.rank() != 3 || targets.rank() != 2 || targets.size(0) != log_p.size(1))
    throw ShapeError("ctc_loss: log_p " + to_string(log_p.shape()) + " and targets " +
                     to_string(targets.shape()) + " must be [T,B,C] and [B,S] with one B");
  if (log_p.size(0) == 0) throw ShapeError("ctc_loss: log_p has no steps");
  if (blank < 0 || blank >= log_p.size(2))
    throw ArgumentError("ctc_loss: the blank is " + std::to_string(blank) + ", outside 0.." +
                        std::to_string(log_p.size(2) - 1));
}

/// 1 for the sequences that are longer than t: `[B,1]`.
Tensor longer_than(Index t, const std::vector<Index>& lengths) {
  Tensor longer = Tensor::empty({static_cast<Index>(lengths.size()), 1}, Dtype::float32);
  for (std::size_t b = 0; b < lengths.size(); ++b)
    longer.in_place<float>()[b] = lengths[b] > t ? 1.0F : 0.0F;
  return longer;
}

}  // namespace

Variable ctc_loss(const Variable& log_p, const Tensor& targets, const CtcOptions& options) {
  check(log_p, targets, options.blank);
  const Index steps = log_p.size(0);
  const Index batch = log_p.size(1);
  const std::vector<Index> lengths =
      checked_lengths("input_lengths", options.input_lengths, batch, 1, steps);
  const Spelling spelling(log_p, targets, options);

  // alpha[b][s]: log of the probability of all ways to be at place s after the steps so far. A
  // place is reached from itself, from the one before, and sometimes over a blank. Ways to places
  // behind a shorter target exist, and lead nowhere.
  const Variable y = spelling.emissions(log_p);
  const Variable skips = spelling.skips();
  const Variable never = full({batch, 2}, kNever, log_p.dtype());
  const Index shortest = batch == 0 ? steps : *std::min_element(lengths.begin(), lengths.end());
  Variable alpha = select(y, 0, 0) + Variable(spelling.start());
  for (Index t = 1; t < steps; ++t) {
    const Variable padded = concat({never, alpha});
    const Variable one_before = slice(padded, -1, 1, spelling.places() + 1);
    const Variable two_before = slice(padded, -1, 0, spelling.places());
    const Variable next =
        log_add_exp(log_add_exp(alpha, one_before), two_before + skips) + select(y, 0, t);
    alpha = t < shortest ? next : where(longer_than(t, lengths), next, alpha);
  }
  Variable losses = -logsumexp(alpha + Variable(spelling.finish()), {-1});

  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Tensor impossible = gt(losses, -0.1 * kNever);
  losses =
      where(impossible, full({}, options.zero_infinity ? 0.0 : kInfinity, losses.dtype()), losses);
  if (options.reduction == Reduction::mean) {
    std::vector<double> shares;
    for (Index b = 0; b < batch; ++b)
      shares.push_back(1.0 / static_cast<double>(std::max<Index>(1, spelling.target_length(b))));
    losses = losses * Variable(Tensor::of({batch}, shares).to(losses.dtype()));
  }
  return detail::reduce("ctc_loss", losses, options.reduction);
}

}  // namespace unroll
