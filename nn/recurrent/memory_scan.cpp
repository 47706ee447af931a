#include <autograd/ops/diagonal.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/scans.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/dtype.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/memory_scan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

/// Longer chunks cost more within, shorter ones more products with the memory.
constexpr Index kLongest = 32;
/// Of the decay within a chunk, whose inverse a float32 must hold.
constexpr double kDeepest = 40.0;

/// `gate`: log_decay or rates, of so many columns or of one.
void check(const char* name, const Variable& queries, const Variable& keys, const Variable& values,
           const char* gate_name, const Variable& gate, Index gate_columns, const Variable& start) {
  const auto is_sequence = [&](const Variable& x, Index columns) {
    return x.rank() == 3 && x.size(0) == keys.size(0) && x.size(1) == keys.size(1) &&
           x.size(2) == columns;
  };
  const bool fits = keys.rank() == 3 && values.rank() == 3 && is_sequence(queries, keys.size(2)) &&
                    is_sequence(values, values.size(2)) &&
                    (is_sequence(gate, 1) || is_sequence(gate, gate_columns)) &&
                    start.shape() == Shape{keys.size(1), keys.size(2), values.size(2)};
  if (!fits)
    throw ShapeError(std::string(name) + ": queries " + describe(queries.value()) + ", keys " +
                     describe(keys.value()) + ", values " + describe(values.value()) + ", " +
                     gate_name + " " + describe(gate.value()) + " and start " +
                     describe(start.value()) + " must be [T,B,K], [T,B,K], [T,B,V], " +
                     (gate_columns == 1 ? "[T,B,1]" : "[T,B,K] or [T,B,1]") + " and [B,K,V]");
}

/// The steps in the order in which they run, cut into chunks.
class Chunks {
 public:
  Chunks(Index steps, const RunOptions& options) : options_(options) {
    for (Index k = 0; k < steps; ++k)
      begins_.push_back(options.begins(options.reverse ? steps - 1 - k : k));
    for (Index k = 0; k < steps; ++k)
      if (k == 0 || k - edges_.back() == kLongest || begin_of(k).defined()) edges_.push_back(k);
    edges_.push_back(steps);
  }

  /// `x: [T,B,...]` in the order of the steps; and back.
  Variable in_order(const Variable& x) const { return options_.reverse ? flip(x, {0}) : x; }

  /// Cuts further, so that no decay within a chunk passes kDeepest; `log_decay` is in order.
  void cut(const Tensor& log_decay) {
    const Index steps = log_decay.shape()[0], count = log_decay.size() / steps;
    const Tensor all = log_decay.contiguous();
    std::vector<double> fallen(static_cast<std::size_t>(count));
    std::vector<Index> edges;
    dispatch_floating(all.dtype(), [&]<class T>(T) {
      const T* decay = all.data<T>();
      for (std::size_t i = 0; i + 1 < edges_.size(); ++i) {
        for (Index t = edges_[i]; t < edges_[i + 1]; ++t) {
          bool fits = t > edges_[i];
          for (Index k = 0; k < count; ++k) {
            double& sum = fallen[static_cast<std::size_t>(k)];
            sum += static_cast<double>(decay[t * count + k]);
            fits = fits && std::abs(sum) <= kDeepest;
          }
          if (fits) continue;
          edges.push_back(t);
          std::fill(fallen.begin(), fallen.end(), 0.0);
        }
      }
    });
    edges.push_back(steps);
    edges_ = std::move(edges);
  }

  /// `read(begin, end, memory)` returns the outputs of a chunk, `[B,C,V]`, and the memory after it.
  template <class F>
  MemoryReads run(Variable memory, const F& read) const {
    std::vector<Variable> outputs;
    for (std::size_t i = 0; i + 1 < edges_.size(); ++i) {
      const Tensor& anew = begin_of(edges_[i]);
      if (anew.defined())
        memory = where(anew.unsqueeze(-1).unsqueeze(-1), options_.start[0], memory);
      MemoryReads reads = read(edges_[i], edges_[i + 1], memory);
      outputs.push_back(transpose(reads.outputs, 0, 1));
      memory = std::move(reads.memory);
    }
    return {in_order(outputs.size() == 1 ? outputs[0] : concat(outputs, 0)), std::move(memory)};
  }

 private:
  const Tensor& begin_of(Index step) const { return begins_[static_cast<std::size_t>(step)]; }

  const RunOptions& options_;
  std::vector<Tensor> begins_;  // where sequences begin anew, in order
  std::vector<Index> edges_;    // where chunks begin, and T
};

/// x, and zeros past the end of a sequence.
Variable until_end(const Variable& x, const RunOptions& options) {
  const Tensor running = options.running(x.size(0), x.dtype());
  return running.defined() ? where(running.unsqueeze(-1), x, 0.0) : x;
}

// With the decay since the first step of a chunk, exp(fall), and that of the first step.
constexpr auto decayed_keys = [](auto key, auto fall, auto last) {
  return std::pair{key * exp(-fall), key * exp(last - fall)};
};
constexpr auto decayed_queries = [](auto query, auto fall, auto first) {
  return std::pair{query * exp(fall), query * exp(first + fall)};
};
constexpr auto next_memory = [](auto memory, auto first, auto last, auto added) {
  return exp(first + last) * memory + added;
};

/// `[B,C,...]`, the steps begin .. end of `[T,B,...]`.
Variable chunk_of(const Variable& x, Index begin, Index end) {
  return transpose(slice(x, 0, begin, end), 0, 1);
}

/// The outputs of a chunk, `[B,C,V]`, and the memory after it; `steps` are in order.
MemoryReads read_chunk(const MemorySteps& steps, Index begin, Index end, const Variable& memory) {
  const Variable decay = chunk_of(steps.log_decay, begin, end);
  const Variable values = chunk_of(steps.values, begin, end);
  const Index count = end - begin;
  // The first decay acts on the memory before the chunk alone. It may be a number such as -1e30,
  // beside which the others would vanish.
  const Variable first = slice(decay, 1, 0, 1);
  const Variable fall =
      cumsum(concat({zeros(first.shape(), decay.dtype()), slice(decay, 1, 1, count)}, 1), 1);
  const Variable last = slice(fall, 1, count - 1, count);
  const auto [keys, stored] =
      pointwise("memory_scan_keys", decayed_keys, chunk_of(steps.keys, begin, end), fall, last);
  const auto [queries, asked] = pointwise("memory_scan_queries", decayed_queries,
                                          chunk_of(steps.queries, begin, end), fall, first);
  const Variable scores = tril(matmul(queries, transpose(keys)));
  return {matmul(scores, values) + matmul(asked, memory),
          pointwise("memory_scan", next_memory, memory, transpose(first), transpose(last),
                    matmul(transpose(stored), values))};
}

/// The same for the delta rule. Step t adds k_t^T u_t, where u_t + beta_t sum_{s<t} (k_t k_s) u_s
/// is what it would add without the others of its chunk: beta_t (v_t - k_t S).
MemoryReads read_chunk(const DeltaSteps& steps, Index begin, Index end, const Variable& memory) {
  const Variable queries = chunk_of(steps.queries, begin, end);
  const Variable keys = chunk_of(steps.keys, begin, end);
  const Variable rates = chunk_of(steps.rates, begin, end);
  const Variable alone =
      rates * (chunk_of(steps.values, begin, end) - matmul(keys, memory));  // [B,C,V]
  const Variable earlier = tril(rates * matmul(keys, transpose(keys)), -1);
  const Variable added = solve(diag(ones({end - begin}, keys.dtype())) + earlier, alone);
  const Variable scores = tril(matmul(queries, transpose(keys)));
  return {matmul(scores, added) + matmul(queries, memory), memory + matmul(transpose(keys), added)};
}

}  // namespace

MemoryReads memory_scan(const MemorySteps& steps, const Variable& start,
                        const RunOptions& options) {
  const auto& [queries, keys, values, log_decay] = steps;
  check("memory_scan", queries, keys, values, "log_decay", log_decay, keys.size(-1), start);
  Chunks chunks(keys.size(0), options);
  const MemorySteps in_order{.queries = chunks.in_order(queries),
                             .keys = chunks.in_order(until_end(keys, options)),
                             .values = chunks.in_order(values),
                             .log_decay = chunks.in_order(until_end(log_decay, options))};
  chunks.cut(in_order.log_decay.value());
  return chunks.run(start, [&](Index begin, Index end, const Variable& memory) {
    return read_chunk(in_order, begin, end, memory);
  });
}

MemoryReads delta_scan(const DeltaSteps& steps, const Variable& start, const RunOptions& options) {
  const auto& [queries, keys, values, rates] = steps;
  check("delta_scan", queries, keys, values, "rates", rates, 1, start);
  const Chunks chunks(keys.size(0), options);
  const DeltaSteps in_order{.queries = chunks.in_order(queries),
                            .keys = chunks.in_order(keys),
                            .values = chunks.in_order(values),
                            .rates = chunks.in_order(until_end(rates, options))};
  return chunks.run(start, [&](Index begin, Index end, const Variable& memory) {
    return read_chunk(in_order, begin, end, memory);
  });
}

}  // namespace unroll::nn
