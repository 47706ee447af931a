#pragma once

#include "lstm_problem.hpp"

#include <memory>

namespace benchmarks {

/// A training step of an LSTM layer with oneDNN's primitive, the kernel that today's PyTorch calls.
/// The weights lie row by row, as an optimizer wants them, and are brought into the primitive's
/// layouts once in each step.
class OneDnnLstm {
 public:
  /// False when the benchmarks were built without oneDNN: everything below then throws.
  static bool available();

  OneDnnLstm(const LstmProblem& problem, int threads);
  ~OneDnnLstm();
  OneDnnLstm(const OneDnnLstm&) = delete;
  OneDnnLstm& operator=(const OneDnnLstm&) = delete;

  void step();
  LstmNumbers numbers() const;

 private:
  struct Primitive;
  std::unique_ptr<Primitive> primitive_;
};

}  // namespace benchmarks
