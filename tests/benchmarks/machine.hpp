#pragma once

#include "in_turn.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// What the figures depend on: processor, threads, vector instructions, BLAS.
std::vector<std::pair<std::string, std::string>> machine();

/// A product of two 2048 x 2048 matrices by OpenBLAS on its own threads, as so many times the work
/// `operations`: what the machine's arithmetic allows that work to take.
Contender large_product(int threads, double operations);

/// Reads so many bytes, on the library's threads: what the machine's memory allows.
Contender read(std::size_t bytes, int threads);

}  // namespace benchmarks
