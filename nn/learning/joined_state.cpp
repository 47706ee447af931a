#include <autograd/ops/layout.hpp>
#include <nn/learning/joined_state.hpp>

#include <utility>

namespace unroll::nn {

Variable join(const State& state) {
  const auto flat = [](const Variable& x) {
    return x.rank() == 2 ? x : reshape(x, {x.size(0), x.value().size() / x.size(0)});
  };
  if (state.size() == 1) return flat(state[0]);
  memory::Vector<Variable> parts;
  for (const Variable& value : state) parts.push_back(flat(value));
  return concat(parts);
}

State part(const Variable& joined, const Cell& cell) {
  const std::vector<Shape>& shapes = cell.state_shapes();
  std::vector<Variable> parts{joined};
  if (shapes.size() > 1) parts = split(joined, cell.state_sizes());
  State state;
  for (std::size_t k = 0; k < parts.size(); ++k)
    state.push_back(shapes[k].rank() == 1
                        ? std::move(parts[k])
                        : reshape(parts[k], with_batch(joined.size(0), shapes[k])));
  return state;
}

}  // namespace unroll::nn
