#include "every_cell.hpp"

#include "ours.hpp"
#include "support/cells.hpp"

#include <user_copies/cells.hpp>

#include <stdexcept>

namespace benchmarks {
namespace {

/// Null when none of the cells has this name.
template <class Cells>
std::unique_ptr<Step> find(const Cells& cells, const std::string& name, Size size) {
  for (const auto& cell : cells)
    if (cell.file == name)
      return training_step(unroll::nn::Recurrent(cell.of(size.hidden, size.hidden)), size);
  return nullptr;
}

}  // namespace

std::vector<std::string> cell_names() {
  std::vector<std::string> names;
  for (const auto& cell : unroll::testing::listed_cells()) names.push_back(cell.file);
  return names;
}

std::unique_ptr<Step> cell_training_step(const std::string& layer, Size size) {
  auto step = find(unroll::testing::listed_cells(), layer, size);
  return step ? std::move(step) : training_step(layer, size);
}

std::unique_ptr<Step> copied_training_step(const std::string& cell, Size size) {
  auto step = find(user_copies::testing::listed_cells(), cell, size);
  if (!step) throw std::invalid_argument("no cell is called " + cell);
  return step;
}

}  // namespace benchmarks
