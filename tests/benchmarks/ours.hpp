#pragma once

#include "lstm_problem.hpp"
#include "step.hpp"

#include <nn/recurrent/recurrent.hpp>

#include <memory>
#include <string>

/// The library's side of the comparisons.
namespace benchmarks {

/// A training step, forward and backward, of one recurrent layer: "lstm", "gru", "elman",
/// "pointwise_lstm" (a user's cell with a lambda) or "plain_lstm" (a user's cell, operation by
/// operation); or of "bidirectional", two bidirectional LSTM layers.
std::unique_ptr<Step> training_step(const std::string& layer, Size size);
std::unique_ptr<Step> training_step(const unroll::nn::Recurrent& layer, Size size);

/// linear_scan of `[T,B,H]`, forward, and the gradients of both coefficients; or the same
/// recurrence as a cell that runs step by step.
std::unique_ptr<Step> scan_step(Size size, bool step_by_step);
/// The bytes of the arrays that the scan must read or write: 3 forward, 5 backward.
std::size_t scan_bytes(Size size);

/// One step in time of a layer, a batch of one, without a tape.
std::unique_ptr<Step> inference_step(const std::string& layer, int hidden);

/// Embedding, two LSTM layers, softmax and cross-entropy, gradients, clipping and SGD.
std::unique_ptr<Step> word_model_step();

/// What nn::LSTM computes of the problem.
LstmNumbers lstm_numbers(Size size);

/// Floating-point operations in the products of a training step of an LSTM layer.
double lstm_operations(Size size);

}  // namespace benchmarks
