#pragma once

#include <autograd/tensor/tensor.hpp>
#include <nn/data/vocabulary.hpp>
#include <nn/saved_state.hpp>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

/// Options of TokenStreams.
struct TokenStreamsOptions {
  Index streams = 16;
};

/// Texts, joined in their order and cut into streams of equal length that are read side by side, so
/// that the state after one batch is the state before the next. Symbols are looked up as they are
/// read: a text in a TextFile that is mapped takes no memory but some pages for each stream and an
/// index of 24 bytes for each 64 KiB. The texts must outlive the streams.
///
///     nn::TokenStreams streams({file.bytes()}, vocabulary, {.streams = 20});
///     while (!streams.at_end()) {
///       const auto [inputs, targets] = streams.next(35);
///     }
class TokenStreams {
 public:
  struct Batch {
    Tensor inputs;   ///< [T,B] int64
    Tensor targets;  ///< [T,B], the symbol after each input
  };

  /// Symbols that the vocabulary lacks become `<unk>`; next() throws FormatError where there is
  /// none. Throws FormatError, naming the offset, for a text that is not UTF-8 unless the level is
  /// byte, and ArgumentError unless there are at least streams + 1 symbols.
  TokenStreams(std::vector<std::string_view> texts, Vocabulary vocabulary,
               const TokenStreamsOptions& options = {});

  /// Symbols in all texts. Up to streams - 1 at the end are in no stream.
  Index tokens() const { return tokens_; }
  Index streams() const { return streams_; }
  /// Symbols to predict in each stream.
  Index length() const { return (tokens_ - 1) / streams_; }

  bool at_end() const { return position_ == length(); }
  /// The next `steps` symbols of every stream, fewer where the streams end. Throws ArgumentError
  /// for steps below 1, and at the end.
  Batch next(Index steps);
  /// To the beginning.
  void restart() { set_position(0); }

  /// Symbols of each stream read so far.
  Index position() const { return position_; }
  /// Throws ArgumentError for a position outside 0..length().
  void set_position(Index position);
  /// The position, and the number of symbols of the text it belongs to, for checkpoints.
  NamedTensors state() const;
  /// Throws FormatError for that of another text or number of streams.
  void set_state(const NamedTensors& state);

 private:
  /// Where a symbol begins.
  struct Place {
    std::size_t text = 0;
    std::size_t offset = 0;
  };
  /// Where each 64 KiB begin.
  struct Piece {
    Place begin;
    Index before = 0;  // symbols
  };
  struct Cursor {
    Place place;     // behind the next input of a stream
    Place released;  // up to where its pages are out of memory
  };
  void index();
  /// The symbol at a place, which moves behind it. False at the end of all texts.
  bool take(Place& place, Token& token) const;
  Place place_of(Index token) const;
  std::int64_t read(Place& place) const;
  void release(Cursor& cursor) const;

  std::vector<std::string_view> texts_;
  Vocabulary vocabulary_;
  Index streams_;
  Index tokens_ = 0;
  std::vector<Piece> pieces_;
  Index position_ = 0;
  std::vector<Cursor> cursors_;       // of each stream
  std::vector<std::int64_t> inputs_;  // of each stream: its next input
};

/// The parts of a text before and after a boundary between symbols near this fraction of its bytes.
std::pair<std::string_view, std::string_view> split_text(Level level, std::string_view text,
                                                         double fraction);

}  // namespace unroll::nn
