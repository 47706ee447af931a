#include "model.hpp"

#include "available_memory.hpp"
#include "cells.hpp"

#include <fmt/format.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <utility>
#include <variant>

namespace lm {
namespace {

namespace nn = unroll::nn;
using unroll::ArgumentError;
using unroll::FormatError;
using unroll::Tensor;
using unroll::Variable;

constexpr const char* kFormat = "unroll lm 1";

/// With a tied readout the last layer returns what the embedding has.
Index outputs_of(const NetworkOptions& options) {
  return options.tied ? options.embedding : options.hidden;
}

/// A state is kept for each sequence and, in training, each step: it is bounded although no weight
/// is as large.
void check_state(const NetworkOptions& options, const nn::AnyCell& cell) {
  Index values = 0;
  for (const unroll::Shape& shape : cell->state_shapes()) values += size_of(shape);
  if (values > kMaxState)
    throw ArgumentError(
        fmt::format("--cell: a layer of {} has a state of {} values for each sequence, expected at "
                    "most {}; take smaller options or --hidden",
                    options.cell, values, kMaxState));
}

nn::AnyCell make_layer(const NetworkOptions& options, Index layer, Index inputs, Index most_size) {
  const bool last = layer + 1 == options.layers;
  nn::AnyCell cell =
      make_cell(options.cell, inputs, last ? outputs_of(options) : options.hidden, most_size);
  check_state(options, cell);
  if (options.weight_drop > 0) cell = nn::WeightDrop(cell, "weight_hh", options.weight_drop);
  if (options.zoneout > 0) {
    std::vector<double> rates(cell->state_shapes().size());
    rates.front() = options.zoneout;
    cell = nn::Zoneout(cell, rates);
  }
  if (options.locked_dropout > 0)
    cell = nn::VariationalDropout(
        cell, {.input = options.locked_dropout, .output = last ? options.locked_dropout : 0.0});
  return cell;
}

nn::Stacked make_rnn(const NetworkOptions& options, Index most_size) {
  nn::Stacked rnn({.dropout = options.dropout});
  Index inputs = options.embedding;
  for (Index layer = 0; layer < options.layers; ++layer) {
    nn::AnyCell cell = make_layer(options, layer, inputs, most_size);
    inputs = cell->outputs();  // more than hidden where a memory is read
    rnn.push_back(nn::Recurrent(std::move(cell)));
  }
  return rnn;
}

/// The most frequent tenth, and 4 of 10 symbols.
std::vector<Index> cutoffs_of(Index vocabulary) { return {vocabulary / 10, 4 * vocabulary / 10}; }

const NetworkOptions& checked(const NetworkOptions& options, const nn::Vocabulary& vocabulary) {
  if (!options.adaptive_softmax) return options;
  if (options.tied)
    throw ArgumentError("--adaptive-softmax and --tied exclude each other; choose one");
  if (vocabulary.level() != nn::Level::word || vocabulary.size() < 100)
    throw ArgumentError(fmt::format(
        "--adaptive-softmax needs a vocabulary by frequency: --level word and at least 100 words; "
        "there are {}",
        vocabulary.size()));
  return options;
}

/// Reads a model file; every complaint names it.
class Loader {
 public:
  explicit Loader(const std::string& path) : path_(path), file_(nn::load_safetensors(path)) {}

  Model load() const {
    const auto format = file_.metadata.find("format");
    if (format == file_.metadata.end() || format->second != kFormat)
      fail(fmt::format(
          "not a model of lm: expected metadata format \"{}\", got {}", kFormat,
          format == file_.metadata.end() ? "none" : '"' + format->second.substr(0, 80) + '"'));
    const std::string where = fmt::format("model \"{}\": ", path_);
    const NetworkOptions options = network_from_json(text("network"), where + "network");
    nn::Vocabulary vocabulary = nn::Vocabulary::parse(text("vocabulary"), where + "vocabulary");
    const Model::Limits limits = limits_for(options, vocabulary);
    try {
      Model model(std::move(vocabulary), options, limits);
      set_weights(model);
      return model;
    } catch (const ArgumentError& error) {
      fail(error.what());
    } catch (const unroll::ShapeError& error) {
      fail(error.what());
    }
  }

  const std::map<std::string, std::string>& metadata() const { return file_.metadata; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError(fmt::format("model \"{}\": {}", path_, what));
  }

  const std::string& text(const char* key) const {
    const auto found = file_.metadata.find(key);
    if (found == file_.metadata.end()) fail(fmt::format("the metadata lack \"{}\"", key));
    return found->second;
  }

  /// A small file must not ask for much memory. The weights of a cell are at most a few times
  /// hidden (inputs + hidden); those of an elementwise one are fewer than hidden squared. Every
  /// size is a dimension of some tensor, or less.
  Model::Limits limits_for(const NetworkOptions& options, const nn::Vocabulary& vocabulary) const {
    constexpr double kSlack = 1024;
    double held = 0;
    Index largest = 0;
    for (const auto& [name, tensor] : file_.tensors) {
      held += static_cast<double>(tensor.size());
      for (const Index size : tensor.shape()) largest = std::max(largest, size);
    }
    const auto n = [](Index size) { return static_cast<double>(size); };
    const double asked = n(vocabulary.size()) * n(options.embedding) +
                         n(options.layers) * n(options.hidden) * n(options.hidden) / kSlack;
    if (asked > held)
      fail(
          fmt::format("the file holds {} weights, too few for {} layers of {} and an embedding of "
                      "{} x {}",
                      held, options.layers, options.hidden, vocabulary.size(), options.embedding));
    const bool uses_hidden = options.layers > 1 || !options.tied;
    const Index size = std::max(options.embedding, uses_hidden ? options.hidden : 0);
    if (size > largest)
      fail(
          fmt::format("no tensor is as large as hidden ({}) and embedding ({}); the largest "
                      "dimension is {}",
                      options.hidden, options.embedding, largest));
    constexpr std::size_t kInAnyCase = std::size_t{32} << 20U, kCopies = 16;
    return {.bytes = kInAnyCase + kCopies * sizeof(float) * static_cast<std::size_t>(held) +
                     making_bytes(options.cell, options.hidden),
            .size = largest};
  }

  const Tensor& check(const std::string& name, const unroll::Shape& shape) const {
    const Tensor* tensor = file_.find(name);
    if (!tensor) fail(fmt::format("there is no tensor {}", name));
    if (tensor->shape() != shape || tensor->dtype() != unroll::Dtype::float32)
      fail(fmt::format("{}: expected float32 {}, got {}", name, to_string(shape),
                       describe(*tensor)));
    for (Index i = 0; i < tensor->size(); ++i)
      if (!std::isfinite(tensor->data<float>()[i]))
        fail(fmt::format("{}: a value is not finite", name));
    return *tensor;
  }

  void set_weights(Model& model) const {
    const auto parameters = model.named_parameters();
    const auto buffers = model.named_buffers();
    for (auto [name, parameter] : parameters) parameter.set(check(name, parameter.shape()));
    for (auto [name, buffer] : buffers) buffer.set(check(name, buffer.shape()));
    const std::size_t expected = parameters.size() + buffers.size();
    if (expected != file_.tensors.size())
      fail(fmt::format("expected {} tensors, got {}", expected, file_.tensors.size()));
  }

  std::string path_;
  nn::TensorFile file_;
};

}  // namespace

Model::Model(nn::Vocabulary vocabulary, const NetworkOptions& options)
    : Model(std::move(vocabulary), options,
            {.bytes = available_memory() / 4, .size = kMaxCellOption}) {}

Model::Model(nn::Vocabulary vocabulary, const NetworkOptions& options, const Limits& limits) try
    : Model(std::move(vocabulary), options, limits.size, unroll::memory::Limit(limits.bytes)) {
} catch (const std::bad_alloc&) {
  throw ArgumentError(fmt::format(
      "the network takes more than {} MB, with {} layers of {}, --hidden {} and "
      "--embedding {}; choose smaller ones",
      limits.bytes >> 20U, options.layers, options.cell, options.hidden, options.embedding));
}

Model::Model(nn::Vocabulary vocabulary, const NetworkOptions& options, Index most_size,
             const unroll::memory::Limit& /*while_made*/)
    : vocabulary_(std::move(vocabulary)),
      options_(checked(options, vocabulary_)),
      embedding_(add("embedding", nn::Embedding(vocabulary_.size(), options.embedding))),
      rnn_(add("rnn", make_rnn(options, most_size))),
      dropout_(add("dropout", nn::Dropout(options.dropout))) {
  const Index outputs = std::get<nn::Recurrent>(rnn_.layers().back()).cell().outputs();
  const Index symbols = vocabulary_.size();
  if (options.adaptive_softmax)
    softmax_ = add("readout", nn::AdaptiveSoftmax(outputs, symbols, cutoffs_of(symbols)));
  else if (options.tied)
    tied_readout_ = add("readout", nn::TiedReadout(embedding_));
  else
    readout_ = add("readout", nn::Linear(outputs, symbols));
}

Model::Hidden Model::hidden(const Tensor& inputs, const nn::States& states) const {
  auto [outputs, after] = rnn_(dropout_(embedding_(inputs)), states);
  return {dropout_(outputs), std::move(after)};
}

Variable Model::logits(const Variable& outputs) const {
  if (softmax_) return softmax_->log_prob(outputs);
  return tied_readout_ ? (*tied_readout_)(outputs) : (*readout_)(outputs);
}

Variable Model::loss(const Variable& outputs, const Tensor& targets) const {
  return softmax_ ? (*softmax_)(outputs, targets).loss
                  : unroll::cross_entropy(logits(outputs), targets);
}

Model::Result Model::operator()(const Tensor& inputs, const nn::States& states) const {
  auto [outputs, after] = hidden(inputs, states);
  return {logits(outputs), std::move(after)};
}

nn::TensorFile Model::file(std::map<std::string, std::string> notes) const {
  nn::TensorFile file{{}, std::move(notes)};
  for (const auto& [name, parameter] : named_parameters())
    file.tensors.emplace_back(name, parameter.value());
  for (const auto& [name, buffer] : named_buffers())
    file.tensors.emplace_back(name, buffer.value());
  file.metadata["format"] = kFormat;
  file.metadata["network"] = to_json(options_);
  file.metadata["vocabulary"] = vocabulary_.serialise();
  return file;
}

Model Model::load(const std::string& path) {
  const Loader loader(path);
  Model model = loader.load();
  model.notes_ = loader.metadata();
  for (const char* own : {"format", "network", "vocabulary"}) model.notes_.erase(own);
  model.eval();
  return model;
}

}  // namespace lm
