#include "tasks.hpp"

#include <algorithm>
#include <functional>

namespace long_memory {
namespace {

using unroll::Shape;

Index between(Index low, Index high, Generator& generator) {  // both can be drawn
  return low + static_cast<Index>(generator.below(static_cast<std::uint64_t>(high - low + 1)));
}

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// One-hot rows of symbols by number, `[T,B]` in row-major order: [T,B,symbols]; nothing for -1.
Tensor one_hot(const std::vector<Index>& symbols, Index steps, Index count, Index width) {
  std::vector<float> x(symbols.size() * at(width), 0.0F);
  for (std::size_t k = 0; k < symbols.size(); ++k)
    if (symbols[k] >= 0) x[k * at(width) + at(symbols[k])] = 1.0F;
  return Tensor::of({steps, count, width}, x);
}

/// Strings of symbols to read, each but its last, and to predict, each but its first.
/// `allowed(b, t)`: what may follow after position t of string b.
Batch prediction(const std::vector<std::string>& texts, const std::string& symbols,
                 const std::function<std::string(std::size_t, std::size_t)>& allowed) {
  const auto count = static_cast<Index>(texts.size()), width = static_cast<Index>(symbols.size());
  Batch batch;
  for (const std::string& text : texts)
    batch.lengths.push_back(static_cast<Index>(text.size()) - 1);
  const Index steps = *std::max_element(batch.lengths.begin(), batch.lengths.end());
  std::vector<Index> x(at(steps * count), -1), next(at(steps * count), Batch::kNothing);
  std::vector<float> may(at(steps * count * width), 0.0F);
  for (std::size_t b = 0; b < texts.size(); ++b)
    for (std::size_t t = 0; t + 1 < texts[b].size(); ++t) {
      const std::size_t k = t * texts.size() + b;
      x[k] = static_cast<Index>(symbols.find(texts[b][t]));
      next[k] = static_cast<Index>(symbols.find(texts[b][t + 1]));
      for (const char symbol : allowed(b, t)) may[k * at(width) + symbols.find(symbol)] = 1.0F;
    }
  batch.x = one_hot(x, steps, count, width);
  batch.classes = Tensor::of({steps, count}, next);
  batch.allowed = Tensor::of({steps, count, width}, may);
  return batch;
}

/// Reber's grammar as an automaton: where each symbol leads. The end is state 7.
int reber_next(int state, char symbol) {
  static const std::vector<std::vector<std::pair<char, int>>> arcs{
      {{'B', 1}},           {{'T', 2}, {'P', 3}}, {{'S', 2}, {'X', 4}}, {{'T', 3}, {'V', 5}},
      {{'X', 3}, {'S', 6}}, {{'P', 4}, {'V', 6}}, {{'E', 7}},           {}};
  for (const auto& [label, next] : arcs[at(state)])
    if (label == symbol) return next;
  return -1;
}

}  // namespace

Batch adding(Index steps, Index count, Generator& generator) {
  std::vector<float> x(at(steps * count * 2)), sums(at(count), 0.0F);
  for (std::size_t k = 0; k < x.size(); k += 2) x[k] = static_cast<float>(generator.uniform());
  for (Index b = 0; b < count; ++b)
    for (const Index t :
         {between(0, steps / 2 - 1, generator), between(steps / 2, steps - 1, generator)}) {
      x[at((t * count + b) * 2 + 1)] = 1.0F;
      sums[at(b)] += x[at((t * count + b) * 2)];
    }
  return {Tensor::of({steps, count, 2}, x),
          std::vector<Index>(at(count), steps),
          Tensor::of({count, 1}, sums),
          {},
          {}};
}

Batch copy_memory(Index gap, Index count, Generator& generator) {
  constexpr Index kLength = 10, kBlank = 8, kSignal = 9, kSymbols = 10;
  const Index steps = gap + 2 * kLength;
  std::vector<Index> x(at(steps * count), kBlank), wanted(at(steps * count), kBlank);
  for (Index b = 0; b < count; ++b) {
    for (Index t = 0; t < kLength; ++t)
      x[at(t * count + b)] = wanted[at((gap + kLength + t) * count + b)] =
          between(0, kBlank - 1, generator);
    x[at((gap + kLength - 1) * count + b)] = kSignal;
  }
  return {one_hot(x, steps, count, kSymbols),
          std::vector<Index>(at(count), steps),
          {},
          Tensor::of({steps, count}, wanted),
          {}};
}

Batch temporal_order(Index count, Generator& generator) {
  constexpr Index kLongest = 110, kX = 4, kStart = 6, kEnd = 7, kSymbols = 8;
  std::vector<Index> x(at(kLongest * count), -1), order(at(kLongest * count), Batch::kNothing);
  Batch batch;
  for (Index b = 0; b < count; ++b) {
    const Index length = between(100, kLongest, generator);
    const auto symbol = [&](Index t) -> Index& { return x[at(t * count + b)]; };
    for (Index t = 0; t < length; ++t) symbol(t) = between(0, kX - 1, generator);
    symbol(0) = kStart;
    symbol(length - 1) = kEnd;
    const Index first = between(0, 1, generator), second = between(0, 1, generator);
    symbol(between(10, 20, generator)) = kX + first;
    symbol(between(50, 60, generator)) = kX + second;
    order[at((length - 1) * count + b)] = 2 * first + second;
    batch.lengths.push_back(length);
  }
  batch.x = one_hot(x, kLongest, count, kSymbols);
  batch.classes = Tensor::of({kLongest, count}, order);
  return batch;
}

std::string after_embedded_reber(const std::string& beginning) {
  if (beginning.empty()) return "B";
  if (beginning.size() == 1) return beginning == "B" ? "TP" : "";
  if (beginning[0] != 'B' || (beginning[1] != 'T' && beginning[1] != 'P')) return "";
  int state = 0;
  std::size_t t = 2;
  for (; t < beginning.size() && state != 7; ++t)
    if ((state = reber_next(state, beginning[t])) < 0) return "";
  std::string allowed;
  if (state != 7) {
    for (const char symbol : kReber)
      if (reber_next(state, symbol) >= 0) allowed += symbol;
  } else if (t == beginning.size()) {
    allowed = beginning[1];
  } else if (t + 1 == beginning.size() && beginning[t] == beginning[1]) {
    allowed = "E";
  }
  return allowed;
}

bool is_embedded_reber(const std::string& text) {
  return text.size() >= 2 && text.back() == 'E' &&
         after_embedded_reber(text.substr(0, text.size() - 1)) == "E" &&
         after_embedded_reber(text).empty();
}

std::string embedded_reber_string(Generator& generator) {
  std::string text;
  for (std::string next = "B"; !next.empty(); next = after_embedded_reber(text))
    text += next[generator.below(next.size())];
  return text;
}

Batch embedded_reber(Index count, Generator& generator) {
  std::vector<std::string> texts(at(count));
  for (std::string& text : texts) text = embedded_reber_string(generator);
  return prediction(texts, kReber, [&](std::size_t b, std::size_t t) {
    return after_embedded_reber(texts[b].substr(0, t + 1));
  });
}

Batch ReberStreams::next(Index steps, Generator& generator) {
  std::vector<std::string> texts(rest_.size());
  std::vector<std::vector<std::string>> allowed(rest_.size());
  for (std::size_t b = 0; b < rest_.size(); ++b) {
    const auto upcoming = [&] {
      if (rest_[b].empty()) rest_[b] = embedded_reber_string(generator);
      return rest_[b][0];
    };
    for (Index t = 0; t < steps; ++t) {
      texts[b] += upcoming();
      so_far_[b] += texts[b].back();
      rest_[b].erase(0, 1);
      if (rest_[b].empty()) so_far_[b].clear();
      allowed[b].push_back(after_embedded_reber(so_far_[b]));
    }
    texts[b] += upcoming();  // to be predicted, and read by the next batch
  }
  return prediction(texts, kReber, [&](std::size_t b, std::size_t t) { return allowed[b][t]; });
}

Batch counting(const std::string& letters, const std::vector<Index>& counts) {
  std::vector<std::string> texts;
  for (const Index n : counts) {
    texts.emplace_back("S");
    for (const char letter : letters) texts.back() += std::string(at(n), letter);
    texts.back() += 'T';
  }
  Batch batch = prediction(texts, letters + "ST", [&](std::size_t b, std::size_t t) {
    const std::string& text = texts[b];
    // How many of the first letter there will be only the second letter tells.
    if (text[t] == letters[0]) return letters.substr(0, 2);
    return text.substr(t + 1, 1);
  });
  batch.classes = {};
  return batch;
}

}  // namespace long_memory
