#include <autograd/ops/cross_entropy.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/seq2seq/encoder_decoder.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

constexpr const char* kName = "encoder_decoder";
constexpr Index kIgnored = -100;  // behind the end of a target

void check_mark(const char* which, Index symbol, Index symbols) {
  if (symbol < 0 || symbol >= symbols)
    throw ArgumentError("EncoderDecoder: the " + std::string(which) + " symbol is " +
                        std::to_string(symbol) + ", which is none of the decoder's " +
                        std::to_string(symbols) + " symbols");
}

Index state_size(const Cell& cell) {
  Index size = 0;
  for (const Index part : cell.state_sizes()) size += part;
  return size;
}

/// `[T,B]` with a row of `symbol` before it.
Tensor behind(Index symbol, const Tensor& symbols) {
  return concat({full({1, symbols.size(1)}, static_cast<double>(symbol), Dtype::int64), symbols}, 0)
      .value();
}

/// What is to be predicted, `[T+1,B]`: the symbols, the end, and then what does not count.
Tensor predicted(const SymbolBatch& target, Index symbols, Index end) {
  const Tensor padded = target.padded(kName, symbols, kIgnored);
  const Tensor last = full({1, padded.size(1)}, static_cast<double>(kIgnored), Dtype::int64);
  Tensor result = concat({padded, last}, 0).value();
  auto* symbol = result.mutable_data<std::int64_t>();
  for (std::size_t b = 0; b < target.lengths.size(); ++b)
    symbol[static_cast<std::size_t>(target.lengths[b]) * target.lengths.size() + b] = end;
  return result;
}

}  // namespace

EncoderDecoder::EncoderDecoder(const Encoder& encoder, const AttentionDecoder& decoder,
                               const SequenceMarks& marks, const EncoderDecoderOptions& options)
    : encoder_(add("encoder", encoder)), decoder_(add("decoder", decoder)), marks_(marks) {
  check_mark("start", marks.start, decoder.symbols());
  check_mark("end", marks.end, decoder.symbols());
  if (encoder.outputs() != decoder.attention().source())
    throw ArgumentError("EncoderDecoder: the encoder returns " + std::to_string(encoder.outputs()) +
                        " outputs a step, but the decoder's attention reads " +
                        std::to_string(decoder.attention().source()));
  if (options.bridge)
    bridge_ = add("bridge", Linear(encoder.summary_size(), state_size(decoder.cell())));
}

EncoderDecoder::Start EncoderDecoder::start(const SymbolBatch& source) const {
  const Encoded encoded = encoder_(source);
  const Cell& cell = decoder_.cell();
  State state;
  if (bridge_) {
    const Variable bridged = tanh((*bridge_)(encoded.summary));
    const std::vector<Variable> parts = split(bridged, cell.state_sizes());
    for (std::size_t k = 0; k < parts.size(); ++k)
      state.push_back(reshape(parts[k], with_batch(source.batch(), cell.state_shapes()[k])));
  } else {
    state = cell.initial_state(source.batch(), encoded.outputs.dtype());
  }
  return {decoder_.attention().prepare(encoded.outputs, encoded.lengths), decoder_.start(state)};
}

EncoderDecoder::Result EncoderDecoder::operator()(const SymbolBatch& source,
                                                  const SymbolBatch& target,
                                                  const TeacherForcingOptions& options,
                                                  Generator& generator) const {
  const Scope inside = scope();
  if (!(options.truth >= 0.0 && options.truth <= 1.0))
    throw ArgumentError("encoder_decoder: truth is a probability in 0..1, it is " +
                        std::to_string(options.truth));
  const Tensor inputs = behind(marks_.start, target.padded(kName, decoder_.symbols(), marks_.end));
  if (source.batch() != target.batch())
    throw ShapeError("encoder_decoder: there are " + std::to_string(source.batch()) +
                     " sources and " + std::to_string(target.batch()) + " targets");
  const Call call = prepared(decoder_.cell(), source.batch(), decoder_.parameters()[0].dtype(), {});
  const Substitution inside_call = call.enter();
  auto [attended, state] = start(source);
  const Index steps = inputs.size(0);
  std::vector<Variable> attentional, weights;
  for (Index t = 0; t < steps; ++t) {
    const Scope step = Scope::time_step(t);
    Tensor symbols = inputs.select(0, t);
    if (t > 0 && options.truth < 1.0) {
      const Tensor own = categorical_logits(decoder_.logits(state.attentional).value(), generator);
      const Tensor is_true =
          bernoulli({1, target.batch()}, options.truth, Dtype::float32, generator);
      symbols = gather(stack({own, symbols}), is_true.to(Dtype::int64), 0).value().select(0, 0);
    }
    auto [after, read] = decoder_.step(symbols, state, attended);
    attentional.push_back(after.attentional);
    weights.push_back(read);
    state = std::move(after);
  }
  return {decoder_.logits(stack(attentional)), stack(weights)};
}

Variable EncoderDecoder::loss(const SymbolBatch& source, const SymbolBatch& target,
                              const TeacherForcingOptions& options, Generator& generator) const {
  const Variable logits = (*this)(source, target, options, generator).logits;
  return cross_entropy(logits, predicted(target, decoder_.symbols(), marks_.end),
                       {.ignore_index = kIgnored});
}

NextSymbols EncoderDecoder::next_symbols(const SymbolBatch& source) const {
  struct Hypotheses {
    Call call;
    Start start;
    std::vector<Index> sequences;  // of the batch, that of each row
  };
  const Call call =
      prepared(decoder_.cell(), source.batch(), decoder_.parameters()[0].dtype(), {}).detached();
  const Substitution inside_call = call.enter();
  const auto current = std::make_shared<Hypotheses>(Hypotheses{call, start(source), {}});
  for (Index b = 0; b < source.batch(); ++b) current->sequences.push_back(b);
  return [decoder = decoder_, current](const std::vector<Index>& symbols,
                                       const std::vector<Index>& rows) {
    const Index count = static_cast<Index>(rows.size());
    const Tensor selected = Tensor::of({count}, rows);
    auto& [attended, state] = current->start;
    state = state.sequences(selected);
    std::vector<Index> sequences;
    sequences.reserve(rows.size());
    for (const Index row : rows)
      sequences.push_back(current->sequences[static_cast<std::size_t>(row)]);
    // The source is large, and the sequences of the rows seldom change.
    if (sequences != current->sequences) attended = attended.sequences(selected);
    current->sequences = std::move(sequences);
    const Substitution inside = current->call.of_sequences(current->sequences).enter();
    state = decoder.step(Tensor::of({count}, symbols), state, attended).state;
    return log_softmax(decoder.logits(state.attentional)).value();
  };
}

std::vector<Hypothesis> EncoderDecoder::greedy_search(const SymbolBatch& source,
                                                      const GreedySearchOptions& options) const {
  return nn::greedy_search(next_symbols(source), source.batch(), marks_, options);
}

std::vector<std::vector<Hypothesis>> EncoderDecoder::beam_search(
    const SymbolBatch& source, const BeamSearchOptions& options) const {
  return nn::beam_search(next_symbols(source), source.batch(), marks_, options);
}

}  // namespace unroll::nn
