#include <autograd/tensor/error.hpp>
#include <nn/data/mapped_file.hpp>
#include <nn/data/text_pieces.hpp>
#include <nn/data/token_streams.hpp>
#include <nn/data/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace unroll::nn {

TokenStreams::TokenStreams(std::vector<std::string_view> texts, Vocabulary vocabulary,
                           const TokenStreamsOptions& options)
    : texts_(std::move(texts)), vocabulary_(std::move(vocabulary)), streams_(options.streams) {
  if (streams_ < 1)
    throw ArgumentError("token streams: expected at least 1 stream, got " +
                        std::to_string(streams_));
  index();
  if (tokens_ <= streams_)
    throw ArgumentError("token streams: " + std::to_string(streams_) + " streams need at least " +
                        std::to_string(streams_ + 1) + " symbols, the text has " +
                        std::to_string(tokens_));
  restart();
}

/// Counts the symbols, and those before each piece of the texts.
void TokenStreams::index() {
  const Level level = vocabulary_.level();
  for (std::size_t k = 0; k < texts_.size(); ++k) {
    const std::string_view text = texts_[k];
    if (level == Level::character) check_utf8(text, "text " + std::to_string(k + 1));
    const std::size_t first = pieces_.size();
    pieces_.resize(first + count_pieces(text));
    for_each_piece(
        level, text, parts_of(text), [&](int /*part*/, std::size_t piece, std::string_view bytes) {
          const auto offset = static_cast<std::size_t>(bytes.data() - text.data());
          pieces_[first + piece] = {{k, offset}, static_cast<Index>(count_tokens(level, bytes))};
        });
    for (std::size_t piece = first; piece < pieces_.size(); ++piece)
      tokens_ += std::exchange(pieces_[piece].before, tokens_);
  }
}

bool TokenStreams::take(Place& place, Token& token) const {
  for (; place.text < texts_.size(); place = {place.text + 1, 0}) {
    token = next_token(vocabulary_.level(), texts_[place.text].substr(place.offset));
    place.offset += token.bytes;
    if (token.bytes > 0) return true;
  }
  return false;
}

TokenStreams::Place TokenStreams::place_of(Index token) const {
  const auto next =
      std::upper_bound(pieces_.begin(), pieces_.end(), token,
                       [](Index number, const Piece& p) { return number < p.before; });
  const Piece& piece = *std::prev(next);
  Place place = piece.begin;
  Token passed;
  for (Index k = piece.before; k < token; ++k) take(place, passed);
  return place;
}

std::int64_t TokenStreams::read(Place& place) const {
  Token token;
  take(place, token);
  return vocabulary_.number(token.text);
}

void TokenStreams::set_position(Index position) {
  if (position < 0 || position > length())
    throw ArgumentError("token streams: expected a position from 0 to " + std::to_string(length()) +
                        ", got " + std::to_string(position));
  position_ = position;
  cursors_.clear();
  inputs_.clear();
  for (Index stream = 0; stream < streams_; ++stream) {
    Place place = place_of(stream * length() + position);
    inputs_.push_back(read(place));
    cursors_.push_back({place, place});
  }
}

/// Takes out of memory what a stream has left behind of a mapped file, a good many pages at a time.
void TokenStreams::release(Cursor& cursor) const {
  auto& [to, from] = cursor;
  for (; from.text < to.text; from = {from.text + 1, 0})
    release_pages(texts_[from.text].substr(from.offset));
  if (to.offset - from.offset < kPieceBytes) return;
  release_pages(texts_[from.text].substr(from.offset, to.offset - from.offset));
  from = to;
}

TokenStreams::Batch TokenStreams::next(Index steps) {
  if (steps < 1 || at_end())
    throw ArgumentError("token streams: asked for " + std::to_string(steps) +
                        " steps at position " + std::to_string(position_) + " of " +
                        std::to_string(length()) + "; restart() goes back to the beginning");
  steps = std::min(steps, length() - position_);
  Batch batch{Tensor::empty({steps, streams_}, Dtype::int64),
              Tensor::empty({steps, streams_}, Dtype::int64)};
  auto* const inputs = batch.inputs.mutable_data<std::int64_t>();
  auto* const targets = batch.targets.mutable_data<std::int64_t>();
  for (Index stream = 0; stream < streams_; ++stream) {
    const auto s = static_cast<std::size_t>(stream);
    for (Index t = 0; t < steps; ++t) {
      inputs[t * streams_ + stream] = inputs_[s];
      inputs_[s] = read(cursors_[s].place);
      targets[t * streams_ + stream] = inputs_[s];
    }
    release(cursors_[s]);
  }
  position_ += steps;
  return batch;
}

NamedTensors TokenStreams::state() const {
  using saved_state::scalar;
  return {
      {"position", scalar(position_)}, {"streams", scalar(streams_)}, {"tokens", scalar(tokens_)}};
}

void TokenStreams::set_state(const NamedTensors& state) {
  saved_state::Reader saved("token streams", "text and number of streams", state);
  const Index position = saved.count("position");
  const Index streams = saved.count("streams");
  const Index tokens = saved.count("tokens");
  if (streams != streams_ || tokens != tokens_)
    saved.report("it is that of " + std::to_string(streams) + " streams over " +
                 std::to_string(tokens) + " symbols, here are " + std::to_string(streams_) +
                 " over " + std::to_string(tokens_) + "; give the text of that run");
  else if (position > length())
    saved.report("position: " + std::to_string(position) + " is not in a stream of " +
                 std::to_string(length()));
  saved.finish();
  set_position(position);
}

std::pair<std::string_view, std::string_view> split_text(Level level, std::string_view text,
                                                         double fraction) {
  if (!(fraction >= 0.0 && fraction <= 1.0))
    throw ArgumentError("split_text: expected a fraction from 0 to 1, got " +
                        std::to_string(fraction));
  auto at = static_cast<std::size_t>(std::floor(static_cast<double>(text.size()) * fraction));
  if (level == Level::word)  // sentences stay whole
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  else
    at = token_boundary(level, text, at);
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace unroll::nn
