#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <string>

#include "support/cells.hpp"
#include "support/expect.hpp"
#include "support/fast_weights.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

void expect_kept(const nn::CellReport& report) {
  CAPTURE(report.to_string());
  CHECK(report);
  CHECK(report.checked.size() == 11);
}

/// Each breaks one property of the contract.
enum class Fault {
  none,
  mixes_time,      // project() sums over time
  mixes_batch,     // a step centres over the batch
  counts,          // a step counts its calls
  hides_state,     // a step remembers what is not in its state
  widens,          // a step makes a float64 constant
  reads_value,     // a step leaves the tape
  returns_more,    // a step returns two tensors instead of one
  output_too_wide  // an output that outputs() does not announce
};

class Faulty : public nn::Cell {
 public:
  explicit Faulty(Fault fault)
      : Cell(3, {4}),
        fault_(fault),
        input_(add("input", nn::Linear(3, 4))),
        hidden_(add("hidden", nn::Linear(4, 4, {.bias = false}))) {}

  Variable project(const Variable& x) const override {
    const Variable all = input_(x);
    return fault_ == Fault::mixes_time && x.size(0) > 0 ? cumsum(all, 0) : all;
  }

  nn::Step step(const Variable& x, const nn::State& state) const override {
    Variable h = tanh(x + hidden_(state[0]));
    switch (fault_) {
      case Fault::mixes_batch:
        h = h - mean(h, {0}, true);
        break;
      case Fault::counts:
        h = h + 0.1 * static_cast<double>(calls_++);
        break;
      case Fault::hides_state:
        if (hidden_state_.defined() && hidden_state_.shape() == h.shape())
          h = h + Variable(hidden_state_) * 0.5;
        hidden_state_ = h.value();
        break;
      case Fault::widens:
        return {h.dtype() == Dtype::float32 ? Variable(h.value().to(Dtype::float64)) : h};
      case Fault::reads_value:
        h = h + sin(Variable(h.value()));
        break;
      case Fault::returns_more:
        return {h, h};
      case Fault::output_too_wide:
        return nn::Step(concat({h, h}), {h});
      default:
        break;
    }
    return {h};
  }

 private:
  Fault fault_;
  nn::Linear input_, hidden_;
  mutable int calls_ = 0;
  mutable Tensor hidden_state_;
};

/// The properties that a faulty cell breaks, in the order of the check.
std::string broken(Fault fault, const std::string& words) {
  const nn::CellReport report = nn::check_cell(Faulty(fault));
  const std::string text = report.to_string();
  CAPTURE(text);
  CHECK(!report);
  CHECK(text.find("Faulty") != std::string::npos);
  CHECK(text.find(words) != std::string::npos);
  return report.findings.empty() ? "" : report.findings[0].property;
}

}  // namespace

TEST_CASE("every cell of the library keeps the contract") {
  seed(1);  // at some weights a normalised vector is too close to a kink to judge
  for (const CellCase& cell : all_cells()) expect_kept(nn::check_cell(cell.make()));
  CHECK(nn::check_cell(nn::LSTM(3, 4)));
}

TEST_CASE("a cell with a matrix for a state and an output of its own keeps it too") {
  CHECK(nn::check_cell(FastWeights(3, 2, 4)));
  expect_kept(nn::check_cell(FastWeights(3, 2, 4)));
  expect_kept(nn::check_cell(nn::Recurrent(FastWeights(3, 2, 4)).checkpointed(4096)));
}

TEST_CASE("a cell that breaks the contract is reported by the property that it breaks") {
  CHECK(nn::check_cell(Faulty(Fault::none)));
  CHECK(broken(Fault::mixes_time, "does project() mix time steps") == "a cut sequence");
  CHECK(broken(Fault::mixes_batch, "sequence 0 in the batch") == "a sequence alone");
  CHECK(broken(Fault::counts, "side effect") == "repetition");
  CHECK(broken(Fault::hides_state, "side effect") == "repetition");
  CHECK(broken(Fault::widens, "must share a floating dtype") == "float32");
  CHECK(broken(Fault::reads_value, "wrong") == "gradients");
  CHECK(broken(Fault::returns_more, "has 2 tensors") == "repetition");
  CHECK(broken(Fault::output_too_wide, "override outputs()") == "repetition");
}

TEST_CASE("the random generator is afterwards what it was, also when the cell throws") {
  const std::uint64_t before = default_generator().position();
  const nn::Recurrent fine(nn::GRU(3, 4)), throwing(Faulty(Fault::returns_more));
  const std::uint64_t made = default_generator().position();
  CHECK(made > before);
  CHECK(nn::check_cell(fine));
  CHECK(!nn::check_cell(throwing));
  CHECK(default_generator().position() == made);
}

TEST_CASE("the parameters are afterwards what they were, and too short a sequence is refused") {
  const nn::Recurrent rnn(nn::GRU(3, 4));
  const Tensor before = rnn.parameters()[0].value().clone();
  CHECK(nn::check_cell(rnn));
  CHECK(rnn.parameters()[0].value().to_vector<double>() == before.to_vector<double>());
  expect_error<ArgumentError>([&] { nn::check_cell(rnn, {.steps = 1}); },
                              {"check_cell", "2 steps", "got 1 and 3"});
}

}  // namespace unroll::testing
