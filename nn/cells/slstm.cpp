#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/slstm.hpp>
#include <nn/init.hpp>

#include <string>
#include <tuple>

namespace unroll::nn {
namespace {

// log 0 would be exact, but infinite: 0 times it, in whatever masks a state, is NaN. This one
// absorbs every log f that is added to it, in float32 too.
constexpr double kNothingStored = -1e30;

// The derivative goes through m', although h' does not depend on it. Its contributions to the
// gradient of h' cancel, whichever side of the maximum they take where both are equal. But c', n'
// and m' do depend on it, and they are results of the step as well: detached, m' would give a loss
// on them a wrong gradient.
constexpr auto stabilised = [](auto log_i, auto log_f, auto z, auto o, auto c, auto n, auto m) {
  auto log_kept = log_f + m;
  auto next_m = maximum(log_kept, log_i);
  auto kept = exp(log_kept - next_m);
  auto taken = exp(log_i - next_m);
  auto next_c = kept * c + taken * tanh(z);
  auto next_n = kept * n + taken;
  return std::tuple{sigmoid(o) * next_c / next_n, next_c, next_n, next_m};
};
constexpr auto sigmoid_forget = [](auto i, auto f, auto z, auto o, auto c, auto n, auto m) {
  return stabilised(i, log_sigmoid(f), z, o, c, n, m);
};

SLSTMOptions checked(const SLSTMOptions& options, Index hidden) {
  if (options.heads < 1 || hidden % options.heads != 0)
    throw ArgumentError("SLSTM: heads must be at least 1 and divide hidden, got " +
                        std::to_string(options.heads) + " heads for hidden " +
                        std::to_string(hidden));
  return options;
}

}  // namespace

SLSTM::SLSTM(Index inputs, Index hidden, const SLSTMOptions& options)
    : Cell(inputs, {hidden, hidden, hidden, hidden}),
      options_(checked(options, hidden)),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh",
                           init::pytorch_default({4 * hidden, hidden / options.heads}, hidden))),
      bias_(parameter("bias", init::pytorch_default({4 * hidden}, hidden))) {}

State SLSTM::initial_state(Index batch, Dtype dtype) const {
  State state = Cell::initial_state(batch, dtype);
  state[3] = full(state[3].shape(), kNothingStored, dtype);
  return state;
}

Variable SLSTM::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

/// The pre-activations of the gates, `[B,heads,4H/heads]`.
Variable SLSTM::sums(const Variable& x, const Variable& h) const {
  const Index batch = x.size(0);
  const Index heads = options_.heads;
  if (heads == 1) return reshape(linear(h, weight_hh_, x), {batch, 1, -1});
  const Variable blocks = reshape(weight_hh_, {heads, -1, weight_hh_.shape()[1]});
  const Variable of_heads = permute(reshape(h, {batch, heads, -1}), {1, 0, 2});
  const Variable products = permute(matmul(of_heads, transpose(blocks)), {1, 0, 2});
  return reshape(x, {batch, heads, -1}) + products;
}

Step SLSTM::step(const Variable& x, const State& state) const {
  const Shape flat = state[0].shape();
  const Shape by_head{flat[0], options_.heads, flat[1] / options_.heads};
  auto [i, f, z, o] = split<4>(sums(x, state[0]));
  const Variable c = reshape(state[1], by_head);
  const Variable n = reshape(state[2], by_head);
  const Variable m = reshape(state[3], by_head);
  State next;
  for (const Variable& value : options_.exponential_forget
                                   ? pointwise("slstm", stabilised, i, f, z, o, c, n, m)
                                   : pointwise("slstm", sigmoid_forget, i, f, z, o, c, n, m))
    next.push_back(reshape(value, flat));
  return {next};
}

}  // namespace unroll::nn
