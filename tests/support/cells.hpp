#pragma once

#include <doctest/doctest.h>
#include <nn/nn.hpp>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

/// Every cell of nn/cells, small and in float64, for what must hold for all of them.
namespace unroll::testing {

/// ds/dt = tanh(A s + B x) cos(t), with A and B to be learned.
class LearnedSlope : public nn::Module {
 public:
  LearnedSlope(Index inputs, Index units)
      : from_state_(add("state", nn::Linear(units, units))),
        from_input_(add("input", nn::Linear(inputs, units))) {}

  Variable operator()(const Variable& s, const Variable& t, const Variable& x) const {
    return tanh(from_state_(s) + from_input_(x)) * cos(t);
  }

 private:
  nn::Linear from_state_, from_input_;
};

struct CellCase {
  std::string file;  ///< of nn/cells, without its ending
  std::function<nn::Recurrent()> make;
};

inline constexpr Index kCellInputs = 2;

/// Cells with 2 inputs. Weights are drawn at each call of make.
inline std::vector<CellCase> all_cells() {
  const auto one = [](const char* file, auto make) {
    return CellCase{file, [make] {
                      nn::Recurrent rnn(make());
                      rnn.to(Dtype::float64);
                      return rnn;
                    }};
  };
  constexpr Index i = kCellInputs;
  constexpr Index h = 3;
  constexpr Index o = 2;
  return {
      one("elman", [] { return nn::Elman(i, h); }),
      one("euler", [] { return nn::Euler(i, h, LearnedSlope(i, h), {.step = 0.4}); }),
      one("fixed_context_elman", [] { return nn::FixedContextElman(i, h); }),
      one("fully_recurrent", [] { return nn::FullyRecurrent(i, h); }),
      one("gru", [] { return nn::GRU(i, h); }),
      one("jordan", [] { return nn::Jordan(i, h, o); }),
      one("jordan_1986", [] { return nn::Jordan1986(i, h, o); }),
      one("layer_norm_lstm", [] { return nn::LayerNormLSTM(i, h); }),
      one("lstm", [] { return nn::LSTM(i, h); }),
      one("min_gru", [] { return nn::MinGRU(i, h); }),
      one("narx", [] { return nn::NARX(i, h, o, {.output_delays = 2, .input_delays = 1}); }),
      one("output_to_hidden", [] { return nn::OutputToHidden(i, h, o); }),
      one("williams_zipser", [] { return nn::WilliamsZipser(i, h); }),
  };
}

/// Fails by name for a file of nn/cells that is not in all_cells().
inline void check_no_cell_is_missing() {
  std::set<std::string> listed, present;
  for (const CellCase& cell : all_cells()) listed.insert(cell.file);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(UNROLL_SOURCE_DIR) / "nn/cells"))
    if (entry.path().extension() == ".hpp") present.insert(entry.path().stem().string());
  for (const std::string& file : present)
    CHECK_MESSAGE(listed.count(file) == 1,
                  "nn/cells/" << file << ".hpp is not in tests/support/cells.hpp");
  CHECK(listed.size() == present.size());
}

}  // namespace unroll::testing
