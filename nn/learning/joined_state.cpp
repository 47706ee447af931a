#include <autograd/ops/layout.hpp>
#include <nn/learning/joined_state.hpp>

#include <utility>

namespace unroll::nn {

Variable join(const State& state) {
  return state.size() == 1 ? state[0]
                           : concat(memory::Vector<Variable>(state.begin(), state.end()));
}

State part(const Variable& joined, const std::vector<Index>& sizes) {
  if (sizes.size() == 1) return {joined};
  State state;
  for (Variable& value : split(joined, sizes)) state.push_back(std::move(value));
  return state;
}

}  // namespace unroll::nn
