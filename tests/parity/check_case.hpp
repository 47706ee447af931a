#pragma once

#include <autograd/tape/tape.hpp>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "parity/golden.hpp"

/// Operations and their gradients against the cases that generate.py's with_gradients wrote.
namespace unroll::testing {

using Inputs = std::span<const Variable>;
using Operation = std::function<Variable(Inputs)>;

inline void check_case(const Golden& golden, const Operation& f) {
  for (Dtype dtype : kFloating) {
    CAPTURE(to_string(dtype));
    Tape tape;
    std::vector<Variable> inputs;
    for (const std::string& name : golden["inputs"].names())
      inputs.push_back(tape.watch(golden["inputs"][name].tensor(dtype)));
    const Variable y = f(inputs);
    check_parity(y.value(), golden["output"], "value");
    const Gradients gradients =
        tape.gradients(y, {.seed = Variable(golden["weights"].tensor(dtype))});
    for (std::size_t k = 0; k < inputs.size(); ++k)
      check_parity(gradients[inputs[k]].value(), golden["gradients"][std::to_string(k)],
                   "gradient of input " + std::to_string(k));
  }
}

/// Every case of a golden file has an operation here, and the other way round.
inline void check_file(const std::string& file,
                       const std::map<std::string, Operation>& operations) {
  const Golden golden = Golden::read(file);
  CHECK(golden.size() == operations.size());
  for (const auto& [name, operation] : operations) {
    CAPTURE(name);
    check_case(golden[name], operation);
  }
}

}  // namespace unroll::testing
