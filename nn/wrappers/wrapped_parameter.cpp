#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/wrappers/wrapped_parameter.hpp>

namespace unroll::nn {

Parameter wrapped_parameter(const char* wrapper, const Cell& cell, const std::string& name) {
  std::string present;
  for (const auto& [path, parameter] : cell.named_parameters()) {
    if (path == name) return parameter;
    present.append(present.empty() ? "" : ", ").append(path);
  }
  throw ArgumentError(std::string(wrapper) + ": the cell has no parameter '" + name + "'; it has " +
                      (present.empty() ? "none" : present) + " (class " + class_name(cell) + ")");
}

}  // namespace unroll::nn
