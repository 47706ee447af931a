// What a rule costs, counted: how often the rows of a batch run through step(), how often a
// backward pass passes them, the numbers of the Jacobian that an influence is multiplied with, and
// the memory beside the weights. docs/learning.md says what the theory says, in a table that is
// read and held to the counts here.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "support/learning.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

struct Sizes {
  Index steps = 16, hidden = 16, batch = 32, k1 = 2, k2 = 8;
};

struct Counts {
  double run = 0.0;      ///< rows through step()
  double back = 0.0;     ///< rows passed by a backward pass
  double bytes = 0.0;    ///< most in use at once
  double carried = 0.0;  ///< multiplications that carry the influences on, in a step
};

/// An Elman network that counts.
class Counted : public nn::Elman {
 public:
  Counted(Index hidden, std::shared_ptr<Counts> counts)
      : Elman(2, hidden), counts_(std::move(counts)) {}

  nn::Step step(const Variable& x, const nn::State& state) const override {
    const Variable h = Elman::step(x, state).state[0];
    counts_->run += double(h.size(0));
    if (!recording("counted", h)) return {h};
    return {record(
        "counted", h.value(),
        [place = h.without_value(), counts = counts_](const Variable& g, BackwardPass& pass) {
          counts->back += double(g.size(0));
          pass.add(place, g);
        })};
  }

 private:
  std::shared_ptr<Counts> counts_;
};

using Make = std::function<std::unique_ptr<nn::LearningRule>(const nn::Recurrent&,
                                                             const nn::StepLoss&, const Sizes&)>;

/// A rule that works forward in time, and whose multiplications can be counted.
struct Carrying {
  virtual ~Carrying() = default;
  virtual double multiplications() const = 0;
};

template <class Rule>
class Probed : public Rule, public Carrying {
 public:
  using Rule::Rule;

  /// An influence has a row of |theta| numbers for each number of the state. Each element of the
  /// Jacobian that the rule reads multiplies one.
  double multiplications() const override {
    double total = 0.0;
    for (const nn::Influence& influence : this->influences())
      total += double(influence.matrix.size(0) * influence.matrix.size(2)) *
               elements_read(influence.matrix.size(1));
    return total;
  }

 private:
  double elements_read(Index n) const {
    const Tensor before = ones({n, 1}, Dtype::float64);
    double count = 0.0;
    for (Index element = 0; element < n * n; ++element) {
      Tensor jacobian = zeros({n, n}, Dtype::float64);
      jacobian.mutable_data<double>()[element] = 1.0;
      Tensor after = zeros({n, 1}, Dtype::float64);
      this->carry(jacobian, before, after);
      count += sum(after).item();
    }
    return count;
  }
};

template <class Rule>
Make maker() {
  return [](const auto& rnn, const auto& loss, const Sizes&) {
    return std::make_unique<Rule>(rnn, loss);
  };
}

const std::map<std::string, Make>& rules() {
  static const std::map<std::string, Make> all{
      {"BPTT", maker<nn::BPTT>()},
      {"TruncatedBPTT",
       [](const auto& rnn, const auto& loss, const Sizes& sizes) {
         return std::make_unique<nn::TruncatedBPTT>(
             rnn, loss, nn::TruncatedBPTTOptions{.k1 = sizes.k1, .k2 = sizes.k2});
       }},
      {"SimpleBackpropagation", maker<nn::SimpleBackpropagation>()},
      {"RTRL", maker<Probed<nn::RTRL>>()},
      {"FocusedBackpropagation", maker<Probed<nn::FocusedBackpropagation>>()},
  };
  return all;
}

/// Reads one sequence; counts are per step and row of the sequence.
Counts count(const Make& make, const Sizes& sizes) {
  const auto counts = std::make_shared<Counts>();
  nn::Recurrent rnn(Counted(sizes.hidden, counts));
  rnn.to(Dtype::float64);
  const Tensor x = random({sizes.steps, sizes.batch, 2}, 1);
  const Tensor d = random({sizes.steps, sizes.batch, 1}, 2);
  const auto rule = make(
      rnn,
      [](const Variable& h, const Tensor& target) {
        return sum(square(slice(h, -1, 0, 1) - Variable(target)));
      },
      sizes);
  const Index before = bytes_in_use();
  memory::reset_peak();
  rule->learn(x, d, [](nn::Update&) {});
  const double bytes = double(Index(memory::statistics().peak_bytes) - before);
  const double rows = double(sizes.steps * sizes.batch);
  const auto* carrying = dynamic_cast<const Carrying*>(rule.get());
  return {counts->run / rows, counts->back / rows, bytes,
          carrying ? carrying->multiplications() : 0.0};
}

/// The value of "2 k2 B n" or "k2/k1" for a network of these sizes. P is the number of weights.
double value_of(const std::string& formula, const Sizes& s) {
  const std::map<std::string, double> symbols{{"T", double(s.steps)},
                                              {"n", double(s.hidden)},
                                              {"B", double(s.batch)},
                                              {"k1", double(s.k1)},
                                              {"k2", double(s.k2)},
                                              {"k2/k1", double(s.k2) / double(s.k1)},
                                              {"P", double(s.hidden * (2 + s.hidden + 2))},
                                              {"0", 0.0},
                                              {"1", 1.0}};
  double value = 1.0;
  std::istringstream words(formula);
  for (std::string word; words >> word;) {
    REQUIRE_MESSAGE(symbols.count(word) == 1, "unknown symbol in docs/learning.md: " << word);
    value *= symbols.at(word);
  }
  return value;
}

struct Row {
  std::string run, back, carried, memory;
};

/// The table of docs/learning.md, by rule.
std::map<std::string, Row> table() {
  std::ifstream page(std::filesystem::path(UNROLL_SOURCE_DIR) / "docs/learning.md");
  REQUIRE(page.good());
  std::map<std::string, Row> rows;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::istringstream cells(line.substr(1));
    std::vector<std::string> columns;
    for (std::string cell; std::getline(cells, cell, '|');) columns.push_back(cell);
    REQUIRE(columns.size() == 6);
    const std::string rule = columns[0].substr(2, columns[0].rfind('`') - 2);
    rows[rule] = {columns[2], columns[3], columns[4], columns[5]};
  }
  return rows;
}

}  // namespace

TEST_CASE("the table of costs has every rule, and its counts are right") {
  const std::map<std::string, Row> rows = table();
  CHECK(rows.size() == rules().size());
  for (const auto& [rule, make] : rules()) {
    INFO(rule);
    REQUIRE(rows.count(rule) == 1);
    const Row& row = rows.at(rule);
    for (const auto& [hidden, batch] : {std::pair<Index, Index>{4, 2}, {4, 4}, {8, 2}}) {
      // Long enough for the short windows at the beginning not to count.
      const Sizes sizes{.steps = 512, .hidden = hidden, .batch = batch, .k1 = 2, .k2 = 8};
      const Counts counts = count(make, sizes);
      CHECK(counts.run == doctest::Approx(value_of(row.run, sizes)).epsilon(0.01));
      CHECK(counts.back == doctest::Approx(value_of(row.back, sizes)).epsilon(0.01));
      CHECK(counts.carried == value_of(row.carried, sizes));
    }
  }
}

TEST_CASE("the memory of a rule grows as the table says when one size is doubled") {
  const std::map<std::string, Row> rows = table();
  const Sizes base;
  std::map<std::string, Sizes> doubled{{"T", base}, {"n", base}, {"B", base}, {"k2", base}};
  doubled["T"].steps *= 2;
  doubled["n"].hidden *= 2;
  doubled["B"].batch *= 2;
  doubled["k2"].k2 *= 2;
  for (const auto& [rule, make] : rules()) {
    REQUIRE(rows.count(rule) == 1);
    const std::string& formula = rows.at(rule).memory;
    const double before = count(make, base).bytes;
    for (const auto& [size, sizes] : doubled) {
      const double expected = value_of(formula, sizes) / value_of(formula, base);
      const double actual = count(make, sizes).bytes / before;
      CHECK_MESSAGE(std::abs(actual / expected - 1.0) < 0.15,
                    rule << ", " << size << " doubled: " << actual << " times the memory, "
                         << expected << " by the table");
    }
  }
}

TEST_CASE("an endless stream needs no more memory the longer it gets") {
  for (const auto& [rule, make] : rules()) {
    if (rule == "BPTT") continue;
    Sizes sizes{.steps = 64, .hidden = 4, .batch = 2, .k1 = 2, .k2 = 8};
    const double bytes = count(make, sizes).bytes;
    sizes.steps = 256;
    CHECK_MESSAGE(count(make, sizes).bytes == bytes, rule);
  }
}
