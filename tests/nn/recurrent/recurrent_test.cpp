// Unrolling a cell: what state in and out mean, the smallest sizes, and every misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

template <class Cell>
nn::Recurrent in_float64(Cell cell) {
  nn::Recurrent rnn(std::move(cell));
  rnn.to(Dtype::float64);
  return rnn;
}

std::vector<nn::Recurrent> every_layer() {
  seed(1);
  return {in_float64(nn::Elman(kInputs, kHidden)), in_float64(nn::GRU(kInputs, kHidden)),
          in_float64(nn::LSTM(kInputs, kHidden))};
}

/// A cell that keeps two states and misbehaves as it is told.
class Careless : public nn::Cell {
 public:
  enum class Slip { one_state_lost, state_of_another_size, projection_without_time };
  explicit Careless(Slip slip) : Cell(kInputs, {kHidden, kHidden}), slip_(slip) {}

  Variable project(const Variable& x) const override {
    return slip_ == Slip::projection_without_time ? select(x, 0, 0) : x;
  }
  nn::Step step(const Variable&, const nn::State& state) const override {
    if (slip_ == Slip::one_state_lost) return {state[0] + state[1]};
    return {state[0], concat({state[1], state[1]})};
  }

 private:
  Slip slip_;
};

/// What a run of 90 steps of 9 sequences makes, and the gradients of a loss of it.
struct Run {
  Tensor outputs, last;
  std::vector<Tensor> gradients;
};

template <class Unroll>
Run run_of(const nn::Recurrent& rnn, const Unroll& unroll) {
  Tape tape;
  const Variable x = tape.watch(random({90, 9, kInputs}, 21));
  const auto [outputs, state] = unroll(x);
  const Variable loss = sum(outputs * Variable(random(outputs.shape(), 22))) + sum(state[0]);
  const Gradients gradients = tape.gradients(loss);
  Run run{outputs.value(), state[0].value(), {gradients[x].value()}};
  for (const Parameter& parameter : rnn.parameters())
    run.gradients.push_back(gradients[parameter].value());
  return run;
}

/// Counts the steps that each call of project() gets.
class Projecting : public nn::Cell {
 public:
  explicit Projecting(std::vector<Index>& calls) : Cell(kInputs, {kInputs}), calls_(calls) {}
  Variable project(const Variable& x) const override {
    calls_.push_back(x.size(0));
    return x;
  }
  nn::Step step(const Variable& x, const nn::State& state) const override { return {state[0] + x}; }

 private:
  std::vector<Index>& calls_;
};

/// Shows its state as a constant.
class CutOff : public nn::Cell {
 public:
  CutOff() : Cell(kInputs, {kInputs}) {}
  nn::Step step(const Variable& x, const nn::State& state) const override { return {state[0] + x}; }
  Variable output(const nn::State& state) const override { return detach(state[0]); }
};

/// Shows its state with rows and columns exchanged.
class Turned : public nn::Cell {
 public:
  Turned() : Cell(kInputs, {kInputs}) {}
  nn::Step step(const Variable& x, const nn::State& state) const override {
    return {state[0] * 0.5 + x};
  }
  Variable output(const nn::State& state) const override { return transpose(state[0]); }
};

}  // namespace

TEST_CASE("an output that shows the state in another order leaves the state as it is") {
  const Tensor x = random({4, kInputs, kInputs}, 1);
  for (const bool records : {false, true}) {
    Tape tape;
    const auto [outputs, state] = nn::Recurrent(Turned())(records ? tape.watch(x) : Variable(x));
    Variable expected = zeros({kInputs, kInputs}, Dtype::float64);
    for (Index t = 0; t < 4; ++t) expected = expected * 0.5 + Variable(x.select(0, t));
    expect_close(state[0].value(), expected.value());
    expect_close(select(outputs, 0, 3).value(), transpose(expected).value());
  }
}

TEST_CASE("a long sequence that lies otherwise than in rows is copied once, and is the same") {
  const nn::Recurrent rnn = in_float64(nn::Elman(kInputs, kHidden));
  const auto slope = [&](bool broadcasts) {
    Tape tape;
    const Variable context = tape.watch(random({kInputs}, 1));
    const Shape shape{200, 4, kInputs};
    const Variable x =
        broadcasts ? broadcast_to(context, shape) : context + zeros(shape, Dtype::float64);
    const Variable loss = sum(rnn(x).outputs);
    const std::size_t operations = tape.statistics().operations;
    return std::pair{tape.gradients(loss)[context].value(), operations};
  };
  const auto [expanded, with_copy] = slope(true);
  const auto [plain, without] = slope(false);
  expect_close(expanded, plain);
  CHECK(with_copy == without + 1);
}

TEST_CASE("a long sequence, projected in parts, is what its steps make one by one") {
  for (const nn::Recurrent& rnn : every_layer())
    for (const bool reverse : {false, true}) {
      const Run whole =
          run_of(rnn, [&](const Variable& x) { return rnn(x, {}, {.reverse = reverse}); });
      const Run by_steps = run_of(rnn, [&](const Variable& x) {
        std::vector<Variable> outputs(90);
        nn::State state;
        for (Index k = 0; k < 90; ++k) {
          const Index t = reverse ? 89 - k : k;
          const auto [output, next] = rnn(slice(x, 0, t, t + 1), state);
          outputs[static_cast<std::size_t>(t)] = output;
          state = next;
        }
        return nn::Sequence{concat(outputs, 0), state};
      });
      expect_close(whole.outputs, by_steps.outputs, 1e-13);
      expect_close(whole.last, by_steps.last, 1e-13);
      REQUIRE(whole.gradients.size() == by_steps.gradients.size());
      for (std::size_t k = 0; k < whole.gradients.size(); ++k)
        expect_close(whole.gradients[k], by_steps.gradients[k], 1e-12);
    }
}

TEST_CASE("project gets every step once, and a few hundred rows at a time") {
  for (const bool reverse : {false, true})
    for (const Index batch : {1, 7, 300}) {
      std::vector<Index> calls;
      const nn::Recurrent rnn{Projecting(calls)};
      rnn(random({1000, batch, kInputs}, 1), {}, {.reverse = reverse});
      CHECK(std::accumulate(calls.begin(), calls.end(), Index{0}) == 1000);
      for (Index steps : calls) CHECK((steps == 1 || steps * batch <= 400));
    }
}

TEST_CASE("the state after the last step does not hold the memory of the sequence") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const auto [outputs, state] = rnn(random({5, 2, kInputs}, 2));
    for (const Variable& part : state) CHECK_FALSE(part.value().shares_buffer(outputs.value()));
  }
}

TEST_CASE("an output that is cut off leaves the state on the tape") {
  Tape tape;
  const Variable x = tape.watch(random({4, 2, kInputs}, 1));
  const auto [outputs, state] = nn::Recurrent(CutOff())(x);
  CHECK_FALSE(outputs.recorded());
  expect_close(tape.gradients(sum(state[0]))[x].value(), ones({4, 2, kInputs}, Dtype::float64));
}

TEST_CASE("outputs are [T,B,H], and the last one is the final hidden state") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const auto [outputs, state] = rnn(random({5, 2, kInputs}, 2));
    CHECK(outputs.shape() == Shape{5, 2, kHidden});
    CHECK(state.size() == rnn.cell().state_sizes().size());
    CHECK(outputs.value().select(0, 4).to_vector<double>() == state[0].value().to_vector<double>());
  }
}

TEST_CASE("one step and one sequence are enough") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const auto [outputs, state] = rnn(random({1, 1, kInputs}, 3));
    CHECK(outputs.shape() == Shape{1, 1, kHidden});
    CHECK(state[0].shape() == Shape{1, kHidden});
    CHECK(outputs.value().to_vector<double>() == state[0].value().to_vector<double>());
  }
}

TEST_CASE("a state carried over two halves gives what one run gives") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const Tensor x = random({7, 2, kInputs}, 4);
    const auto [outputs, state] = rnn(x);
    const auto [first, between] = rnn(x.slice(0, 0, 3));
    const auto [second, last] = rnn(x.slice(0, 3, 7), between);
    expect_close(concat({first, second}, 0).value(), outputs.value(), 1e-14);
    for (std::size_t k = 0; k < state.size(); ++k)
      expect_close(last[k].value(), state[k].value(), 1e-14);
    // Without the state the second half would be another one.
    CHECK(sum(abs(rnn(x.slice(0, 3, 7)).outputs - second)).item() > 1e-3);
  }
}

TEST_CASE("gradients flow through a state that is carried over within one tape") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const Tensor x = random({6, 2, kInputs}, 5);
    const auto gradient = [&](bool in_halves) {
      Tape tape;
      Variable last;
      if (in_halves) {
        const nn::State between = rnn(x.slice(0, 0, 2)).state;
        last = rnn(x.slice(0, 2, 6), between).state[0];
      } else {
        last = rnn(x).state[0];
      }
      return tape.gradients(sum(last))[rnn.parameters()[0]].value();
    };
    expect_close(gradient(true), gradient(false), 1e-13);
  }
}

TEST_CASE("detach cuts the gradient and keeps the values") {
  for (const nn::Recurrent& rnn : every_layer()) {
    Tape tape;
    const Variable early = tape.watch(random({3, 2, kInputs}, 6));
    const Variable late = tape.watch(random({3, 2, kInputs}, 7));
    const nn::State between = rnn(early).state;
    const nn::State cut = nn::detach(between);
    REQUIRE(cut.size() == between.size());
    for (std::size_t k = 0; k < cut.size(); ++k) {
      CHECK_FALSE(cut[k].recorded());
      CHECK(cut[k].value().shares_buffer(between[k].value()));
    }
    const Variable attached = sum(rnn(late, between).outputs);
    const Variable detached = sum(rnn(late, cut).outputs);
    CHECK(attached.item() == detached.item());

    const auto slope = [&](const Variable& loss, const Variable& x) {
      return sum(abs(tape.gradients(loss, {.retain = true})[x])).item();
    };
    CHECK(slope(attached, early) > 1e-3);
    CHECK(slope(detached, early) == 0.0);
    CHECK(slope(detached, late) > 1e-3);
  }
}

TEST_CASE("the sequences of a batch do not see each other") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const Tensor x = random({4, 3, kInputs}, 8);
    const Tensor outputs = rnn(x).outputs.value();
    for (Index b = 0; b < 3; ++b)
      expect_close(rnn(x.slice(1, b, b + 1)).outputs.value(), outputs.slice(1, b, b + 1), 1e-14);

    Tape tape;
    const Variable watched = tape.watch(x);
    const Variable loss = sum(slice(rnn(watched).outputs, 1, 1, 2));
    const Tensor slopes = tape.gradients(loss)[watched].value();
    CHECK(sum(abs(slopes.select(1, 0))).item() == 0.0);
    CHECK(sum(abs(slopes.select(1, 1))).item() > 1e-3);
    CHECK(sum(abs(slopes.select(1, 2))).item() == 0.0);
  }
}

TEST_CASE("an output does not depend on later inputs") {
  for (const nn::Recurrent& rnn : every_layer()) {
    Tape tape;
    const Variable x = tape.watch(random({4, 1, kInputs}, 9));
    const Variable loss = sum(select(rnn(x).outputs, 0, 1));
    const Tensor slopes = tape.gradients(loss)[x].value();
    for (Index t = 0; t < 4; ++t) CHECK((sum(abs(slopes.select(0, t))).item() > 0.0) == (t <= 1));
  }
}

TEST_CASE("outputs do not change when the input is a view with strides") {
  for (const nn::Recurrent& rnn : every_layer()) {
    const Tensor batch_first = random({2, 5, kInputs}, 10);
    const Tensor view = batch_first.transpose(0, 1);
    CHECK_FALSE(view.is_contiguous());
    expect_close(rnn(view).outputs.value(), rnn(view.contiguous()).outputs.value(), 1e-14);
  }
}

TEST_CASE("parameters carry the layer's number, as in PyTorch") {
  const auto named = nn::Recurrent(nn::LSTM(2, 3), 4).named_parameters();
  REQUIRE(named.size() == 4);
  CHECK(named[0].name == "weight_ih_l4");
  CHECK(named[1].name == "weight_hh_l4");
  CHECK(named[2].name == "bias_ih_l4");
  CHECK(named[3].name == "bias_hh_l4");
  CHECK(named[0].parameter.shape() == Shape{12, 2});
  CHECK(named[1].parameter.shape() == Shape{12, 3});
}

TEST_CASE("an input that does not fit the cell is refused, with both shapes") {
  for (const nn::Recurrent& rnn : every_layer()) {
    expect_error<ShapeError>([&] { rnn(random({5, 2, 7}, 11)); }, {"[5,2,7]", "[T,B,3]"});
    expect_error<ShapeError>([&] { rnn(random({5, kInputs}, 12)); }, {"[5,3]", "[T,B,3]"});
    expect_error<ShapeError>([&] { rnn(random({5, 0, kInputs}, 14)); }, {"[5,0,3]", "at least 1"});
    expect_error<ShapeError>([&] { rnn(Variable()); }, {"recurrent", "[T,B,3]"});
    expect_error<DtypeError>([&] { rnn(zeros({5, 2, kInputs})); }, {"float32", "float64"});
    expect_error<DtypeError>([&] { rnn(zeros({5, 2, kInputs}, Dtype::int64)); }, {"int64"});
  }
}

TEST_CASE("a state that does not fit the cell or the batch is refused, with both shapes") {
  const nn::Recurrent lstm = in_float64(nn::LSTM(kInputs, kHidden));
  const Tensor x = random({5, 2, kInputs}, 15);
  const Tensor good = random({2, kHidden}, 16);
  expect_error<ShapeError>([&] { lstm(x, {good}); }, {"state given has 1", "keeps 2"});
  expect_error<ShapeError>([&] { lstm(x, {good, good, good}); }, {"state given has 3", "keeps 2"});
  expect_error<ShapeError>(
      [&] {
        lstm(x, {good, random({3, kHidden}, 17)});
      },
      {"state given", "at 1", "[3,4]", "batch of 2", "[2,4]"});
  expect_error<ShapeError>(
      [&] {
        lstm(x, {random({2, 5}, 18), good});
      },
      {"state given", "at 0", "[2,5]"});
  expect_error<ShapeError>([&] { lstm(x, {good, Variable()}); }, {"at 1", "[2,4]"});
  expect_error<DtypeError>([&] { lstm(x, {zeros({2, kHidden}), good}); }, {"float32", "float64"});
}

TEST_CASE("a state of a tape that is gone is refused, with the remedy") {
  const nn::Recurrent lstm = in_float64(nn::LSTM(kInputs, kHidden));
  const Tensor x = random({2, 2, kInputs}, 19);
  nn::State state;
  {
    Tape tape;
    state = lstm(x).state;
  }
  Tape tape;
  expect_error<TapeError>([&] { lstm(x, state); }, {"another tape", "detach"});
  CHECK(lstm(x, nn::detach(state)).outputs.recorded());
}

TEST_CASE("a cell that breaks its promises is told so, before anything reads past a state") {
  const Tensor x = zeros({3, 2, kInputs});
  using Slip = Careless::Slip;
  expect_error<ShapeError>([&] { nn::Recurrent{Careless(Slip::one_state_lost)}(x); },
                           {"step returned has 1", "keeps 2"});
  expect_error<ShapeError>([&] { nn::Recurrent{Careless(Slip::state_of_another_size)}(x); },
                           {"step returned", "at 1", "[2,8]", "[2,4]"});
  expect_error<ShapeError>([&] { nn::Recurrent{Careless(Slip::projection_without_time)}(x); },
                           {"project", "[2,3]", "[3,2,3]"});
}
