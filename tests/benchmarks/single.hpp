#pragma once

namespace benchmarks {

/// Figures that stand alone: what the tape costs, and what a step allocates.
void register_figures();

}  // namespace benchmarks
