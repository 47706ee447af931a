#include <autograd/tensor/error.hpp>
#include <nn/layers/mlp.hpp>

#include <string>

namespace unroll::nn {

MLP::MLP(const std::vector<Index>& sizes, const MLPOptions& options) : options_(options) {
  if (sizes.size() < 2)
    throw ArgumentError("mlp: the sizes of at least the inputs and the outputs are needed, got " +
                        std::to_string(sizes.size()));
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    layers_.push_back(
        add(std::to_string(i), Linear(sizes[i], sizes[i + 1], {.bias = options.bias})));
}

Variable MLP::operator()(const Variable& x) const {
  const Scope inside = scope();
  Variable a = x;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    a = (i + 1 < layers_.size() ? options_.activation : options_.output_activation)(layers_[i](a));
  return a;
}

}  // namespace unroll::nn
