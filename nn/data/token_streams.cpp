#include <autograd/tensor/error.hpp>
#include <nn/data/token_streams.hpp>
#include <nn/data/utf8.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::nn {
namespace {

constexpr Index kEvery = 4096;

}  // namespace

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

/// Counts the symbols and notes where every 4096th begins.
void TokenStreams::index() {
  const Level level = vocabulary_.level();
  for (std::size_t k = 0; k < texts_.size(); ++k) {
    const std::string_view text = texts_[k];
    if (level == Level::character) check_utf8(text, "text " + std::to_string(k + 1));
    for (std::size_t at = 0; at < text.size();) {
      const Token token = next_token(level, text.substr(at));
      if (token.bytes == 0) break;
      if (tokens_ % kEvery == 0) every_.push_back({k, at});
      ++tokens_;
      at += token.bytes;
    }
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
  Place place = every_[static_cast<std::size_t>(token / kEvery)];
  Token passed;
  for (Index k = 0; k < token % kEvery; ++k) take(place, passed);
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
  places_.clear();
  inputs_.clear();
  for (Index stream = 0; stream < streams_; ++stream) {
    places_.push_back(place_of(stream * length() + position));
    inputs_.push_back(read(places_.back()));
  }
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
      inputs_[s] = read(places_[s]);
      targets[t * streams_ + stream] = inputs_[s];
    }
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
