#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/learning/joined_state.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/verify/gradient_flow.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

namespace unroll::nn {
namespace {

/// A NaN is larger than any number: it must not go unnoticed.
double larger(double a, double b) { return a >= b || std::isnan(a) ? a : b; }

double frobenius_norm(const Tensor& x) {
  double most = 0.0;  // scales what is squared
  double sum = 0.0;
  const std::vector<double> numbers = x.to_vector<double>();
  for (double value : numbers) most = larger(most, std::abs(value));
  if (most == 0.0 || !std::isfinite(most)) return most;
  for (double value : numbers) sum += (value / most) * (value / most);
  return most * std::sqrt(sum);
}

/// Every row of `x: [B,...]` so many times, below each other: `[B times,...]`.
Tensor repeated(const Tensor& x, Index times) {
  Shape shape = x.shape();
  shape.insert(1, times);
  Shape rows = x.shape();
  rows[0] *= times;
  return x.unsqueeze(1).broadcast_to(shape).reshape(rows);
}

/// 0, 0, ..., 1, 1, ...: the sequences that the rows of such a tensor are of.
std::vector<Index> sequences_of_rows(Index batch, Index times) {
  std::vector<Index> all;
  for (Index row = 0; row < batch * times; ++row) all.push_back(row / times);
  return all;
}

Tensor identities(Index batch, Index size) {
  std::vector<double> one(static_cast<std::size_t>(size * size), 0.0);
  for (Index k = 0; k < size; ++k) one[static_cast<std::size_t>(k * size + k)] = 1.0;
  return Tensor::of({size, size}, one).broadcast_to({batch, size, size}).contiguous();
}

/// dS_t/dS_{t-1}, `[B,n,n]`, of all elements in one backward pass: the batch is repeated for each,
/// and each row of it is seeded for another one.
Tensor jacobian_of(const Cell& cell, const Call& call, const Tensor& projected,
                   const Tensor& before) {
  const Index batch = before.size(0);
  const Index size = before.size(1);
  const Substitution inside = call.of_sequences(sequences_of_rows(batch, size)).enter();
  Tape tape;
  const Variable rows = tape.watch(repeated(before, size));
  const Variable after = join(cell.step(repeated(projected, size), part(rows, cell)).state);
  if (!after.recorded()) return zeros({batch, size, size}, Dtype::float64);
  const Tensor seed = identities(batch, size).reshape({-1, size}).to(before.dtype());
  return tape.gradients(after, {.seed = seed})[rows]
      .value()
      .to(Dtype::float64)
      .reshape({batch, size, size});
}

/// A number with a space before it, right-aligned in `width` places.
std::string column(double number, int width = 13) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), " %*.4g", width, number);
  return text.data();
}

void check(const Cell& cell, const Tensor& x, const GradientFlowOptions& options) {
  if (!x.defined() || x.rank() != 3 || x.size(2) != cell.inputs() || x.size(0) < 1 || x.size(1) < 1)
    throw ShapeError("gradient_flow: x is " + describe(x) + ", the cell takes [T,B," +
                     std::to_string(cell.inputs()) + "] with T and B at least 1");
  if (options.loss && (!options.targets.defined() || options.targets.rank() < 2 ||
                       options.targets.size(0) != x.size(0)))
    throw ArgumentError("gradient_flow: the targets are " + describe(options.targets) +
                        ", a loss over x " + describe(x) + " needs [T,B,...] with one T");
  if (options.part && *options.part >= cell.state_sizes().size())
    throw ArgumentError("gradient_flow: there is no part " + std::to_string(*options.part) +
                        " of the state, the cell keeps " +
                        std::to_string(cell.state_sizes().size()) + " tensors");
  if (!(options.spectral_bound >= 0.0))
    throw ArgumentError("gradient_flow: spectral_bound must not be negative, it is " +
                        std::to_string(options.spectral_bound));
}

/// The states S_0 to S_T, `[B,n]` each, and the gradients of the loss with respect to them.
struct Trajectory {
  std::vector<Tensor> states;
  std::vector<Tensor> gradients;
  Tensor projected;  // [T,B,P]
};

Trajectory follow(const Cell& cell, const Call& call, const Tensor& x,
                  const GradientFlowOptions& options) {
  check_constant("gradient_flow", options.state);
  const Substitution inside = call.enter();
  Tape tape;
  const State start =
      options.state.empty() ? detach(cell.initial_state(x.size(1), x.dtype())) : options.state;
  check_state("gradient_flow", "the first state", cell, start, x.size(1));
  std::vector<Variable> states{tape.watch(join(start).value())};
  const Variable projected = project("gradient_flow", cell, x);
  Variable loss;
  for (Index t = 0; t < x.size(0); ++t) {
    const Step after = cell.step(select(projected, 0, t), part(states.back(), cell));
    check_state("gradient_flow", "what step returned", cell, after.state, x.size(1));
    if (after.output.defined()) check_output("gradient_flow", cell, after.output, x.size(1));
    states.push_back(join(after.state));
    if (!options.loss) continue;
    const Variable output =
        after.output.defined() ? after.output : cell.output(part(states.back(), cell));
    const Variable one = options.loss(output, options.targets.select(0, t));
    if (one.defined()) loss = loss.defined() ? loss + one : one;
  }
  Trajectory trajectory{{}, {}, projected.value()};
  for (const Variable& state : states) trajectory.states.push_back(state.value());
  if (!loss.defined()) return trajectory;
  GradientOptions of;
  for (const Variable& state : states)
    if (state.recorded()) of.of.push_back(state);
  const Gradients gradients = tape.gradients(loss, of);
  for (const Variable& state : states)
    trajectory.gradients.push_back(state.recorded() ? gradients[state].value()
                                                    : zeros(state.shape(), state.dtype()));
  return trajectory;
}

}  // namespace

double spectral_norm(const Tensor& matrix) {
  if (!matrix.defined() || matrix.rank() != 2)
    throw ShapeError("spectral_norm: expected a matrix [M,N], got " + describe(matrix));
  if (!is_floating(matrix.dtype()))
    throw DtypeError("spectral_norm: expected float32 or float64, got " + describe(matrix));
  const Tensor numbers = matrix.to(Dtype::float64);
  const double scale = frobenius_norm(numbers);
  if (scale == 0.0 || !std::isfinite(scale)) return scale;
  // Squared again and again, a symmetric matrix is left with its largest eigenvalue: log |G| =
  // log f + 1/2 log |(G/f)^2|. What is left of the sum after w = 2^-i is at most w log n.
  const Variable a = Variable(numbers) * (1.0 / scale);
  Variable gram = a.size(0) < a.size(1) ? matmul(a, transpose(a)) : matmul(transpose(a), a);
  double log_norm = 0.0;
  for (double weight = 1.0; weight > 1e-18; weight *= 0.5) {
    const double factor = frobenius_norm(gram.value());
    const double term = weight * std::log(factor);
    log_norm += term;
    if (std::abs(term) < 1e-18) break;  // of rank one: all that follows is 1
    gram = gram * (1.0 / factor);
    gram = matmul(gram, gram);
  }
  return scale * std::exp(0.5 * log_norm);
}

GradientFlow gradient_flow(const Cell& cell, const Tensor& x, const GradientFlowOptions& options) {
  check(cell, x, options);
  const Call call = prepared(cell, x.size(1), x.dtype(), {}).detached();
  const Trajectory trajectory = follow(cell, call, x, options);
  const Index steps = x.size(0);
  const Index batch = x.size(1);
  const std::vector<Index>& sizes = cell.state_sizes();
  Index begin = 0;
  Index end = trajectory.states[0].size(1);
  if (options.part) {
    for (std::size_t k = 0; k < *options.part; ++k) begin += sizes[k];
    end = begin + sizes[*options.part];
  }

  std::vector<double> spectral, frobenius, loss_gradient;
  double largest = 0.0;
  Variable product = identities(batch, trajectory.states[0].size(1));
  for (Index lag = 0; lag <= steps; ++lag) {
    const auto k = static_cast<std::size_t>(steps - lag);
    if (lag > 0) {
      const Tensor jacobian = jacobian_of(cell, call, trajectory.projected.select(0, steps - lag),
                                          trajectory.states[k]);
      for (Index b = 0; b < batch; ++b)
        largest = larger(largest, spectral_norm(jacobian.select(0, b)));
      product = matmul(product, jacobian);
    }
    for (Index b = 0; b < batch; ++b) {
      const Tensor block = product.value().select(0, b).slice(0, begin, end).slice(1, begin, end);
      spectral.push_back(spectral_norm(block));
      frobenius.push_back(frobenius_norm(block));
      if (!trajectory.gradients.empty())
        loss_gradient.push_back(
            frobenius_norm(trajectory.gradients[k].select(0, b).slice(0, begin, end)));
    }
  }

  GradientFlow flow;
  const Shape shape{steps + 1, batch};
  flow.spectral = Tensor::of(shape, spectral);
  flow.frobenius = Tensor::of(shape, frobenius);
  if (!loss_gradient.empty()) flow.loss_gradient = Tensor::of(shape, loss_gradient);
  flow.spectral_bound = options.spectral_bound > 0.0 ? options.spectral_bound : largest;
  for (Index lag = 0; lag <= steps; ++lag)
    flow.bound.push_back(std::pow(flow.spectral_bound, static_cast<double>(lag)));
  return flow;
}

double GradientFlow::rate() const {
  const Index steps = spectral.size(0) - 1;
  double logs = 0.0;
  for (double norm : spectral.select(0, steps).to_vector<double>()) logs += std::log(norm);
  return std::exp(logs / static_cast<double>(steps * spectral.size(1)));
}

std::string GradientFlow::to_string() const {
  const Index steps = spectral.size(0) - 1;
  const auto worst = [](const Tensor& norms, Index lag) {
    const std::vector<double> row = norms.select(0, lag).to_vector<double>();
    return std::accumulate(row.begin(), row.end(), 0.0, larger);
  };
  // 1, 2, 5, 10, 20, 50, ... of many
  const auto shown = [steps](Index lag) {
    if (steps <= 20 || lag == 0 || lag == steps) return true;
    while (lag % 10 == 0) lag /= 10;
    return lag == 1 || lag == 2 || lag == 5;
  };
  std::string text = "   lag      spectral         bound     Frobenius";
  if (loss_gradient.defined()) text += "          loss";
  text += '\n';
  for (Index lag = 0; lag <= steps; ++lag) {
    if (!shown(lag)) continue;
    const std::string number = std::to_string(lag);
    text += std::string(6 - std::min<std::size_t>(number.size(), 6), ' ') + number;
    text += column(worst(spectral, lag));
    text += column(bound[static_cast<std::size_t>(lag)]);
    text += column(worst(frobenius, lag));
    if (loss_gradient.defined()) text += column(worst(loss_gradient, lag));
    text += '\n';
  }
  const double factor = rate();
  if (std::isnan(factor))
    return text + "There is a NaN in the sequence, the weights or the cell.\n";
  text += "Each step multiplies the norm by" + column(factor, 0) + ": the gradients ";
  text += factor < 0.95 ? "vanish" : factor > 1.05 ? "explode" : "keep their size";
  text += ".\n";
  return text;
}

}  // namespace unroll::nn
