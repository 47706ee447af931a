#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <vector>

namespace unroll {
namespace {

/// Computes with everything that it is shown.
class Curious : private extension::Inspector {
 public:
  explicit Curious(const Parameter& parameter) : parameter_(parameter) {}

  std::vector<double> outputs;
  std::vector<bool> recorded_results;

 private:
  void look_at(const Variable& x) {
    const Variable result = sum(square(x)) + sum(Variable(parameter_)) + sum(exp(detach(x)));
    recorded_results.push_back(result.recorded());
    outputs.push_back(sum(x).item());
  }
  void recorded(const Tape&, const extension::SeenOperation& operation,
                std::span<const Variable> made) override {
    for (const Variable& input : operation.inputs) look_at(input);
    for (const Variable& output : made) look_at(output);
  }
  void vjp_begins(const Tape&, const extension::SeenTape&, const extension::SeenOperation&,
                  std::span<const Variable> gradients) override {
    for (const Variable& gradient : gradients) look_at(gradient);
  }
  void gathered(const Tape&, const extension::SeenTape&, std::uint32_t,
                const Variable& gradient) override {
    look_at(gradient);
  }

  Parameter parameter_;
};

}  // namespace

TEST_CASE("what an inspector computes of recorded variables is not recorded") {
  const Parameter parameter("scale", full({2}, 3.0, Dtype::float64));
  for (const bool differentiable : {false, true}) {
    CAPTURE(differentiable);
    const auto run = [&](Tape& tape) {
      const Variable x = tape.watch(full({2}, 0.5, Dtype::float64));
      const Variable y = sum(x * x * Variable(parameter));
      return tape.gradients(y, {.differentiable = differentiable})[x].value().to_vector<double>();
    };
    Tape alone;
    const std::vector<double> expected = run(alone);

    Curious inspector(parameter);
    Tape tape;
    CHECK(run(tape) == expected);
    CHECK(expected == std::vector<double>{3.0, 3.0});
    CHECK(tape.statistics().operations == alone.statistics().operations);
    CHECK(inspector.outputs.size() > 8);
    CHECK(inspector.outputs[2] == doctest::Approx(0.5));  // sum(x * x)
    for (const bool recorded : inspector.recorded_results) CHECK_FALSE(recorded);
  }
}

}  // namespace unroll
