#include <autograd/ops/activation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/matrix_lstm.hpp>
#include <nn/recurrent/memory_scan.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

/// m of an empty memory. exp(m - m') must be 0 for any m' that a gate can give.
constexpr double kNothingStored = -1e30;

constexpr auto next_stabiliser = [](auto i, auto log_f, auto m) { return maximum(log_f + m, i); };
/// The factors of the memory and of what is added, and the next m.
constexpr auto rescale = [](auto i, auto log_f, auto m) {
  const auto next = next_stabiliser(i, log_f, m);
  return std::tuple{exp(log_f + m - next), exp(i - next), next};
};
constexpr auto with_sigmoid = [](auto i, auto f, auto m) { return rescale(i, log_sigmoid(f), m); };
constexpr auto store = [](auto memory, auto keep, auto value, auto key) {
  return keep * memory + value * key;
};
// o C q / max(|n^T q|, 1) for C = exp(m) c and n = exp(m) n, of which neither may be computed: both
// sides of the fraction are divided by exp(m) if m > 0. So no exponential exceeds 1.
constexpr auto normalise = [](auto o, auto read, auto weight, auto m) {
  const auto zero = 0.0 * m;
  const auto up = exp(minimum(m, zero)), down = exp(-maximum(m, zero));
  return sigmoid(o) * read * up / maximum(abs(weight) * up, down);
};

struct Stabilisers {
  Variable after, before;  // m' and m of every step: [T,B,1]
};

/// The only part of the recurrence that runs step by step.
Stabilisers stabilisers(const Variable& i, const Variable& log_f, const Variable& start,
                        const RunOptions& options) {
  const Index steps = i.size(0);
  std::vector<Variable> after(static_cast<std::size_t>(steps)), before = after;
  Variable m = start;
  for (Index k = 0; k < steps; ++k) {
    const Index t = options.reverse ? steps - 1 - k : k;
    const auto place = static_cast<std::size_t>(t);
    const Tensor begins = options.begins(t);
    if (begins.defined()) m = where(begins.unsqueeze(-1), options.start[2], m);
    before[place] = m;
    after[place] = m =
        pointwise("mlstm_stabiliser", next_stabiliser, select(i, 0, t), select(log_f, 0, t), m);
  }
  return {stack(after), stack(before)};
}

std::pair<Variable, Variable> value_and_normaliser(const Variable& x, Index units) {
  const std::array<Index, 2> sizes{units, 1};
  const std::vector<Variable> parts = split(x, sizes);
  return {parts[0], parts[1]};
}

}  // namespace

MLSTM::MLSTM(Index inputs, Index units, const MLSTMOptions& options)
    : Cell(inputs, {{units, units}, units, 1}),
      units_(units),
      options_(options),
      input_(add("input", Linear(inputs, 4 * units + 2))) {}

State MLSTM::initial_state(Index batch, Dtype dtype) const {
  State state = Cell::initial_state(batch, dtype);
  state[2] = full({batch, 1}, kNothingStored, dtype);
  return state;
}

Step MLSTM::step(const Variable& x, const State& state) const {
  const std::array<Index, 6> sizes{units_, units_, units_, units_, 1, 1};
  const std::vector<Variable> parts = split(x, sizes);
  const Variable &q = parts[0], &v = parts[2], &o = parts[3], &i = parts[4], &f = parts[5];
  const auto [keep, admit, m] = options_.exponential_forget
                                    ? pointwise("mlstm_exp", rescale, i, f, state[2])
                                    : pointwise("mlstm_gates", with_sigmoid, i, f, state[2]);
  const auto [k, n] = pointwise(
      "mlstm_normaliser",
      [scale = 1.0 / std::sqrt(static_cast<double>(units_))](auto key, auto a, auto f_, auto old) {
        const auto stored = scale * a * key;
        return std::pair{stored, f_ * old + stored};
      },
      parts[1], admit, keep, state[1]);
  const Variable memory = pointwise("mlstm_memory", store, state[0], unsqueeze(keep, 2),
                                    unsqueeze(v, 2), unsqueeze(k, 1));
  const Variable read = squeeze(matmul(memory, unsqueeze(q, 2)), 2);
  const Variable h = pointwise("mlstm", normalise, o, read, sum(n * q, {-1}, true), m);
  return Step(h, {memory, n, m});
}

std::optional<Sequence> MLSTM::run(const Variable& x, const State& state,
                                   const RunOptions& options) const {
  const Index steps = x.size(0);
  const std::array<Index, 6> sizes{units_, units_, units_, units_, 1, 1};
  const std::vector<Variable> parts = split(input_(x), sizes);
  const Variable &q = parts[0], &v = parts[2], &o = parts[3];
  Variable i = parts[4];
  Variable log_f = options_.exponential_forget ? parts[5] : log_sigmoid(parts[5]);
  if (Tensor running = options.running(steps, x.dtype()); running.defined()) {
    running = running.unsqueeze(-1);
    i = where(running, i, kNothingStored);
    log_f = where(running, log_f, 0.0);
  }
  const auto [m, m_before] = stabilisers(i, log_f, state[2], options);
  const auto [keys, keep] = pointwise(
      "mlstm_keys",
      [scale = 1.0 / std::sqrt(static_cast<double>(units_))](auto key, auto i_, auto f, auto before,
                                                             auto now) {
        return std::pair{scale * exp(i_ - now) * key, f + before - now};
      },
      parts[1], i, log_f, m_before, m);

  // The normaliser is what the memory would hold of a further value that is always 1.
  const auto joined = [](const State& s) {
    return concat({transpose(s[0]), unsqueeze(s[1], 2)}, 2);
  };
  RunOptions how = options;
  if (!options.start.empty()) how.start = {joined(options.start)};
  const Shape beside_values{steps, x.size(1), 1};
  const auto [reads, memory] = memory_scan({.queries = q,
                                            .keys = keys,
                                            .values = concat({v, ones(beside_values, x.dtype())}),
                                            .log_decay = keep},
                                           joined(state), how);
  const auto [read, weight] = value_and_normaliser(reads, units_);
  const auto [c, n] = value_and_normaliser(memory, units_);
  return Sequence{pointwise("mlstm", normalise, o, read, weight, m),
                  {transpose(c), squeeze(n, 2), select(m, 0, options.reverse ? 0 : steps - 1)}};
}

}  // namespace unroll::nn
