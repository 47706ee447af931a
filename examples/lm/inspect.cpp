#include "inspect.hpp"

#include "predictor.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string_view>

namespace lm {
namespace {

constexpr std::size_t kGuesses = 3;

std::vector<Guess> most_probable(const std::vector<double>& log_probabilities) {
  std::vector<std::int32_t> order(log_probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  const auto p = [&](std::int32_t symbol) {
    return log_probabilities[static_cast<std::size_t>(symbol)];
  };
  const std::size_t count = std::min(kGuesses, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::int32_t a, std::int32_t b) { return p(a) > p(b); });
  std::vector<Guess> guesses;
  for (std::size_t k = 0; k < count; ++k) guesses.push_back({order[k], std::exp(p(order[k]))});
  return guesses;
}

/// The values of a layer after the last symbol.
class Source {
 public:
  Source(const Model& model, const UnitsOptions& options)
      : layers_(model.options().layers),
        layer_(options.layer == 0 ? layers_ : options.layer),
        state_(options.state == 0 && layer_ < layers_ ? 1 : options.state) {
    if (layer_ < 1 || layer_ > layers_)
      throw unroll::ArgumentError(
          fmt::format("--layer: expected a layer from 1 to {}, got {}", layers_, options.layer));
  }

  std::string name() const {
    return fmt::format("layer {} of {}, {}", layer_, layers_,
                       state_ == 0 ? "output" : fmt::format("state tensor {}", state_));
  }

  std::vector<float> values(const Predictor& predictor) const {
    if (state_ == 0) return {predictor.hidden().begin(), predictor.hidden().end()};
    const unroll::nn::State& state = predictor.states().at(static_cast<std::size_t>(layer_ - 1));
    const auto count = static_cast<Index>(state.size());
    if (state_ < 1 || state_ > count)
      throw unroll::ArgumentError(fmt::format(
          "--state: layer {} has the state tensors 1 to {}, got {}", layer_, count, state_));
    return state[static_cast<std::size_t>(state_ - 1)].value().to_vector<float>();
  }

 private:
  Index layers_, layer_, state_;
};

/// Reads what is written, byte by byte; quotes and brackets hold from one symbol to the next.
class Reader {
 public:
  void read(std::string_view symbol) {
    for (std::size_t at = 0; at < symbol.size(); ++at) {
      const char c = symbol[at];
      const std::string_view rest = symbol.substr(at);
      if (c == '\n' && last_ == '\n') quoted_ = false;  // quotes end with their paragraph
      if (c == '"') quoted_ = !quoted_;
      if (rest.starts_with("\u201C")) quoted_ = true;
      if (rest.starts_with("\u201D")) quoted_ = false;
      if (std::string_view("([{").find(c) != std::string_view::npos) ++depth_;
      if (std::string_view(")]}").find(c) != std::string_view::npos)
        depth_ = std::max(0, depth_ - 1);
      last_ = c;
    }
    column_ = symbol.ends_with('\n') ? 0 : column_ + 1;
  }
  bool quoted() const { return quoted_; }
  bool bracketed() const { return depth_ > 0; }
  double column() const { return column_; }

 private:
  bool quoted_ = false;
  int depth_ = 0;
  double column_ = 0;
  char last_ = '\0';
};

bool has_any(std::string_view symbol, char first, char last) {
  return std::any_of(symbol.begin(), symbol.end(), [&](char c) { return c >= first && c <= last; });
}

}  // namespace

Activity record_activity(const Model& model, std::span<const std::int32_t> symbols,
                         const UnitsOptions& options) {
  const Source source(model, options);
  Predictor predictor(model);
  Activity activity;
  activity.source = source.name();
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    const std::vector<double> before = predictor.log_probabilities();
    activity.bits.push_back(
        k == 0 ? std::nan("") : -before[static_cast<std::size_t>(symbols[k])] / std::numbers::ln2);
    activity.guesses.push_back(k == 0 ? std::vector<Guess>() : most_probable(before));
    predictor.read(symbols[k]);
    const std::vector<float> values = source.values(predictor);
    if (k == 0) {
      activity.units = std::ssize(values);
      activity.values.resize(values.size() * symbols.size());
    }
    for (std::size_t unit = 0; unit < values.size(); ++unit)
      activity.values[unit * symbols.size() + k] = values[unit];
  }
  return activity;
}

std::vector<TextFeature> text_features(const std::vector<std::string>& symbols) {
  std::vector<TextFeature> features{
      {"space", {}},          {"line break", {}},           {"upper case", {}},
      {"digit", {}},          {"position in the line", {}}, {"inside quotes", {}},
      {"inside brackets", {}}};
  Reader reader;
  for (const std::string& symbol : symbols) {
    reader.read(symbol);
    const std::vector<double> values{
        symbol.find_first_not_of(" \t\r\n") == std::string::npos ? 1.0 : 0.0,
        symbol.ends_with('\n') ? 1.0 : 0.0,
        has_any(symbol, 'A', 'Z') ? 1.0 : 0.0,
        has_any(symbol, '0', '9') ? 1.0 : 0.0,
        reader.column(),
        reader.quoted() ? 1.0 : 0.0,
        reader.bracketed() ? 1.0 : 0.0};
    for (std::size_t k = 0; k < features.size(); ++k) features[k].values.push_back(values[k]);
  }
  return features;
}

double correlation(std::span<const float> a, std::span<const double> b) {
  double count = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double x = a[k], y = b[k];
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    ++count;
    const double dx = x - mean_a, dy = y - mean_b;
    mean_a += dx / count;
    mean_b += dy / count;
    aa += dx * (x - mean_a);
    bb += dy * (y - mean_b);
    ab += dx * (y - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : std::nan("");
}

Quantized quantize(std::span<const float> values) {
  constexpr double kMost = 127;
  double largest = 0;
  for (const float value : values)
    if (std::isfinite(value)) largest = std::max<double>(largest, std::abs(value));
  Quantized result{largest / kMost, {}};
  for (const float value : values)
    result.steps.push_back(largest == 0 || !std::isfinite(value)
                               ? std::int8_t{0}
                               : static_cast<std::int8_t>(std::lround(value / largest * kMost)));
  return result;
}

}  // namespace lm
