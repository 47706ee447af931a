#include "user_copies.hpp"

#include "ours.hpp"

#include <user_copies/cells.hpp>

#include <stdexcept>

namespace benchmarks {

std::unique_ptr<Step> copied_training_step(const std::string& name, Size size) {
  for (const user_copies::testing::CellCase& cell : user_copies::testing::listed_cells())
    if (cell.file == name)
      return training_step(unroll::nn::Recurrent(cell.of(size.hidden, size.hidden)), size);
  throw std::invalid_argument("no cell is called " + name);
}

}  // namespace benchmarks
