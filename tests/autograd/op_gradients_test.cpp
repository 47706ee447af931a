#include <doctest/doctest.h>
#include <autograd/gradcheck.hpp>
#include <autograd/tape.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "support/op_cases.hpp"

namespace unroll::testing {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Every function that the headers of autograd/ops declare outside namespace detail and that
/// returns variables: its name, and its signatures.
std::map<std::string, std::set<std::string>> declared_ops() {
  const std::regex detail(R"(namespace detail \{[\s\S]*?\}  // namespace detail)");
  const std::regex comment(R"(//[^\n]*)");
  const std::regex declaration(
      R"((?:^|[\s<])Variable(?:>|,\s*N>)?\s+(operator[^\s(]+|\w+)\(([^;]*?)\)\s*[;{])");
  const std::regex default_argument(R"(\s*=[^,)]*)");
  std::map<std::string, std::set<std::string>> ops;
  for (const auto& entry : std::filesystem::directory_iterator(UNROLL_SOURCE_DIR "/autograd/ops")) {
    if (entry.path().extension() != ".hpp") continue;
    std::string text = std::regex_replace(text_of(entry.path()), detail, "");
    text = std::regex_replace(text, comment, "");
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) {
      std::string parameters = std::regex_replace((*at)[2].str(), default_argument, "");
      std::erase_if(parameters, [](unsigned char c) { return std::isspace(c) != 0; });
      ops[(*at)[1].str()].insert(parameters);
    }
  }
  return ops;
}

}  // namespace

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
