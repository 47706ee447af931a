// What the learning rules refuse, and what they say.
#include <functional>
#include <utility>

#include "support/learning.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

Net elman() {
  Net net(nn::Recurrent(nn::Elman(2, 4)));
  net.rnn.to(Dtype::float64);
  return net;
}

/// Every rule, made for the network.
template <class F>
void with_every_rule(const Net& net, F&& f) {
  nn::BPTT bptt(net.rnn, net.loss());
  nn::TruncatedBPTT truncated(net.rnn, net.loss(), {.k1 = 1, .k2 = 2});
  nn::SimpleBackpropagation simple(net.rnn, net.loss());
  nn::RTRL rtrl(net.rnn, net.loss());
  nn::FocusedBackpropagation focused(net.rnn, net.loss());
  f(bptt, "bptt: ");
  f(truncated, "truncated_bptt: ");
  f(simple, "simple_backpropagation: ");
  f(rtrl, "rtrl: ");
  f(focused, "focused_backpropagation: ");
}

const Tensor& x() {
  static const Tensor values = random({5, 3, 2}, 1);
  return values;
}
const Tensor& d() {
  static const Tensor values = random({5, 3, 2}, 2);
  return values;
}

/// The next state is a function of the input alone.
class Feedforward : public nn::Cell {
 public:
  Feedforward() : Cell(2, {4}), layer_(add("layer", nn::Linear(2, 4))) {}
  nn::Step step(const Variable& input, const nn::State&) const override {
    return {tanh(layer_(input))};
  }

 private:
  nn::Linear layer_;
};

/// A cell of functions, for mistakes that a user can make.
struct Custom : nn::Cell {
  using Step = std::function<nn::State(const Variable&, const nn::State&)>;
  using Map = std::function<Variable(const Variable&)>;

  explicit Custom(Step next, Map input = nn::linear_activation, Map read = nn::linear_activation)
      : Cell(2, {2}), next_(std::move(next)), input_(std::move(input)), read_(std::move(read)) {}
  Variable project(const Variable& input) const override { return input_(input); }
  nn::Step step(const Variable& input, const nn::State& state) const override {
    return next_(input, state);
  }
  Variable output(const nn::State& state) const override { return read_(state[0]); }

 private:
  Step next_;
  Map input_, read_;
};

}  // namespace

TEST_CASE("sequences and targets of unequal length are refused") {
  with_every_rule(elman(), [](nn::LearningRule& rule, const char* name) {
    expect_error<ShapeError>([&] { rule.gradients(x(), d().slice(0, 0, 4)); },
                             {name, "targets", "[4,3,2]", "[5,3,2]"});
    expect_error<ShapeError>([&] { rule.gradients(x(), Tensor()); }, {name, "targets", "step()"});
    expect_error<ShapeError>([&] { rule.gradients(x(), d().slice(1, 0, 2)); },
                             {name, "target of the step", "[2,2]", "[3,2]", "must be 3"});
  });
}

TEST_CASE("empty sequences are refused") {
  with_every_rule(elman(), [](nn::LearningRule& rule, const char* name) {
    expect_error<ShapeError>([&] { rule.gradients(x().slice(0, 0, 0), d().slice(0, 0, 0)); },
                             {name, "[0,3,2]", "T at least 1"});
    expect_error<ShapeError>([&] { rule.gradients(Tensor(), d()); }, {name, "x is"});
    expect_error<ShapeError>([&] { rule.gradients(x().slice(1, 0, 0), d().slice(1, 0, 0)); },
                             {name, "[0,2]", "B at least 1"});
    CHECK_FALSE(rule.finish().has_value());  // nothing was read
  });
}

TEST_CASE("inputs that do not fit the cell are refused") {
  with_every_rule(elman(), [](nn::LearningRule& rule, const char* name) {
    expect_error<ShapeError>(
        [&] {
          rule.gradients(random({5, 3, 3}, 1), d());
        },
        {name, "[3,3]", "[B,2]"});
    expect_error<ShapeError>([&] { rule.step(x(), d()); }, {name, "[5,3,2]", "[B,2]"});
    rule.start();
    rule.step(x().select(0, 0), d().select(0, 0));
    expect_error<ShapeError>(
        [&] {
          rule.step(random({2, 2}, 1), random({2, 2}, 1));
        },
        {name, "[2,2]", "batch of 3", "start()"});
    expect_error<DtypeError>(
        [&] { rule.step(x().select(0, 1).to(Dtype::float32), d().select(0, 1)); },
        {name, "float32", "float64", "start()"});
    rule.start();
    CHECK_NOTHROW(rule.step(random({2, 2}, 1), random({2, 2}, 1)));
  });
}

TEST_CASE("a state of another cell or batch, or of a tape, is refused") {
  with_every_rule(elman(), [](nn::LearningRule& rule, const char* name) {
    expect_error<ShapeError>(
        [&] {
          rule.gradients(x(), d(), {random({3, 5}, 1)});
        },
        {name, "[3,5]", "[3,4]", "belongs to"});
    expect_error<ShapeError>(
        [&] {
          rule.gradients(x(), d(), {random({2, 4}, 1)});
        },
        {name, "[2,4]", "[3,4]", "batch of 3"});
    expect_error<ShapeError>(
        [&] {
          rule.gradients(x(), d(), {random({3, 4}, 1), random({3, 4}, 1)});
        },
        {name, "2 tensors", "keeps 1"});
    expect_error<ShapeError>([&] { rule.gradients(x(), d(), {Variable()}); }, {name, "[3,4]"});
    Tape tape;
    const Variable recorded = tape.watch(random({3, 4}, 1));
    expect_error<TapeError>([&] { rule.gradients(x(), d(), {recorded}); }, {name, "detach()"});
    CHECK_NOTHROW(rule.gradients(x(), d(), {detach(recorded)}));
  });
}

TEST_CASE("a stale state, of a tape that is gone, is refused") {
  const Net net = elman();
  nn::State state;
  {
    Tape tape;
    state = net.rnn(x()).state;
  }
  nn::RTRL rule(net.rnn, net.loss());
  expect_error<TapeError>([&] { rule.start(state); }, {"rtrl: ", "detach()"});
  CHECK_NOTHROW(rule.start(nn::detach(state)));
}

TEST_CASE("half of a state is refused: its parts are carried together") {
  Net net(nn::Recurrent(nn::LSTM(2, 4)));
  net.rnn.to(Dtype::float64);
  with_every_rule(net, [](nn::LearningRule& rule, const char* name) {
    expect_error<ShapeError>(
        [&] {
          rule.gradients(x(), d(), {random({3, 4}, 1)});
        },
        {name, "1 tensors", "keeps 2", "together"});
  });
}

TEST_CASE("k1 above k2, and k1 below 1, are refused") {
  const Net net = elman();
  const auto make = [&](Index k1, Index k2) {
    nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = k1, .k2 = k2});
  };
  expect_error<ArgumentError>([&] { make(5, 4); }, {"truncated_bptt", "5 and 4"});
  expect_error<ArgumentError>([&] { make(0, 4); }, {"truncated_bptt", "0 and 4"});
  CHECK_NOTHROW(make(4, 4));
}

TEST_CASE("a cell without recurrence has nothing for the rules that carry influences") {
  Net net(nn::Recurrent(Feedforward{}));
  net.rnn.to(Dtype::float64);
  nn::RTRL rtrl(net.rnn, net.loss());
  expect_error<ArgumentError>([&] { rtrl.gradients(x(), d()); },
                              {"rtrl: ", "does not depend on its state", "SimpleBackpropagation"});
  nn::FocusedBackpropagation focused(net.rnn, net.loss());
  expect_error<ArgumentError>([&] { focused.gradients(x(), d()); },
                              {"focused_backpropagation: ", "does not depend on its state"});
  // What the message says to use instead is right.
  check_same(net, nn::SimpleBackpropagation(net.rnn, net.loss()).gradients(x(), d()),
             nn::BPTT(net.rnn, net.loss()).gradients(x(), d()), 1e-13, "feedforward");

  // A recurrence whose derivative happens to vanish is one: ReLUs that are all off.
  Net dead(nn::Recurrent(nn::Elman(2, 4, {.activation = relu})));
  for (Parameter p : dead.rnn.parameters()) p.set(full(p.shape(), -1.0, Dtype::float64));
  const Tensor positive = random({5, 3, 2}, 3, 0.5, 1.0);
  check_same(dead, nn::RTRL(dead.rnn, dead.loss()).gradients(positive, d()),
             nn::BPTT(dead.rnn, dead.loss()).gradients(positive, d()), 1e-13, "dead");
}

TEST_CASE("a cell that returns something else than it says is refused, by the name of the rule") {
  const auto refused = [](const Custom& cell, std::initializer_list<std::string_view> parts) {
    const nn::Recurrent rnn(cell);
    nn::RTRL rule(rnn, [](const Variable& h, const Tensor&) { return sum(h); });
    expect_error<ShapeError>([&] { rule.gradients(x(), d()); }, parts);
  };
  const auto next = [](const Variable& input, const nn::State& state) {
    return nn::State{tanh(input + state[0])};
  };
  refused(Custom([](auto&, auto&) { return nn::State(); }),
          {"rtrl: ", "step returned", "0 tensors"});
  refused(Custom([](auto&, auto&) { return nn::State{Variable()}; }),
          {"rtrl: ", "step returned", "undefined", "[1,2]"});
  refused(Custom(next, [](const Variable&) { return Variable(); }),
          {"rtrl: ", "project made undefined"});
  refused(Custom(next,
                 [](const Variable& input) {
                   return concat({input, input}, 0);
                 }),
          {"rtrl: ", "project made", "[2,1,2]", "[1,1,2]"});
  refused(Custom(next, nn::linear_activation, [](const Variable&) { return Variable(); }),
          {"rtrl: ", "output", "undefined", "[B,2]"});
  refused(Custom(next, nn::linear_activation,
                 [](const Variable& h) {
                   return concat({h, h});
                 }),
          {"rtrl: ", "output", "[3,4]", "[B,2]"});
}

TEST_CASE("a loss must be there and be a number, and forcing needs a cell and a target") {
  const Net net = elman();
  expect_error<ArgumentError>([&] { nn::BPTT(net.rnn, nullptr); }, {"bptt: ", "no loss"});
  nn::RTRL each(net.rnn, [](const Variable& h, const Tensor&) { return h; });
  expect_error<ShapeError>([&] { each.gradients(x(), d()); }, {"rtrl: ", "[3,4]", "scalar"});
  const nn::Teacher teacher = [](const Tensor& target) { return target; };
  for (bool forward : {false, true}) {
    const auto learn = [&](const Net& forced, const Tensor& target) {
      if (forward) {
        nn::RTRL rule(forced.rnn, forced.loss(), {.teacher = teacher});
        rule.step(x().select(0, 0), target);
      } else {
        nn::TruncatedBPTT rule(forced.rnn, forced.loss(), {.k1 = 1, .k2 = 1, .teacher = teacher});
        rule.step(x().select(0, 0), target);
      }
    };
    Net unforced(nn::Recurrent(nn::Elman(2, 2)));
    unforced.rnn.to(Dtype::float64);
    expect_error<ArgumentError>([&] { learn(unforced, d().select(0, 0)); }, {"nothing to force"});
    Net jordan(nn::Recurrent(nn::Jordan(2, 4, 2)));
    jordan.rnn.to(Dtype::float64);
    CHECK_NOTHROW(learn(jordan, d().select(0, 0)));
    expect_error<ArgumentError>([&] { learn(jordan, Tensor()); }, {"without a target", "teacher"});
    expect_error<ShapeError>(
        [&] {
          learn(jordan, random({3, 1}, 4));
        },
        {"the teacher made", "[3,1]", "[3,2]"});
  }
}
