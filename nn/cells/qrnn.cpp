#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linear_scan.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/qrnn.hpp>
#include <nn/init.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

constexpr auto pool = [](auto z, auto f, auto o, auto c) {
  auto candidate = tanh(z);
  auto next = candidate + sigmoid(f) * (c - candidate);
  return std::pair{sigmoid(o) * next, next};
};
constexpr auto scan_coefficients = [](auto z, auto f) {
  auto decay = sigmoid(f);
  return std::pair{decay, (1.0 - decay) * tanh(z)};
};
constexpr auto gate_output = [](auto o, auto c) { return sigmoid(o) * c; };

std::vector<Shape> shapes_of(Index inputs, Index hidden, Index window) {
  if (window < 1)
    throw ArgumentError("QRNN: window must be at least 1, it is " + std::to_string(window) +
                        "; it counts the inputs that a step reads");
  std::vector<Shape> shapes{Shape{hidden}};
  if (window > 1) shapes.push_back(Shape{(window - 1) * inputs});
  return shapes;
}

/// `past: [B,D I]` after the input x, which drops the oldest.
Variable push(const Variable& x, const Variable& past) {
  const Index kept = past.size(1) - x.size(1);
  return kept == 0 ? x : concat({x, slice(past, -1, 0, kept)});
}

/// What the D = k - 1 taps of the convolution read at every step.
struct Taps {
  Variable past;  ///< [T,B,D I], latest input first
  Variable last;  ///< [B,D I], what the step after the last will read
};

/// Gathers the taps of all steps from a table of rows: those of x, of the state and, for steps
/// behind a boundary, of the start state. Which row a tap reads depends on lengths, direction and
/// boundaries, and is found by passing row numbers through the delay line in place of inputs.
Taps gather_taps(const Variable& x, const Variable& past, const RunOptions& options) {
  const Index steps = x.size(0), batch = x.size(1), inputs = x.size(2);
  const Index delays = past.size(1) / inputs;
  std::vector<Variable> table{reshape(x, {steps * batch, inputs}), reshape(past, {-1, inputs})};
  const Index first_past = steps * batch;
  const Index first_start = first_past + batch * delays;
  std::vector<double> resets;
  if (options.resets.defined()) {
    table.push_back(reshape(options.start[1], {-1, inputs}));
    resets = options.resets.to(Dtype::float64).to_vector<double>();
  }

  std::vector<Index> rows(static_cast<std::size_t>(steps * batch * delays));
  std::vector<Index> last;
  std::vector<Index> line(static_cast<std::size_t>(delays));
  const auto fill_line = [&](Index row) {
    for (Index& tap : line) tap = row++;
  };
  for (Index b = 0; b < batch; ++b) {
    const Index length =
        options.lengths.empty() ? steps : options.lengths[static_cast<std::size_t>(b)];
    fill_line(first_past + b * delays);
    for (Index k = 0; k < steps; ++k) {
      const Index t = options.reverse ? steps - 1 - k : k;
      const Index boundary = options.reverse ? t + 1 : t;
      if (!resets.empty() && boundary < length &&
          resets[static_cast<std::size_t>(boundary * batch + b)] != 0.0)
        fill_line(first_start + b * delays);
      std::copy(line.begin(), line.end(), rows.begin() + (t * batch + b) * delays);
      if (t >= length) continue;
      std::copy_backward(line.begin(), line.end() - 1, line.end());
      line.front() = t * batch + b;
    }
    last.insert(last.end(), line.begin(), line.end());
  }
  const Variable all = concat(table, 0);
  return {reshape(embedding(all, Tensor::of({steps, batch, delays}, rows)),
                  {steps, batch, delays * inputs}),
          reshape(embedding(all, Tensor::of({batch, delays}, last)), {batch, delays * inputs})};
}

}  // namespace

QRNN::QRNN(Index inputs, Index hidden, const QRNNOptions& options)
    : Cell(inputs, shapes_of(inputs, hidden, options.window)),
      window_(options.window),
      weight_ih_(
          parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, window_ * inputs))),
      bias_(parameter("bias", init::pytorch_default({3 * hidden}, window_ * inputs))) {
  if (window_ > 1)
    weight_past_ =
        parameter("weight_past",
                  init::pytorch_default({3 * hidden, (window_ - 1) * inputs}, window_ * inputs));
}

Variable QRNN::project(const Variable& x) const {
  const Variable now = linear(x, weight_ih_, bias_);
  // The next steps read x itself too.
  return weight_past_ ? concat({now, x}) : now;
}

Step QRNN::step(const Variable& x, const State& state) const {
  const auto pooled = [&](const Variable& gates) {
    const auto [z, f, o] = split<3>(gates);
    return pointwise("qrnn", pool, z, f, o, state[0]);
  };
  if (!weight_past_) {
    const auto [h, c] = pooled(x);
    return Step(h, {c});
  }
  const std::array<Index, 2> sizes{3 * outputs(), inputs()};
  const std::vector<Variable> parts = split(x, sizes);
  const auto [h, c] = pooled(linear(state[1], *weight_past_, parts[0]));
  return Step(h, {c, push(parts[1], state[1])});
}

std::optional<Sequence> QRNN::run(const Variable& x, const State& state,
                                  const RunOptions& options) const {
  Variable gates = linear(x, weight_ih_, bias_);
  State after;
  if (weight_past_) {
    const Taps taps = gather_taps(x, state[1], options);
    gates = linear(taps.past, *weight_past_, gates);
    after.push_back(taps.last);
  }
  const auto [z, f, o] = split<3>(gates);
  const auto [decay, input] = pointwise("qrnn", scan_coefficients, z, f);
  LinearScanOptions how{.start = state[0],
                        .reverse = options.reverse,
                        .lengths = options.lengths,
                        .resets = options.resets};
  if (options.resets.defined()) how.restart = options.start[0];
  const Variable c = linear_scan(decay, input, how);
  State last{select(c, 0, options.reverse ? 0 : x.size(0) - 1)};
  for (const Variable& part : after) last.push_back(part);
  return Sequence{pointwise("qrnn", gate_output, o, c), std::move(last)};
}

}  // namespace unroll::nn
