#pragma once

#include "lstm_problem.hpp"
#include "step.hpp"

#include <memory>
#include <string>

/// The library's cells as a user would have written them; see user_copies.cmake.
namespace benchmarks {

/// A training step of the copy of a cell, by the name of its file.
std::unique_ptr<Step> copied_training_step(const std::string& cell, Size size);

}  // namespace benchmarks
