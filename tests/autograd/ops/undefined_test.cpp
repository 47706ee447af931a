#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <exception>
#include <optional>
#include <string>

#include "support/op_cases.hpp"

namespace unroll::testing {
namespace {

/// What calling an op did: nothing, or the message of one of the library's exceptions.
std::optional<std::string> error_of(const DifferentiableFunction& f, Inputs inputs) {
  try {
    static_cast<void>(f(inputs));
  } catch (const Error& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("an undefined input of any op is an error of the library, recorded or not") {
  for (const OpCase& op : op_cases())
    for (std::size_t missing = 0; missing < op.inputs.size(); ++missing)
      for (bool on_tape : {false, true}) {
        // A bias, what scales and shifts, and the states of a scan may be left out.
        if ((op.op == "linear" || op.op == "conv1d") && missing == 2) continue;
        if ((op.op == "linear_scan" || op.op == "complex_linear_scan") && missing >= 2) continue;
        if (op.op == "bilinear" && missing == 3) continue;
        if ((op.op == "layer_norm" || op.op == "rms_norm") && missing > 0) continue;
        std::optional<Tape> tape;
        if (on_tape) tape.emplace();
        std::vector<Variable> inputs;
        for (const Tensor& input : op.inputs)
          inputs.push_back(on_tape ? tape->watch(input) : Variable(input));
        inputs[missing] = Variable();
        CHECK_MESSAGE(error_of(op.f, inputs).has_value(),
                      op.op << ", " << op.what << ", input " << missing);
      }
}

TEST_CASE(
    "an input of any dtype or shape gives a result or an error of the library, never a crash") {
  // Whatever else it is, an exception of another type fails the test, and so does the sanitizer.
  const std::vector<Variable> odd{
      Variable(),
      zeros({}),
      zeros({}, Dtype::float64),
      zeros({0}, Dtype::float64),
      zeros({1}, Dtype::float64),
      zeros({3, 0}, Dtype::float64),
      zeros({0, 4}, Dtype::float64),
      zeros({3, 4}, Dtype::float32),
      zeros({3, 4}, Dtype::int64),
      zeros({4, 3}, Dtype::float64).transpose(0, 1),
      zeros({1, 1, 1, 1, 1, 1}, Dtype::float64),
      zeros({2, 1, 1}, Dtype::float64).broadcast_to({2, 3, 4}),
  };
  Index errors = 0;
  Index results = 0;
  for (const OpCase& op : op_cases())
    for (std::size_t place = 0; place < op.inputs.size(); ++place)
      for (const Variable& input : odd) {
        Tape tape;
        std::vector<Variable> inputs;
        for (const Tensor& usual : op.inputs) inputs.push_back(tape.watch(usual));
        inputs[place] =
            input.defined() && is_floating(input.dtype()) ? tape.watch(input.value()) : input;
        CAPTURE(op.op);
        CAPTURE(op.what);
        CAPTURE(describe(input.value()));
        const auto differentiate = [&](Inputs x) {
          const Variable y = op.f(x);
          if (!y.recorded() || y.value().size() == 0) return y;
          GradientOptions options;
          options.seed = ones(y.shape(), y.dtype());
          static_cast<void>(tape.gradients(y, options));
          return y;
        };
        try {
          ++(error_of(differentiate, inputs) ? errors : results);
        } catch (const std::exception& other) {
          FAIL_CHECK(other.what());
        }
      }
  CHECK(errors > 100);
  CHECK(results > 100);
}

}  // namespace unroll::testing
