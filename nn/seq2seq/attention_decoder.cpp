#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/seq2seq/attention_decoder.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

constexpr const char* kName = "attention_decoder";

Index units_of(const Cell& cell, const AttentionDecoderOptions& options) {
  if (options.units < 0)
    throw ArgumentError("AttentionDecoder: units must not be negative, got " +
                        std::to_string(options.units));
  return options.units == 0 ? cell.outputs() : options.units;
}

Index embedding_size(const Cell& cell, const Attention& attention, Index units) {
  if (cell.inputs() <= units)
    throw ArgumentError(
        "AttentionDecoder: the cell takes " + std::to_string(cell.inputs()) +
        " inputs, of which the attentional vector fills " + std::to_string(units) +
        "; give the cell more inputs, for the embedding, or the decoder fewer units");
  if (attention.queries() != cell.outputs())
    throw ArgumentError("AttentionDecoder: the attention takes queries of " +
                        std::to_string(attention.queries()) + ", but the cell returns " +
                        std::to_string(cell.outputs()) + " outputs");
  return cell.inputs() - units;
}

}  // namespace

DecoderState DecoderState::sequences(const Tensor& indices) const {
  DecoderState selected;
  for (const Variable& part : cell) selected.cell.push_back(index_select(part, indices, 0));
  selected.attentional = index_select(attentional, indices, 0);
  return selected;
}

AttentionDecoder::AttentionDecoder(Index symbols, AnyCell cell, Any<Attention> attention,
                                   const AttentionDecoderOptions& options)
    : symbols_(symbols),
      units_(units_of(*cell, options)),
      cell_(std::move(cell)),
      attention_(std::move(attention)),
      embedding_(add("embedding", Embedding(symbols, embedding_size(*cell_, *attention_, units_)))),
      combine_(
          add("combine", Linear(attention_->source() + cell_->outputs(), units_, {.bias = false}))),
      readout_(add("readout", Linear(units_, symbols))) {
  add("cell", static_cast<const Module&>(*cell_));
  add("attention", static_cast<const Module&>(*attention_));
}

DecoderState AttentionDecoder::start(const State& cell) const {
  const Index batch = cell[0].size(0);
  check_state(kName, "the state given", *cell_, cell, batch);
  return {cell, zeros({batch, units_}, cell[0].dtype())};
}

AttentionDecoder::Step AttentionDecoder::step(const Tensor& symbols, const DecoderState& state,
                                              const AttentionSource& source) const {
  const Scope inside = scope();
  check_state(kName, "the state given", *cell_, state.cell, symbols.size(0));
  const Variable x = concat({embedding_(symbols), state.attentional});
  const Variable projected = project(kName, *cell_, unsqueeze(x, 0));
  auto [output, after] = nn::step(kName, *cell_, select(projected, 0, 0), state.cell);
  const auto [read, weights] = (*attention_)(unsqueeze(output, 0), source);
  const Variable attentional = tanh(combine_(concat({select(read, 0, 0), output})));
  return {{std::move(after), attentional}, select(weights, 1, 0)};
}

Variable AttentionDecoder::logits(const Variable& attentional) const {
  const Scope inside = scope();
  return readout_(attentional);
}

}  // namespace unroll::nn
