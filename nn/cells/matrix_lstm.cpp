#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/matrix_lstm.hpp>

#include <array>
#include <cmath>
#include <tuple>

namespace unroll::nn {
namespace {

/// m of an empty memory. exp(m - m') must be 0 for any m' that a gate can give.
constexpr double kNothingStored = -1e30;

/// The factors of the memory and of what is added, and the next m.
constexpr auto rescale = [](auto i, auto log_f, auto m) {
  const auto next = maximum(log_f + m, i);
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

}  // namespace unroll::nn
