#pragma once

#include "lstm_problem.hpp"

#include <functional>
#include <memory>

namespace benchmarks {

/// A training step of an LSTM layer as one would write it without automatic differentiation, on
/// OpenBLAS and xsimd: all activations stored, one product for all input projections, and one for
/// each weight gradient.
class LstmByHand {
 public:
  explicit LstmByHand(const LstmProblem& problem);
  ~LstmByHand();
  LstmByHand(const LstmByHand&) = delete;
  LstmByHand& operator=(const LstmByHand&) = delete;

  /// Forward and backward; OpenBLAS shares its products among as many threads as it is told to.
  void step();
  LstmNumbers numbers() const;

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace benchmarks
