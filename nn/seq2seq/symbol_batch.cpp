#include <autograd/ops/lengths.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/seq2seq/symbol_batch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace unroll::nn {

SymbolBatch SymbolBatch::of(const std::vector<std::vector<Index>>& sequences) {
  SymbolBatch batch;
  for (const auto& sequence : sequences)
    batch.lengths.push_back(static_cast<Index>(sequence.size()));
  const Index count = batch.batch();
  const Index steps =
      count == 0 ? 0 : *std::max_element(batch.lengths.begin(), batch.lengths.end());
  batch.symbols = zeros({steps, count}, Dtype::int64);
  auto* symbol = batch.symbols.mutable_data<std::int64_t>();
  for (std::size_t b = 0; b < sequences.size(); ++b)
    for (std::size_t t = 0; t < sequences[b].size(); ++t)
      symbol[t * sequences.size() + b] = sequences[b][t];
  return batch;
}

Tensor SymbolBatch::padded(const char* name, Index count, Index padding) const {
  if (!symbols.defined() || symbols.rank() != 2 || symbols.dtype() != Dtype::int64)
    throw ShapeError(std::string(name) + ": the symbols are " + describe(symbols) +
                     ", they must be int64 [T,B]");
  detail::check_lengths(name, {"symbols", symbols}, lengths);
  Tensor result = symbols.clone();
  auto* symbol = result.mutable_data<std::int64_t>();
  for (Index t = 0; t < symbols.size(0); ++t)
    for (std::size_t b = 0; b < lengths.size(); ++b, ++symbol) {
      if (t >= lengths[b])
        *symbol = padding;
      else if (*symbol < 0 || *symbol >= count)
        throw ArgumentError(std::string(name) + ": symbol " + std::to_string(t) + " of sequence " +
                            std::to_string(b) + " is " + std::to_string(*symbol) + ", outside 0.." +
                            std::to_string(count - 1));
    }
  return result;
}

}  // namespace unroll::nn
