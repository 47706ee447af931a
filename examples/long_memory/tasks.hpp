#pragma once

#include <autograd/tensor/random.hpp>
#include <autograd/tensor/tensor.hpp>

#include <string>
#include <vector>

/// The data of small tasks that recurrent networks have been measured by since 1997. All functions
/// draw from the generator given.
namespace long_memory {

using unroll::Generator, unroll::Index, unroll::Tensor;

/// Sequences side by side, and what the network is asked: for a number after the last step, for a
/// class at some steps, or which symbols may come next. Tensors that a task does not have are
/// undefined.
struct Batch {
  static constexpr Index kNothing = -100;  ///< what cross_entropy ignores

  Tensor x;                    ///< [T,B,I]
  std::vector<Index> lengths;  ///< of each sequence
  Tensor numbers;              ///< [B,1], wanted after the last step
  Tensor classes;              ///< [T,B], kNothing where nothing is asked
  Tensor allowed;              ///< [T,B,I], 1 for each symbol that may come next
};

/// The adding problem (Hochreiter and Schmidhuber, 1997, experiment 4, with the inputs of Le,
/// Jaitly and Hinton, 2015): T steps of a number uniform over [0,1) and a marker, which is 1 at a
/// step of the first half and at one of the second. Wanted is the sum of the two marked numbers.
/// Who always says 1 has a mean squared error of 1/6.
Batch adding(Index steps, Index count, Generator& generator);

/// Copy memory (Arjovsky, Shah and Bengio, Unitary evolution recurrent neural networks, 2016,
/// section 4.1): ten symbols of 0..7, `gap` - 1 blanks (8), a signal (9), ten blanks. Wanted is the
/// blank for gap + 10 steps, and then the ten symbols. Who guesses these has a cross-entropy of
/// 10 ln 8 / (gap + 20).
Batch copy_memory(Index gap, Index count, Generator& generator);

/// Temporal order (Hochreiter and Schmidhuber, 1997, experiment 6a): a start, a..d at random, an
/// end, in all 100 to 110 symbols; at one of the steps 10 to 20 and 50 to 60 there is an X or a Y.
/// Wanted after the last step is the order: XX, XY, YX or YY.
Batch temporal_order(Index count, Generator& generator);

/// Reber's grammar, embedded: B, then T or P, a string of Reber's grammar, the same T or P, and E.
inline const std::string kReber = "BTPSXVE";
std::string embedded_reber_string(Generator& generator);
/// The symbols that may follow the beginning of such a string: none after its end.
std::string after_embedded_reber(const std::string& beginning);
/// Whether the string as a whole belongs to the grammar.
bool is_embedded_reber(const std::string& text);

/// Embedded Reber strings, each of its own length. Wanted is the next symbol.
Batch embedded_reber(Index count, Generator& generator);

/// Streams of embedded Reber strings one after the other (Gers, Schmidhuber and Cummins, Learning
/// to forget, 2000), which go on from batch to batch.
class ReberStreams {
 public:
  explicit ReberStreams(Index count) : rest_(static_cast<std::size_t>(count)), so_far_(rest_) {}

  Batch next(Index steps, Generator& generator);

 private:
  std::vector<std::string> rest_, so_far_;  // of the current string of each stream
};

/// a^n b^n, and a^n b^n c^n (Gers and Schmidhuber, LSTM recurrent networks learn simple
/// context-free and context-sensitive languages, 2001): S, then each of `letters` n times, for
/// every n given. Wanted is what may come next; T follows the last letter. Symbols: the letters, S,
/// T.
Batch counting(const std::string& letters, const std::vector<Index>& counts);

}  // namespace long_memory
