#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/ntm.hpp>
#include <nn/init.hpp>

#include <array>
#include <string>

namespace unroll::nn {
namespace {

constexpr double kFirstMemory = 1e-6;

void check_at_least_one(const char* name, Index value) {
  if (value < 1)
    throw ArgumentError(std::string("NTM: ") + name + " must be at least 1, it is " +
                        std::to_string(value));
}

std::vector<Shape> state_shapes_of(Index hidden, const NTMOptions& options) {
  check_at_least_one("hidden", hidden);
  check_at_least_one("slots", options.slots);
  check_at_least_one("width", options.width);
  check_at_least_one("read_heads", options.read_heads);
  check_at_least_one("write_heads", options.write_heads);
  if (options.max_shift < 0 || 2 * options.max_shift + 1 > options.slots)
    throw ArgumentError("NTM: max_shift is " + std::to_string(options.max_shift) + " with " +
                        std::to_string(options.slots) +
                        " slots, 2 max_shift + 1 must be from 1 to slots; take a smaller shift or "
                        "more slots");
  std::vector<Shape> shapes{{options.read_heads, options.width},
                            {options.read_heads + options.write_heads, options.slots},
                            {options.slots, options.width}};
  if (options.controller == NTMController::lstm) shapes.insert(shapes.end(), 2, Shape{hidden});
  return shapes;
}

Index gates_of(const NTMOptions& options) {
  return options.controller == NTMController::lstm ? 4 : 1;
}

/// How many outputs of `heads` are k, s, the three scalars, e and a.
std::array<Index, 5> head_sizes(const NTMOptions& options) {
  const Index heads = options.read_heads + options.write_heads;
  const Index written = options.write_heads * options.width;
  return {heads * options.width, heads * (2 * options.max_shift + 1), 3 * heads, written, written};
}

Index head_outputs(const NTMOptions& options) {
  Index all = 0;
  for (const Index size : head_sizes(options)) all += size;
  return all;
}

constexpr auto lstm = [](auto i, auto f, auto g, auto o, auto c) {
  const auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};
constexpr auto similarity = [](auto product, auto key, auto memory, auto beta) {
  return softplus(beta) * product * rsqrt((key + 1e-6) * (memory + 1e-6));
};
constexpr auto interpolate = [](auto content, auto previous, auto gate) {
  return previous + sigmoid(gate) * (content - previous);
};
// The softmax of this is w^gamma / sum w^gamma, which cannot divide 0 by 0.
constexpr auto sharpen = [](auto w, auto gamma) {
  return (1.0 + softplus(gamma)) * log(maximum(w, 1e-16 + 0.0 * w));
};
constexpr auto multiply_add = [](auto sum, auto w, auto s) { return sum + w * s; };
constexpr auto erase_by = [](auto memory, auto erasure) { return memory * (1.0 - erasure); };
constexpr auto erase_and_add = [](auto memory, auto erasure, auto addition) {
  return memory * (1.0 - erasure) + addition;
};

}  // namespace

NTM::NTM(Index inputs, Index hidden, const NTMOptions& options)
    : Cell(inputs, state_shapes_of(hidden, options)),
      hidden_(hidden),
      options_(options),
      weight_ih_(parameter("weight_ih",
                           init::pytorch_default({gates_of(options) * hidden, inputs}, hidden))),
      weight_rh_(parameter("weight_rh", init::pytorch_default({gates_of(options) * hidden,
                                                               options.read_heads * options.width},
                                                              hidden))),
      bias_(parameter("bias", init::pytorch_default({gates_of(options) * hidden}, hidden))),
      heads_(add("heads", Linear(hidden, head_outputs(options)))) {
  if (options.controller == NTMController::lstm)
    weight_hh_ = parameter("weight_hh", init::pytorch_default({4 * hidden, hidden}, hidden));
  if (options.learned_memory)
    memory_ = parameter("memory", init::pytorch_default({options.slots, options.width}, hidden));
}

State NTM::initial_state(Index batch, Dtype dtype) const {
  State state = Cell::initial_state(batch, dtype);
  const Shape memory = with_batch(batch, state_shapes()[2]);
  state[2] = memory_ ? broadcast_to(*memory_, memory) : Variable(full(memory, kFirstMemory, dtype));
  state[1] = one_hot(zeros({batch, options_.read_heads + options_.write_heads}, Dtype::int64),
                     options_.slots, dtype);
  // What a head at location 0 reads.
  state[0] = broadcast_to(slice(state[2], 1, 0, 1), with_batch(batch, state_shapes()[0]));
  return state;
}

Variable NTM::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step NTM::step(const Variable& x, const State& state) const {
  const Index batch = x.size(0), read = options_.read_heads, width = options_.width;
  const Index heads = read + options_.write_heads;
  const Variable sums = linear(reshape(state[0], {batch, read * width}), weight_rh_, x);
  Variable h, c;
  if (weight_hh_) {
    const auto [i, f, g, o] = split<4>(linear(state[3], *weight_hh_, sums));
    const auto [hidden, cell] = pointwise("ntm_lstm", lstm, i, f, g, o, state[4]);
    h = hidden;
    c = cell;
  } else {
    h = tanh(sums);
  }

  const std::vector<Variable> parts = split(heads_(h), head_sizes(options_));
  const Variable weights =
      address(reshape(parts[0], {batch, heads, width}),
              reshape(parts[1], {batch, heads, 2 * options_.max_shift + 1}), parts[2], state);
  const Variable memory = write(state[2], slice(weights, 1, read, heads), parts[3], parts[4]);
  const Variable reads = matmul(slice(weights, 1, 0, read), memory);
  const Variable output = concat({h, reshape(reads, {batch, read * width})});
  if (weight_hh_) return Step(output, {reads, weights, memory, h, c});
  return Step(output, {reads, weights, memory});
}

/// The next weightings of all heads, `[B,R+W,N]`, from what the controller says: `keys: [B,R+W,M]`,
/// `shifts: [B,R+W,2S+1]` and `scalars: [B,3(R+W)]`.
Variable NTM::address(const Variable& keys, const Variable& shifts, const Variable& scalars,
                      const State& state) const {
  const Variable& memory = state[2];
  const Index slots = options_.slots, reach = options_.max_shift;
  const auto [beta, gate, gamma] = split<3>(unsqueeze(scalars, 2), 1);
  const Variable k = tanh(keys);
  const Variable content =
      softmax(pointwise("ntm_similarity", similarity, matmul(k, transpose(memory)),
                        sum(square(k), {-1}, true), unsqueeze(sum(square(memory), {-1}), 1), beta));
  const Variable gated = pointwise("ntm_interpolation", interpolate, content, state[1], gate);

  const Variable s = softmax(shifts);
  const Variable ring =
      concat({slice(gated, -1, slots - reach, slots), gated, slice(gated, -1, 0, reach)});
  Variable shifted;
  for (Index q = 0; q <= 2 * reach; ++q) {  // a shift by q - reach
    const Variable w = slice(ring, -1, 2 * reach - q, 2 * reach - q + slots);
    const Variable probability = slice(s, -1, q, q + 1);
    shifted =
        q == 0 ? w * probability : pointwise("ntm_shift", multiply_add, shifted, w, probability);
  }
  return softmax(pointwise("ntm_sharpening", sharpen, shifted, gamma));
}

/// The memory after all erasures and additions: `weights: [B,W,N]`, `erase` and `addition` [B,W M].
Variable NTM::write(const Variable& memory, const Variable& weights, const Variable& erase,
                    const Variable& addition) const {
  const Index batch = weights.size(0), heads = options_.write_heads;
  const Shape vectors{batch, heads, options_.width};
  const Variable e = reshape(sigmoid(erase), vectors), a = reshape(tanh(addition), vectors);
  const Variable w = transpose(weights);  // [B,N,W]
  // Products of vectors are made by matmul: pointwise would broadcast along rows of only M
  // elements.
  const auto erasure = [&](Index k) {
    return matmul(slice(w, 2, k, k + 1), slice(e, 1, k, k + 1));
  };
  Variable kept = memory;
  for (Index k = 1; k < heads; ++k) kept = pointwise("ntm_erase", erase_by, kept, erasure(k));
  return pointwise("ntm_write", erase_and_add, kept, erasure(0), matmul(w, a));
}

Variable NTM::read_weights(const State& state) const {
  return slice(state[1], 1, 0, options_.read_heads);
}

Variable NTM::write_weights(const State& state) const {
  return slice(state[1], 1, options_.read_heads, options_.read_heads + options_.write_heads);
}

}  // namespace unroll::nn
