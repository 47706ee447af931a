#include <doctest/doctest.h>
#include <autograd/tape/tape.hpp>
#include <autograd/verify/gradcheck.hpp>

#include <map>
#include <set>
#include <string>

#include "support/declared_ops.hpp"
#include "support/op_cases.hpp"

namespace unroll::testing {
TEST_CASE("every op that a header declares has a case in the table, one for each overload") {
  std::map<std::string, std::size_t> cases;
  for (const OpCase& op : op_cases()) ++cases[op.op];
  const auto declared = declared_ops();
  CHECK(declared.size() >= 35);  // the headers were found, and understood
  CHECK(declared.contains("cross_entropy"));
  for (const auto& [name, signatures] : declared)
    CHECK_MESSAGE(cases[name] >= signatures.size(),
                  name << " has " << signatures.size() << " declarations and " << cases[name]
                       << " cases: add one to tests/support/op_cases.hpp");
}

TEST_CASE("the gradient of every op agrees with finite differences") {
  for (const OpCase& op : op_cases()) {
    const GradcheckReport report = gradcheck(op.f, op.inputs);
    CHECK_MESSAGE(report.passed, op.op << ", " << op.what << ": " << report.to_string());
    CHECK(report.checked > 0);
  }
}

TEST_CASE("the second derivative of every op agrees with finite differences") {
  for (const OpCase& op : op_cases()) {
    const GradcheckReport report = gradgradcheck(op.f, op.inputs);
    CHECK_MESSAGE(report.passed, op.op << ", " << op.what << ": " << report.to_string());
  }
}

TEST_CASE("gradients in float32 are those in float64, rounded") {
  for (const OpCase& op : op_cases()) {
    const auto gradients = [&](Dtype dtype) {
      Tape tape;
      std::vector<Variable> leaves;
      for (const Tensor& input : op.inputs) leaves.push_back(tape.watch(input.to(dtype)));
      const Variable y = op.f(leaves);
      const Tensor weights = random(y.shape(), 5, 0.5, 1.5).to(dtype);
      const Gradients result = tape.gradients(sum(y * Variable(weights)));
      std::vector<Tensor> values;
      for (const Variable& leaf : leaves) values.push_back(result[leaf].value());
      return values;
    };
    const auto narrow = gradients(Dtype::float32);
    const auto wide = gradients(Dtype::float64);
    for (std::size_t i = 0; i < wide.size(); ++i) {
      CAPTURE(op.op);
      CAPTURE(op.what);
      CHECK(narrow[i].dtype() == Dtype::float32);
      const auto a = narrow[i].to_vector<double>();
      const auto b = wide[i].to_vector<double>();
      REQUIRE(a.size() == b.size());
      for (std::size_t k = 0; k < a.size(); ++k)
        CHECK(a[k] == doctest::Approx(b[k]).epsilon(2e-5).scale(1.0));
    }
  }
}

}  // namespace unroll::testing
