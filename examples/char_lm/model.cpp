#include "model.hpp"

#include "utf8.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace char_lm {
namespace {

namespace nn = unroll::nn;
using unroll::FormatError;
using unroll::Tensor;

constexpr const char* kFormat = "unroll char_lm 1";

template <class Cell>
nn::Stacked layers_of(const NetworkOptions& options) {
  nn::Stacked rnn({.dropout = options.dropout});
  for (Index layer = 0; layer < options.layers; ++layer)
    rnn.push_back(Cell(layer == 0 ? options.embedding : options.hidden, options.hidden));
  return rnn;
}

nn::Stacked make_rnn(const NetworkOptions& options) {
  if (options.cell == "lstm") return layers_of<nn::LSTM>(options);
  if (options.cell == "gru") return layers_of<nn::GRU>(options);
  if (options.cell == "elman") return layers_of<nn::Elman>(options);
  throw unroll::ArgumentError(
      fmt::format("--cell: expected lstm, gru or elman, got \"{}\"", options.cell));
}

/// Products with the state in one step of a cell, concatenated in its weights.
Index gates_of(const std::string& cell) { return cell == "lstm" ? 4 : cell == "gru" ? 3 : 1; }

}  // namespace

/// Reads a model file; every complaint names it.
class Model::Loader {
 public:
  explicit Loader(const std::string& path) : path_(path), file_(nn::load_safetensors(path)) {}

  Model load() const {
    if (const auto format = file_.metadata.find("format");
        format == file_.metadata.end() || format->second != kFormat)
      fail(fmt::format(
          "not a model of char_lm: expected metadata format \"{}\", got {}", kFormat,
          format == file_.metadata.end() ? "none" : '"' + format->second.substr(0, 80) + '"'));
    const NetworkOptions options{.cell = text("cell"),
                                 .layers = number<Index>("layers", 1, kMaxLayers),
                                 .hidden = number<Index>("hidden", 1, kMaxSize),
                                 .embedding = number<Index>("embedding", 1, kMaxSize),
                                 .dropout = file_.metadata.contains("dropout")
                                                ? number("dropout", 0.0, std::nextafter(1.0, 0.0))
                                                : 0.0};
    if (options.cell != "lstm" && options.cell != "gru" && options.cell != "elman")
      fail(
          fmt::format("cell: expected lstm, gru or elman, got \"{}\"", options.cell.substr(0, 80)));
    const std::u32string symbols =
        decode_utf8(text("vocabulary"), fmt::format("\"{}\": vocabulary", path_));
    const Vocabulary vocabulary(symbols);
    if (symbols.empty() || vocabulary.symbols() != symbols)
      fail("vocabulary: expected distinct characters in the order of their code points");

    check_sizes(options, vocabulary.size());
    Model model(vocabulary, options);
    model.steps_ = number<Index>("step", 0, std::numeric_limits<Index>::max());
    set_weights(model);
    return model;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError(fmt::format("model \"{}\": {}", path_, what));
  }

  const std::string& text(const char* key) const {
    const auto found = file_.metadata.find(key);
    if (found == file_.metadata.end()) fail(fmt::format("the metadata lack \"{}\"", key));
    return found->second;
  }

  template <class T>
  T number(const char* key, T least, T most) const {
    const std::string& digits = text(key);
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() ||
        !(value >= least && value <= most))
      fail(fmt::format("{}: expected a {} from {} to {}, got \"{}\"", key,
                       std::is_integral_v<T> ? "whole number" : "number", least, most,
                       digits.substr(0, 80)));
    return value;
  }

  /// The file must hold the weights that its metadata announce, before memory is taken for them.
  void check_sizes(const NetworkOptions& options, Index vocabulary) const {
    check("embedding.weight", {vocabulary, options.embedding});
    check("readout.weight", {vocabulary, options.hidden});
    for (Index layer = 0; layer < options.layers; ++layer)
      check(fmt::format("rnn.weight_hh_l{}", layer),
            {gates_of(options.cell) * options.hidden, options.hidden});
  }

  const Tensor& check(const std::string& name, const unroll::Shape& shape) const {
    const Tensor* tensor = file_.find(name);
    if (!tensor) fail(fmt::format("there is no tensor {}", name));
    if (tensor->shape() != shape || tensor->dtype() != unroll::Dtype::float32)
      fail(fmt::format("{}: expected float32 {}, got {}", name, to_string(shape),
                       describe(*tensor)));
    return *tensor;
  }

  void set_weights(Model& model) const {
    const auto named = model.named_parameters();
    for (auto [name, parameter] : named) {
      const Tensor& value = check(name, parameter.shape());
      for (Index i = 0; i < value.size(); ++i)
        if (!std::isfinite(value.data<float>()[i]))
          fail(fmt::format("{}: a value is not finite", name));
      parameter.set(value);
    }
    if (named.size() != file_.tensors.size())
      fail(fmt::format("expected {} tensors, got {}", named.size(), file_.tensors.size()));
  }

  std::string path_;
  nn::TensorFile file_;
};

Model::Model(Vocabulary vocabulary, const NetworkOptions& options)
    : vocabulary_(std::move(vocabulary)),
      options_(options),
      embedding_(add("embedding", nn::Embedding(vocabulary_.size(), options.embedding))),
      rnn_(add("rnn", make_rnn(options))),
      dropout_(add("dropout", nn::Dropout(options.dropout))),
      readout_(add("readout", nn::Linear(options.hidden, vocabulary_.size()))) {}

Model::Result Model::operator()(const Tensor& inputs, const nn::States& states) const {
  auto [outputs, after] = rnn_(embedding_(inputs), states);
  return {readout_(dropout_(outputs)), std::move(after)};
}

nn::TensorFile Model::file(std::map<std::string, std::string> notes) const {
  nn::TensorFile file{{}, std::move(notes)};
  for (const auto& [name, parameter] : named_parameters())
    file.tensors.emplace_back(name, parameter.value());
  file.metadata["format"] = kFormat;
  file.metadata["cell"] = options_.cell;
  file.metadata["layers"] = std::to_string(options_.layers);
  file.metadata["hidden"] = std::to_string(options_.hidden);
  file.metadata["embedding"] = std::to_string(options_.embedding);
  file.metadata["dropout"] = fmt::format("{}", options_.dropout);
  file.metadata["vocabulary"] = encode_utf8(vocabulary_.symbols());
  return file;
}

Model Model::load(const std::string& path) {
  Model model = Loader(path).load();
  model.eval();
  return model;
}

}  // namespace char_lm
