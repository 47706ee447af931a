#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Memories of key-value pairs, all steps at once: for Cell::run of cells such as
/// GatedLinearAttention, MLSTM and DeltaNet. Steps are taken in chunks: what a step reads of its
/// own chunk is causal attention, of the memory before the chunk a product, so that no memory of a
/// step is computed or kept for the backward pass.

/// What the steps of memory_scan read and write; one floating dtype.
struct MemorySteps {
  Variable queries;    ///< q: [T,B,K]
  Variable keys;       ///< k: [T,B,K]
  Variable values;     ///< v: [T,B,V]
  Variable log_decay;  ///< g: [T,B,K] or, one for all rows of the memory, [T,B,1]; at most 0
};

struct MemoryReads {
  Variable outputs;  ///< o: [T,B,V]
  Variable memory;   ///< S after the last step: [B,K,V]
};

/// A memory whose rows decay, with row vectors (Yang et al., Gated linear attention transformers
/// with hardware-efficient training, 2024, section 4.2):
///
///     S_t = diag(exp(g_t)) S_{t-1} + k_t^T v_t
///     o_t = q_t S_t
///
/// A chunk has 32 steps. It ends earlier where the decay since its begin passes e^-40, whose
/// inverse float32 could not hold, and where a new sequence begins: a memory that forgets all in
/// every step is right, and slow.
///
/// `start: [B,K,V]` is S before the first step, `options` those of Cell::run, with S behind a
/// boundary as `options.start[0]`. Throws ShapeError when the sizes do not fit.
MemoryReads memory_scan(const MemorySteps& steps, const Variable& start, const RunOptions& options);

/// What the steps of delta_scan read and write; one floating dtype.
struct DeltaSteps {
  Variable queries;  ///< q: [T,B,K]
  Variable keys;     ///< k: [T,B,K]
  Variable values;   ///< v: [T,B,V]
  Variable rates;    ///< beta: [T,B,1]
};

/// A memory in which the value under a key is replaced, with row vectors (Yang et al.,
/// Parallelizing linear transformers with the delta rule over sequence length, 2024, section 3.2):
///
///     S_t = S_{t-1} + beta_t k_t^T (v_t - k_t S_{t-1})
///     o_t = q_t S_t
///
/// What the steps of a chunk add is the solution of a triangular system. `start` and `options` are
/// those of memory_scan. Throws ShapeError when the sizes do not fit, ArgumentError for NaN and
/// infinity.
MemoryReads delta_scan(const DeltaSteps& steps, const Variable& start, const RunOptions& options);

}  // namespace unroll::nn
