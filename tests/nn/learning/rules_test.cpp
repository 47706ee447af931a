// What the learning rules compute, against each other and against the unrolled network. Their
// formulas by hand are in tests/hand_derived.
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "support/cells.hpp"
#include "support/learning.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr Index kSteps = 7;
constexpr Index kBatch = 2;

const Tensor& inputs() {
  static const Tensor x = random({kSteps, kBatch, kCellInputs}, 1);
  return x;
}

const Tensor& targets() {
  static const Tensor d = random({kSteps, kBatch, 2}, 2);
  return d;
}

/// The gradients of the unrolled network, without any rule.
nn::Update unrolled(const Net& net, const Tensor& forced = {}) {
  Tape tape;
  const Variable outputs = net.rnn(inputs(), {}, {.targets = forced}).outputs;
  const Variable loss = 0.5 * sum(square(net.readout(outputs) - Variable(targets())));
  return {tape.gradients(loss), loss.item(), kSteps};
}

/// A learned start, a parameter that step and output share, an output that is not the state, and a
/// state whose second part nobody sees at once.
class Unusual : public nn::Cell {
 public:
  Unusual(Index inputs, Index hidden)
      : Cell(inputs, {hidden, hidden + 1}),
        start_(parameter("start", normal({hidden}, 0.0, 1.0))),
        shared_(parameter("shared", normal({hidden, hidden}, 0.0, 0.5))),
        mix_(add("mix", nn::Linear(inputs + hidden + 1, hidden + 1))) {}

  nn::State initial_state(Index batch, Dtype dtype) const override {
    return {broadcast_to(start_, {batch, state_sizes()[0]}),
            full({batch, state_sizes()[1]}, 0.25, dtype)};
  }
  nn::Step step(const Variable& x, const nn::State& state) const override {
    const Variable memory = tanh(mix_(concat({x, state[1]})));
    return {tanh(matmul(state[0], shared_) * slice(memory, -1, 0, state_sizes()[0])), memory};
  }
  Variable output(const nn::State& state) const override {
    return concat({matmul(state[0], shared_), slice(state[0], -1, 0, 1)});
  }
  Index outputs() const override { return state_sizes()[0] + 1; }

 private:
  Parameter start_, shared_;
  nn::Linear mix_;
};

std::vector<CellCase> cells_and_a_users() {
  std::vector<CellCase> cells = all_cells();
  cells.push_back({"a user's", [](Index i, Index h) { return Unusual(i, h); }});
  return cells;
}

/// c_i(t) = d_i c_i(t-1) + tanh(W x)_i: Mozer's context units.
class ContextUnits : public nn::Cell {
 public:
  ContextUnits(Index inputs, Index units)
      : Cell(inputs, {units}),
        decay_(parameter("decay", uniform({units}, 0.2, 0.9))),
        input_(add("input", nn::Linear(inputs, units))) {}

  Variable project(const Variable& x) const override { return tanh(input_(x)); }
  nn::Step step(const Variable& x, const nn::State& state) const override {
    return {state[0] * decay_ + x};
  }

 private:
  Parameter decay_;
  nn::Linear input_;
};

}  // namespace

TEST_CASE("the list of all cells is complete") {
  std::set<std::string> listed, present;
  for (const CellCase& cell : listed_cells()) listed.insert(cell.file);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(UNROLL_SOURCE_DIR) / "nn/cells"))
    if (entry.path().extension() == ".hpp") present.insert(entry.path().stem().string());
  for (const std::string& file : present)
    CHECK_MESSAGE(listed.count(file) == 1,
                  "nn/cells/" << file << ".hpp is not in tests/support/cells.hpp");
  CHECK(listed.size() == present.size());
}

TEST_CASE("BPTT gives the gradients of the unrolled network, for every cell") {
  for (const CellCase& cell : cells_and_a_users()) {
    const Net net(cell.make());
    check_same(net, nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets()), unrolled(net),
               1e-13, cell.file);
  }
}

TEST_CASE("the updates of RTRL add up to BPTT, for every cell") {
  for (const CellCase& cell : cells_and_a_users()) {
    const Net net(cell.make());
    check_same(net, nn::RTRL(net.rnn, net.loss()).gradients(inputs(), targets()),
               nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets()), 1e-10, cell.file);
  }
}

TEST_CASE("so they do under teacher forcing, for every cell that can be forced") {
  const auto can_be_forced = [](const nn::Cell& cell) {
    try {
      cell.force(cell.initial_state(1, Dtype::float64), zeros({1, cell.outputs()}, Dtype::float64));
      return true;
    } catch (const ArgumentError&) {
      return false;
    }
  };
  Index forced = 0;
  for (const CellCase& cell : listed_cells()) {
    const Net net(cell.make());
    if (!can_be_forced(net.rnn.cell())) continue;
    ++forced;
    // The unit network has more units than targets: NaN for the others.
    const Index others = net.rnn.cell().outputs() - targets().size(-1);
    const nn::Teacher teacher = [others](const Tensor& d) {
      return pad(d, -1, 0, others, std::nan("")).value();
    };
    const nn::Update bptt =
        nn::BPTT(net.rnn, net.loss(), {.teacher = teacher}).gradients(inputs(), targets());
    check_same(net, bptt, unrolled(net, teacher(targets())), 1e-13, cell.file);
    check_same(net,
               nn::RTRL(net.rnn, net.loss(), {.teacher = teacher}).gradients(inputs(), targets()),
               bptt, 1e-10, cell.file);
    check_same(net,
               nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = 2, .k2 = kSteps, .teacher = teacher})
                   .gradients(inputs(), targets()),
               bptt, 1e-12, cell.file);
  }
  CHECK(forced == 5);  // Jordan, Jordan 1986, NARX, output to hidden, unit network
}

TEST_CASE("truncated BPTT that goes back to the start is BPTT, however often it updates") {
  for (const CellCase& cell : cells_and_a_users()) {
    const Net net(cell.make());
    const nn::Update full = nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets());
    for (Index k1 : {1, 2, 3, 7})
      check_same(net,
                 nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = k1, .k2 = kSteps})
                     .gradients(inputs(), targets()),
                 full, 1e-12, cell.file + ", k1 = " + std::to_string(k1));
  }
}

TEST_CASE("each update of truncated BPTT is the unrolled window with a constant before it") {
  seed(3);
  Net net(nn::Recurrent(nn::LSTM(kCellInputs, 3)));
  net.rnn.to(Dtype::float64);
  for (Index k1 = 1; k1 <= kSteps; ++k1)
    for (Index k2 = k1; k2 <= kSteps + 1; ++k2) {
      Index end = 0;  // of the steps that are in updates
      nn::TruncatedBPTT rule(net.rnn, net.loss(), {.k1 = k1, .k2 = k2});
      rule.learn(inputs(), targets(), [&](nn::Update& update) {
        const Index fresh = end;
        end = std::min(end + k1, kSteps);
        CHECK(update.steps == end - fresh);
        const Index begin = std::max(end - k2, Index{0});
        nn::State before;
        if (begin > 0) before = nn::detach(net.rnn(inputs().slice(0, 0, begin)).state);
        Tape tape;
        const Variable h = net.rnn(inputs().slice(0, begin, end), before).outputs;
        const Variable loss =
            0.5 * sum(square(net.readout(slice(h, 0, fresh - begin, end - begin)) -
                             Variable(targets().slice(0, fresh, end))));
        check_same(net, update, {tape.gradients(loss), loss.item(), end - fresh}, 1e-12,
                   "k1 = " + std::to_string(k1) + ", k2 = " + std::to_string(k2));
      });
      CHECK(end == kSteps);
      const nn::State last = net.rnn(inputs()).state;
      for (std::size_t part = 0; part < last.size(); ++part)
        expect_close(rule.state()[part].value(), last[part].value());
    }
}

TEST_CASE("a truncated gradient differs from the full one, the more the shorter it is") {
  seed(4);
  Net net(nn::Recurrent(nn::GRU(kCellInputs, 3)));
  net.rnn.to(Dtype::float64);
  const nn::Update full = nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets());
  double before = HUGE_VAL;
  for (Index k2 : {1, 3, 6}) {
    const double now = difference(
        net, full,
        nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = 1, .k2 = k2}).gradients(inputs(), targets()));
    CHECK(now < before);
    CHECK(now > 1e-8);
    before = now;
  }
}

TEST_CASE("simple backpropagation is truncation to one step") {
  for (const CellCase& cell : cells_and_a_users()) {
    const Net net(cell.make());
    const nn::Update simple =
        nn::SimpleBackpropagation(net.rnn, net.loss()).gradients(inputs(), targets());
    Tape tape;
    nn::State state;
    Variable loss;
    for (Index t = 0; t < kSteps; ++t) {
      const nn::Sequence one = net.rnn(inputs().slice(0, t, t + 1), state);
      state = nn::detach(one.state);
      const Variable error =
          0.5 * sum(square(net.readout(one.outputs) - Variable(targets().slice(0, t, t + 1))));
      loss = t == 0 ? error : loss + error;
    }
    check_same(net, simple, {tape.gradients(loss), loss.item(), kSteps}, 1e-12, cell.file);
  }
}

TEST_CASE("focused backpropagation is exact where no unit reads another, and only there") {
  seed(5);
  const auto distance = [](nn::Recurrent rnn) {
    rnn.to(Dtype::float64);
    const Net net(rnn);
    return difference(
        net, nn::FocusedBackpropagation(net.rnn, net.loss()).gradients(inputs(), targets()),
        nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets()));
  };
  CHECK(distance(nn::Recurrent(ContextUnits(kCellInputs, 3))) < 1e-12);
  CHECK(distance(nn::Recurrent(nn::FixedContextElman(kCellInputs, 3))) < 1e-12);
  CHECK(distance(nn::Recurrent(nn::Elman(kCellInputs, 3))) > 1e-4);
  CHECK(distance(nn::Recurrent(nn::LSTM(kCellInputs, 3))) > 1e-4);
  CHECK(distance(nn::Recurrent(nn::LSTM(kCellInputs, 1))) < 1e-12);  // one unit: h and c together
}

TEST_CASE("the influence that RTRL carries is the derivative of the state") {
  seed(6);
  Net net(nn::Recurrent(nn::LSTM(kCellInputs, 2)));
  net.rnn.to(Dtype::float64);
  nn::RTRL rule(net.rnn, net.loss());
  for (Index t = 0; t < 3; ++t) rule.step(inputs().select(0, t), targets().select(0, t));
  CHECK(rule.influences().size() == net.rnn.parameters().size());
  for (Index b = 0; b < kBatch; ++b)
    for (Index j = 0; j < 4; ++j) {  // h, then c
      Tape tape;
      const nn::State state = net.rnn(inputs().slice(0, 0, 3)).state;
      const Variable one = select(select(concat({state[0], state[1]}), 0, b), 0, j);
      const Gradients slopes = tape.gradients(one);
      for (const nn::Influence& influence : rule.influences())
        expect_close(influence.matrix.select(0, b).select(0, j),
                     slopes[influence.parameter].value().reshape({-1}));
    }
}

TEST_CASE("any rule takes the place of any other, and its loss falls") {
  const auto trained = [](const auto& make) {
    seed(7);
    nn::Recurrent rnn(nn::Elman(kCellInputs, 8));
    nn::Linear readout(8, 1);
    std::vector<Parameter> parameters = rnn.parameters();
    for (const Parameter& p : readout.parameters()) parameters.push_back(p);
    nn::Adam adam(parameters, {.learning_rate = 0.02});
    const nn::StepLoss loss = [&](const Variable& h, const Tensor& d) {
      return mean(square(readout(h) - Variable(d)));
    };
    const std::unique_ptr<nn::LearningRule> rule = make(rnn, loss);
    const Tensor x = random({20, 4, kCellInputs}, 8).to(Dtype::float32);
    const Tensor d = x.slice(2, 0, 1);  // the input of one step before
    double first = 0.0, last = 0.0;
    for (int round = 0; round < 40; ++round) {
      last = rule->learn(x.slice(0, 1, 20), d.slice(0, 0, 19),
                         [&](nn::Update& update) { adam.step(update.gradients); });
      if (round == 0) first = last;
    }
    return last / first;
  };
  CHECK(trained([](auto& rnn, auto& loss) { return std::make_unique<nn::BPTT>(rnn, loss); }) < 0.8);
  CHECK(trained([](auto& rnn, auto& loss) {
          return std::make_unique<nn::TruncatedBPTT>(rnn, loss,
                                                     nn::TruncatedBPTTOptions{.k1 = 2, .k2 = 4});
        }) < 0.6);
  CHECK(trained([](auto& rnn, auto& loss) { return std::make_unique<nn::RTRL>(rnn, loss); }) < 0.6);
  CHECK(trained([](auto& rnn, auto& loss) {
          return std::make_unique<nn::SimpleBackpropagation>(rnn, loss);
        }) < 0.8);
  CHECK(trained([](auto& rnn, auto& loss) {
          return std::make_unique<nn::FocusedBackpropagation>(rnn, loss);
        }) < 0.8);
}

TEST_CASE("steps without a target are read and have no loss") {
  seed(9);
  Net net(nn::Recurrent(nn::GRU(kCellInputs, 3)));
  net.rnn.to(Dtype::float64);
  Tape tape;
  const Variable last = select(net.rnn(inputs()).outputs, 0, kSteps - 1);
  const Variable loss = net.loss()(last, targets().select(0, kSteps - 1));
  const Gradients expected = tape.gradients(loss);

  const auto read = [&](nn::LearningRule& rule) {
    std::vector<nn::Update> updates;
    for (Index t = 0; t < kSteps; ++t)
      if (auto update =
              rule.step(inputs().select(0, t), t + 1 == kSteps ? targets().select(0, t) : Tensor()))
        updates.push_back(std::move(*update));
    if (auto update = rule.finish()) updates.push_back(std::move(*update));
    REQUIRE(updates.size() == 1);
    CHECK(updates[0].loss == doctest::Approx(loss.item()).epsilon(1e-13));
    for (const nn::Module::Named& named : net.parameters())
      expect_close(updates[0].gradients[named.parameter].value(),
                   expected[named.parameter].value());
  };
  nn::BPTT bptt(net.rnn, net.loss());
  nn::TruncatedBPTT window(net.rnn, net.loss(), {.k1 = 2, .k2 = kSteps + 1});
  nn::RTRL rtrl(net.rnn, net.loss());
  read(bptt);
  read(window);
  read(rtrl);
}

TEST_CASE("a sequence that is continued starts where the last one ended") {
  seed(10);
  Net net(nn::Recurrent(nn::LSTM(kCellInputs, 3)));
  net.rnn.to(Dtype::float64);
  nn::TruncatedBPTT chunks(net.rnn, net.loss(), {.k1 = 3, .k2 = 3});
  const nn::Update whole = chunks.gradients(inputs().slice(0, 0, 6), targets().slice(0, 0, 6));
  nn::BPTT bptt(net.rnn, net.loss());
  nn::Update parts = bptt.gradients(inputs().slice(0, 0, 3), targets().slice(0, 0, 3));
  const nn::Update second =
      bptt.gradients(inputs().slice(0, 3, 6), targets().slice(0, 3, 6), bptt.state());
  parts.gradients += second.gradients;
  parts.loss += second.loss;
  parts.steps += second.steps;
  check_same(net, parts, whole, 1e-13, "3 + 3 steps");
}

TEST_CASE("a rule does not record on a tape of the user, nor use it") {
  seed(11);
  Net net(nn::Recurrent(nn::GRU(kCellInputs, 3)));
  net.rnn.to(Dtype::float64);
  const nn::Update expected = nn::BPTT(net.rnn, net.loss()).gradients(inputs(), targets());
  Tape outer;
  check_same(net, nn::RTRL(net.rnn, net.loss()).gradients(inputs(), targets()), expected, 1e-10,
             "RTRL");
  check_same(
      net,
      nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = 2, .k2 = 9}).gradients(inputs(), targets()),
      expected, 1e-12, "truncated");
  CHECK(outer.statistics().operations == 0);
}
