#include "soft_alignment.hpp"

#include <autograd/derivatives/derivatives.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/recurrent/recurrent.hpp>

namespace alignment {
namespace {

using unroll::Shape, unroll::Tensor;

constexpr double kNever = -1e9;  // not infinite: the difference of two infinities is no number

constexpr auto soft_maximum = [](auto match, auto diagonal, auto up, auto left) {
  const auto both = diagonal + match;
  const auto largest = maximum(maximum(both, up), left);
  return largest + log(exp(both - largest) + exp(up - largest) + exp(left - largest));
};

/// V[i-1] where V[i] was.
Variable shifted(const Variable& v) {
  return pad(slice(v, -1, 0, v.size(-1) - 1), -1, 1, 0, kNever);
}

/// The anti-diagonals of `match: [B,N,M]`, `[N+M-1,B,N]`: row i moved to the right by i. That is,
/// with N zeros behind each row, the same elements cut into rows that are one shorter.
Variable anti_diagonals(const Variable& match) {
  const Index batch = match.size(0), n = match.size(1), width = n + match.size(2);
  const Variable flat = reshape(pad(match, -1, 0, n), {batch, n * width});
  const Variable moved = reshape(slice(flat, 1, 0, n * (width - 1)), {batch, n, width - 1});
  return permute(moved, {2, 0, 1});
}

}  // namespace

nn::State SoftAlignment::initial_state(Index batch, unroll::Dtype dtype) const {
  const Index n = inputs();
  const Tensor zero = unroll::zeros({batch, 1}, dtype);
  const Variable diagonal_0 = pad(zero, -1, 0, n, kNever);
  const Variable diagonal_1 = pad(unroll::zeros({batch, 2}, dtype), -1, 0, n - 1, kNever);
  return {diagonal_1, shifted(diagonal_0)};
}

Variable SoftAlignment::project(const Variable& x) const { return pad(x, -1, 1, 0); }

nn::Step SoftAlignment::step(const Variable& x, const nn::State& state) const {
  const Variable up = shifted(state[0]);
  return {pointwise("soft_maximum", soft_maximum, x, state[1], up, state[0]), up};
}

Variable soft_score(const Variable& match, const Lengths& lengths) {
  std::vector<Index> steps;
  for (std::size_t b = 0; b < lengths.first.size(); ++b)
    steps.push_back(lengths.first[b] + lengths.second[b] - 1);
  const nn::Recurrent programme(SoftAlignment(match.size(1)));
  const nn::State end = programme(anti_diagonals(match), {}, {.lengths = steps}).state;
  const Index batch = match.size(0);
  return squeeze(gather(end[0], Tensor::of({batch, 1}, lengths.first), 1), 1);
}

Variable expected_alignment(const Variable& match, const Lengths& lengths) {
  return unroll::grad([&](const Variable& s) { return sum(soft_score(s, lengths)); }, match);
}

}  // namespace alignment
