#include <nn/layers/sequential.hpp>

#include <string>

namespace unroll::nn {

Sequential::Sequential(std::vector<Layer> layers) {
  layers_.reserve(layers.size());
  for (Layer& layer : layers) push_back(std::move(layer));
}

void Sequential::push_back(Layer layer) {
  if (layer.module_) add(std::to_string(layers_.size()), *layer.module_);
  layers_.push_back(std::move(layer));
}

Variable Sequential::operator()(const Variable& x) const {
  const Scope inside = scope();
  Variable y = x;
  for (const Layer& layer : layers_) y = layer(y);
  return y;
}

}  // namespace unroll::nn
