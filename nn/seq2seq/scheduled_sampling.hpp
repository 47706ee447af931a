#pragma once

#include <autograd/tensor/shape.hpp>

#include <algorithm>
#include <cmath>

/// Schedules of the probability to read the truth, for scheduled sampling (Bengio, Vinyals, Jaitly
/// and Shazeer, Scheduled sampling for sequence prediction with recurrent neural networks, 2015,
/// section 2.4), by the number of the update, from 0 on.
namespace unroll::nn {

/// max(least, start - slope i).
inline double linear_decay(Index update, double start, double slope, double least = 0.0) {
  return std::max(least, start - slope * static_cast<double>(update));
}

/// k^i, for k < 1.
inline double exponential_decay(Index update, double k) {
  return std::pow(k, static_cast<double>(update));
}

/// k / (k + e^(i / k)), for k >= 1: near 1 at first, 1/2 at i = k ln k.
inline double inverse_sigmoid_decay(Index update, double k) {
  return k / (k + std::exp(static_cast<double>(update) / k));
}

}  // namespace unroll::nn
