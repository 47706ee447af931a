#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/seq2seq/encoder.hpp>

#include <string>

namespace unroll::nn {
namespace {

struct Sizes {
  Index inputs = 0, outputs = 0, state = 0;
};

Sizes sizes_of(const Cell& cell) {
  Sizes sizes{cell.inputs(), cell.outputs(), 0};
  for (const Index size : cell.state_sizes()) sizes.state += size;
  return sizes;
}

Sizes sizes_of(const Recurrent& layer) { return sizes_of(layer.cell()); }

Sizes sizes_of(const Bidirectional& layer) {
  const Sizes forward = sizes_of(layer.forward()), backward = sizes_of(layer.backward());
  return {forward.inputs, layer.outputs(), forward.state + backward.state};
}

Sizes sizes_of(const Stacked& layers) {
  if (layers.layers().empty())
    throw ArgumentError("Encoder: the stack has no layers; add one with push_back");
  const auto of = [](const auto& layer) { return sizes_of(layer); };
  Sizes sizes = std::visit(of, layers.layers().back());
  sizes.inputs = std::visit(of, layers.layers().front()).inputs;
  return sizes;
}

Sizes sizes_of(const Encoder::Layers& layers) {
  return std::visit([](const auto& layer) { return sizes_of(layer); }, layers);
}

/// The outputs, and the state of the last layer.
Sequence run(const Encoder::Layers& layers, const Variable& x, const std::vector<Index>& lengths) {
  if (const auto* stack = std::get_if<Stacked>(&layers)) {
    auto [outputs, states] = (*stack)(x, {}, {.lengths = lengths});
    return {outputs, states.back()};
  }
  if (const auto* both = std::get_if<Bidirectional>(&layers))
    return (*both)(x, {}, {.lengths = lengths});
  return std::get<Recurrent>(layers)(x, {}, {.lengths = lengths});
}

}  // namespace

Encoder::Encoder(Index symbols, Layers layers)
    : symbols_(symbols),
      embedding_(add("embedding", Embedding(symbols, sizes_of(layers).inputs))),
      layers_(std::move(layers)) {
  std::visit([this](const Module& module) { add("rnn", module); }, layers_);
  outputs_ = sizes_of(layers_).outputs;
  summary_size_ = sizes_of(layers_).state;
}

Encoded Encoder::operator()(const SymbolBatch& source) const {
  const Scope inside = scope();
  const Variable x = embedding_(source.padded("encoder", symbols_, 0));
  const auto [outputs, state] = run(layers_, x, source.lengths);
  std::vector<Variable> parts;
  for (const Variable& part : state) parts.push_back(reshape(part, {source.batch(), -1}));
  return {outputs, concat(parts), source.lengths};
}

}  // namespace unroll::nn
