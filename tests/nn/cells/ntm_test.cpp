#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Vector = std::vector<double>;

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

const std::vector<nn::NTMOptions> kVariants{
    {.slots = 6, .width = 2},
    {.slots = 6, .width = 2, .controller = nn::NTMController::lstm},
    {.slots = 7, .width = 5, .read_heads = 2, .write_heads = 3, .max_shift = 2},
    {.slots = 5, .width = 3, .write_heads = 2, .max_shift = 0, .learned_memory = true},
};

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

double soft_plus(double x) { return std::log1p(std::exp(x)); }

Vector soft_max(Vector v) {
  double sum = 0.0;
  for (double& value : v) sum += value = std::exp(value);
  for (double& value : v) value /= sum;
  return v;
}

/// Equations 2 to 9 of the paper for one sequence. The state is {output, r, w, mem, h, c}.
void step_by_hand(const HandWeights& weights, const nn::NTMOptions& o, const Vector& x,
                  HandState& state) {
  const Index n = o.slots, m = o.width, heads = o.read_heads + o.write_heads;
  const Index shifts = 2 * o.max_shift + 1;
  Vector& r = state[1];
  Vector& memory = state[3];
  Vector h(at(kHidden));
  const bool lstm = o.controller == nn::NTMController::lstm;
  const auto net = [&](Index row) {
    double sum = weights.at("bias", row) + weights.row("weight_ih", row, x) +
                 weights.row("weight_rh", row, r);
    if (lstm) sum += weights.row("weight_hh", row, state[4]);
    return sum;
  };
  for (Index k = 0; k < kHidden; ++k) {
    if (!lstm) {
      h[at(k)] = std::tanh(net(k));
      continue;
    }
    double& c = state[5][at(k)];
    c = logistic(net(kHidden + k)) * c + logistic(net(k)) * std::tanh(net(2 * kHidden + k));
    h[at(k)] = logistic(net(3 * kHidden + k)) * std::tanh(c);
  }
  if (lstm) state[4] = h;

  Vector raw;
  for (Index k = 0; k < heads * (m + shifts + 3) + 2 * o.write_heads * m; ++k)
    raw.push_back(weights.row("heads.weight", k, h) + weights.at("heads.bias", k));
  const double *keys = raw.data(), *kernels = keys + heads * m;
  const double *betas = kernels + heads * shifts, *gates = betas + heads, *gammas = gates + heads;
  const double *erasures = gammas + heads, *additions = erasures + o.write_heads * m;

  for (Index p = 0; p < heads; ++p) {
    const auto w = state[2].begin() + p * n;
    Vector content, shift, shifted(at(n), 0.0);
    for (Index i = 0; i < n; ++i) {
      double product = 0.0, key_norm = 1e-6, row_norm = 1e-6;
      for (Index j = 0; j < m; ++j) {
        const double key = std::tanh(keys[p * m + j]), cell = memory[at(i * m + j)];
        product += key * cell;
        key_norm += key * key;
        row_norm += cell * cell;
      }
      content.push_back(soft_plus(betas[p]) * product / std::sqrt(key_norm) / std::sqrt(row_norm));
    }
    content = soft_max(content);
    for (Index q = 0; q < shifts; ++q) shift.push_back(kernels[p * shifts + q]);
    shift = soft_max(shift);
    const double g = logistic(gates[p]);
    for (Index i = 0; i < n; ++i)
      for (Index q = 0; q < shifts; ++q) {
        const Index j = (i - (q - o.max_shift) + n) % n;  // s(i - j) with i - j = q - S
        shifted[at(i)] += (g * content[at(j)] + (1.0 - g) * w[j]) * shift[at(q)];
      }
    double sum = 0.0;
    for (double& value : shifted) sum += value = std::pow(value, 1.0 + soft_plus(gammas[p]));
    for (Index i = 0; i < n; ++i) w[i] = shifted[at(i)] / sum;
  }

  const double* written = state[2].data() + o.read_heads * n;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      double& cell = memory[at(i * m + j)];
      for (Index p = 0; p < o.write_heads; ++p)
        cell *= 1.0 - written[p * n + i] * logistic(erasures[p * m + j]);
      for (Index p = 0; p < o.write_heads; ++p)
        cell += written[p * n + i] * std::tanh(additions[p * m + j]);
    }
  std::fill(r.begin(), r.end(), 0.0);
  for (Index p = 0; p < o.read_heads; ++p)
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < m; ++j)
        r[at(p * m + j)] += state[2][at(p * n + i)] * memory[at(i * m + j)];
  state[0] = h;
  state[0].insert(state[0].end(), r.begin(), r.end());
}

nn::Recurrent random_ntm(const nn::NTMOptions& options, std::uint64_t seed) {
  nn::Recurrent rnn(nn::NTM(kInputs, kHidden, options));
  randomize(rnn, seed);
  return rnn;
}

/// Sets the bias of `count` outputs of the heads from `first` on.
void set_heads(const nn::Recurrent& rnn, Index first, Index count, double value) {
  Tensor bias = parameter_of(rnn, "heads.bias").value().clone();
  std::fill_n(bias.in_place<double>() + first, count, value);
  parameter_of(rnn, "heads.bias").set(bias);
}

}  // namespace

TEST_CASE("an NTM computes equations 2 to 9 of its paper") {
  const Tensor x = random({5, 2, kInputs}, 1, -2.0, 2.0);
  for (const nn::NTMOptions& options : kVariants) {
    const nn::Recurrent rnn = random_ntm(options, 2);
    const HandWeights weights(rnn);
    const nn::State first = rnn.cell().initial_state(2, Dtype::float64);
    std::vector<Tensor> start{zeros({2, rnn.cell().outputs()}, Dtype::float64)};
    for (const Variable& value : first)
      start.push_back(value.value().contiguous().reshape({2, -1}));
    const auto [outputs, state] = rnn(x);
    const HandSequence expected =
        run_by_hand(x, start, [&](const Vector& input, HandState& current) {
          step_by_hand(weights, options, input, current);
        });
    expect_values(outputs.value(), expected.outputs);
    for (std::size_t k = 0; k < state.size(); ++k)
      expect_values(state[k].value(), expected.state[k + 1]);
  }
}

TEST_CASE("an NTM keeps the contract of a cell") {
  seed(1);
  for (const nn::NTMOptions& options : kVariants) {
    const nn::CellReport report =
        nn::check_cell(nn::NTM(2, 3, options), {.steps = 4, .gradcheck = {.directions = 8}});
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("the gradient reaches a learned memory of an NTM") {
  const nn::Recurrent rnn = random_ntm(kVariants.back(), 3);
  const auto from_the_start = [&](std::span<const Variable> in) { return rnn(in[0]).outputs; };
  const GradcheckReport report = nn::gradcheck(rnn, from_the_start, {random({3, 2, kInputs}, 4)});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("a head of an NTM that only shifts goes around the ring of locations") {
  constexpr Index kSlots = 5;
  const nn::NTM ntm(kInputs, kHidden, {.slots = kSlots, .width = 2});
  const nn::Recurrent rnn(ntm);
  randomize(rnn, 5);
  for (const char* name : {"heads.weight", "heads.bias"})
    parameter_of(rnn, name).set(zeros(parameter_of(rnn, name).shape(), Dtype::float64));
  // Rows of two heads: keys 0 to 3, shifts 4 to 9, beta 10 and 11, gate 12 and 13, gamma 14 and 15.
  set_heads(rnn, 6, 1, 40.0);  // the read head: +1
  set_heads(rnn, 7, 1, 40.0);  // the write head: -1
  set_heads(rnn, 12, 2, -60.0);
  set_heads(rnn, 14, 2, 20.0);
  nn::State state;
  for (Index t = 1; t <= 2 * kSlots; ++t) {
    state = rnn(random({1, 1, kInputs}, 6), state).state;
    Vector forward(at(kSlots), 0.0), backward = forward;
    forward[at(t % kSlots)] = backward[at((2 * kSlots - t) % kSlots)] = 1.0;
    expect_values(ntm.read_weights(state).value(), forward, 1e-9);
    expect_values(ntm.write_weights(state).value(), backward, 1e-9);
  }
}

TEST_CASE("a head of an NTM finds the location whose content is like its key") {
  const nn::NTM ntm(kInputs, kHidden, {.slots = 4, .width = 2, .max_shift = 0});
  const nn::Recurrent rnn(ntm);
  randomize(rnn, 7);
  parameter_of(rnn, "heads.weight").set(zeros({16, kHidden}, Dtype::float64));
  parameter_of(rnn, "heads.bias").set(zeros({16}, Dtype::float64));
  set_heads(rnn, 0, 1, 1.0);     // the key of the read head: (tanh 1, 0)
  set_heads(rnn, 6, 2, 90.0);    // beta
  set_heads(rnn, 8, 2, 60.0);    // content alone
  set_heads(rnn, 12, 2, -60.0);  // nothing is erased
  nn::State state = ntm.initial_state(1, Dtype::float64);
  state[2] = Tensor::of<double>({1, 4, 2}, {0.0, 1.0, -3.0, 0.0, 0.2, 0.0, 0.5, 0.5});
  const nn::State after = rnn(random({1, 1, kInputs}, 8), state).state;
  expect_values(ntm.read_weights(after).value(), {0.0, 0.0, 1.0, 0.0}, 1e-6);
  expect_values(after[0].value(), {0.2, 0.0}, 1e-6);
  expect_close(after[2].value(), state[2].value());
}

TEST_CASE("the parameters of an NTM fit one with more locations") {
  const nn::NTM small(kInputs, kHidden, {.slots = 5, .width = 2});
  const nn::NTM large(kInputs, kHidden, {.slots = 50, .width = 2});
  REQUIRE(small.parameters().size() == large.parameters().size());
  for (std::size_t k = 0; k < small.parameters().size(); ++k)
    CHECK(small.parameters()[k].shape() == large.parameters()[k].shape());
  const nn::NTM learned(kInputs, kHidden, {.slots = 5, .width = 2, .learned_memory = true});
  CHECK(learned.parameter_count() == small.parameter_count() + 10);
}

TEST_CASE("weightings of an NTM add up to 1 in float32, however sharp they are") {
  nn::Recurrent rnn = random_ntm({.slots = 20, .width = 4}, 9);
  for (const double scale : {1.0, 1e2, 1e4}) {
    for (Parameter& parameter : rnn.parameters())
      parameter.set((Variable(random(parameter.shape(), 10)) * scale).value());
    rnn.to(Dtype::float32);
    Tape tape;
    const auto [outputs, state] = rnn(tape.watch(narrow({30, 3, kInputs}, 11)));
    expect_values(sum(state[1], {-1}).value(), Vector(6, 1.0), 1e-5);
    const Gradients gradients = tape.gradients(sum(square(outputs)));
    for (const Parameter& parameter : rnn.parameters())
      CHECK_MESSAGE(std::isfinite(sum(abs(gradients[parameter])).item()), parameter.name());
    rnn.to(Dtype::float64);
  }
}

TEST_CASE("an NTM refuses sizes below 1 and a shift that does not fit its memory") {
  expect_error<ArgumentError>([] { nn::NTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.slots = 0}); }, {"NTM", "slots", "0"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.width = 0}); }, {"NTM", "width", "0"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.read_heads = 0}); }, {"NTM", "read_heads"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.write_heads = -1}); }, {"NTM", "write_heads"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.slots = 4, .max_shift = 2}); },
                              {"NTM", "max_shift", "2", "4"});
  expect_error<ArgumentError>([] { nn::NTM(2, 2, {.max_shift = -1}); }, {"NTM", "max_shift", "-1"});
  for (const nn::NTMController controller :
       {nn::NTMController::feed_forward, nn::NTMController::lstm})
    expect_error<ArgumentError>([&] { nn::NTM(2, 0, {.controller = controller}); },
                                {"NTM", "hidden", "0"});
}

}  // namespace unroll::testing
