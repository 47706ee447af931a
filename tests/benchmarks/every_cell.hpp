#pragma once

#include "lstm_problem.hpp"
#include "step.hpp"

#include <memory>
#include <string>
#include <vector>

/// The cells of nn/cells, by the names of their files.
namespace benchmarks {

std::vector<std::string> cell_names();

/// A training step of a layer: of any of these cells, or what training_step knows.
std::unique_ptr<Step> cell_training_step(const std::string& layer, Size size);

/// The same of the copy of a cell that is compiled outside the library; see user_copies.cmake.
std::unique_ptr<Step> copied_training_step(const std::string& cell, Size size);

}  // namespace benchmarks
