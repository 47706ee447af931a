#include "graph.hpp"
#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <array>
#include <istream>
#include <list>
#include <sstream>
#include <string_view>
#include <utility>

namespace unroll::testing::graphs {
namespace {

constexpr std::array<std::string_view, 4> kKinds{"leaf", "parameter", "constant", "whole"};
constexpr std::array<std::string_view, 3> kHows{"plain", "checkpoint", "gradient"};

template <class Enum, std::size_t N>
Enum named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t k = 0; k < N; ++k)
    if (names[k] == name) return static_cast<Enum>(k);
  throw FormatError("graph: no such word: " + std::string(name));
}

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "-";
  std::string text;
  for (Index n : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(n);
  }
  return text;
}

Shape read_shape(std::istream& words) {
  std::string text;
  words >> text;
  Shape shape;
  if (text == "-") return shape;
  std::istringstream sizes(text);
  for (std::string size; std::getline(sizes, size, 'x');) shape.push_back(std::stol(size));
  return shape;
}

std::string number_text(double number) {
  std::ostringstream stream;
  stream.precision(17);
  stream << number;
  return stream.str();
}

std::uint64_t hashed(std::uint64_t seed, std::uint64_t k) {
  std::uint64_t z = (seed << 32) + k + 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// The same elements, laid out otherwise.
Tensor laid_out(const Tensor& x, int layout) {
  if (x.rank() == 0 || x.size() == 0) return x;
  const Index last = x.size(-1);
  switch (layout) {
    case 1:
      return x.transpose(0, -1).clone().transpose(0, -1);
    case 2: {
      const Tensor wide = concat({x.unsqueeze(-1), x.unsqueeze(-1)}, -1).value();
      return wide.select(-1, 0);
    }
    case 3: {
      const Tensor twice = concat({flip(x, {-1}), flip(x, {-1})}, -1).value();
      return flip(twice.slice(-1, last, 2 * last), {-1}).value();
    }
    default:
      return x;
  }
}

}  // namespace

std::vector<Variable> results_of(const Call& call, const std::vector<Variable>& inputs) {
  const auto row = rows().find(call.op);
  if (row == rows().end()) throw FormatError("graph: no row for " + call.op);
  // A checkpoint runs it again when the graph may be gone, so it holds what it needs.
  const auto apply = [&apply = row->second.apply, numbers = call.numbers](
                         std::span<const Variable> x) { return apply(x, numbers); };
  if (call.how == How::plain) return apply(inputs);
  // Whole numbers are no operands that are recorded: they stay outside.
  std::vector<Variable> floating;
  for (const Variable& x : inputs)
    if (is_floating(x.dtype())) floating.push_back(x);
  const auto with_whole = [inputs, apply](std::span<const Variable> x) {
    std::vector<Variable> all = inputs;
    std::size_t k = 0;
    for (Variable& input : all)
      if (is_floating(input.dtype())) input = x[k++];
    return apply(all);
  };
  if (call.how == How::checkpoint)
    return checkpoint(
        SeveralResults([with_whole](std::span<const Variable> x) { return with_whole(x); }),
        floating);
  const auto total = [&](std::span<const Variable> x) {
    Variable sum_of_all = zeros({}, x[0].dtype());
    for (const Variable& y : with_whole(x))
      sum_of_all =
          sum_of_all +
          sum(y *
              Variable(Tensor::of(y.shape(), values(y.value().size(), 0.5, 1.5, 1)).to(y.dtype())));
    return sum_of_all;
  };
  return {grad(total, floating)[0]};
}

namespace {

Variable weighted_sum(const Variable& value, std::uint64_t seed) {
  return sum(value *
             Variable(Tensor::of(value.shape(), values(value.value().size(), -1.0, 1.0, seed))
                          .to(value.dtype())));
}

}  // namespace

std::vector<double> values(Index count, double low, double high, std::uint64_t seed) {
  std::vector<double> result;
  for (Index k = 0; k < count; ++k) {
    const double unit =
        static_cast<double>(hashed(seed, static_cast<std::uint64_t>(k)) >> 11) * 0x1p-53;
    const volatile double product = (high - low) * unit;  // not joined with the sum: other bits
    result.push_back(low + product);
  }
  return result;
}

Tensor tensor(const Source& source, Dtype dtype) {
  const Index count = size_of(source.shape);
  if (source.kind == Source::Kind::whole) {
    std::vector<std::int64_t> whole;
    for (const double v : values(count, 0.0, source.high, source.seed))
      whole.push_back(static_cast<std::int64_t>(v));
    return Tensor::of(source.shape, whole);
  }
  const Tensor x = Tensor::of(source.shape, values(count, source.low, source.high, source.seed));
  return laid_out(x.to(dtype), source.layout);
}

std::string to_string(const Graph& graph) {
  std::ostringstream text;
  text << "graph " << graph.order << '\n';
  for (const Step& step : graph.steps) {
    if (!step.is_call) {
      const Source& s = step.source;
      text << kKinds[static_cast<std::size_t>(s.kind)] << ' ' << shape_text(s.shape);
      if (s.kind != Source::Kind::whole) text << ' ' << number_text(s.low);
      text << ' ' << number_text(s.high) << ' ' << s.seed;
      if (s.kind != Source::Kind::whole) text << ' ' << s.layout;
    } else {
      text << "call " << step.call.op << ' ' << kHows[static_cast<std::size_t>(step.call.how)];
      for (int input : step.call.inputs) text << ' ' << input;
      text << " :";
      for (double number : step.call.numbers) text << ' ' << number_text(number);
    }
    text << '\n';
  }
  for (const Loss& loss : graph.losses) text << "loss " << loss.value << ' ' << loss.seed << '\n';
  return text.str();
}

Graph parse(std::istream& stream) {
  Graph graph;
  for (std::string line; std::getline(stream, line) && !line.empty();) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "graph") {
      words >> graph.order;
    } else if (first == "loss") {
      Loss loss;
      words >> loss.value >> loss.seed;
      graph.losses.push_back(loss);
    } else if (first == "call") {
      Step step;
      step.is_call = true;
      std::string word;
      words >> step.call.op >> word;
      step.call.how = named<How>(kHows, word);
      while (words >> word && word != ":") step.call.inputs.push_back(std::stoi(word));
      while (words >> word) step.call.numbers.push_back(std::stod(word));
      graph.steps.push_back(std::move(step));
      continue;
    } else {
      Step step;
      step.source.kind = named<Source::Kind>(kKinds, first);
      step.source.shape = read_shape(words);
      const bool whole = step.source.kind == Source::Kind::whole;
      if (!whole) words >> step.source.low;
      words >> step.source.high >> step.source.seed;
      if (!whole) words >> step.source.layout;
      graph.steps.push_back(std::move(step));
    }
    if (!words) throw FormatError("graph: a line ends too early: " + line);
  }
  return graph;
}

Result run(const Graph& graph, const Options& options) {
  Tape tape;
  std::list<Parameter> parameters;
  std::vector<Variable> values_so_far;
  std::vector<Variable> leaves;
  for (const Step& step : graph.steps) {
    if (step.is_call) {
      std::vector<Variable> inputs;
      for (int input : step.call.inputs)
        inputs.push_back(values_so_far.at(static_cast<std::size_t>(input)));
      for (Variable& y : results_of(step.call, inputs)) values_so_far.push_back(std::move(y));
      continue;
    }
    const Tensor value = tensor(step.source, options.dtype);
    if (step.source.kind == Source::Kind::leaf) {
      values_so_far.push_back(tape.watch(value));
      leaves.push_back(values_so_far.back());
    } else if (step.source.kind == Source::Kind::parameter) {
      parameters.emplace_back("p", value);
      values_so_far.emplace_back(parameters.back());
      leaves.push_back(values_so_far.back());
    } else {
      values_so_far.emplace_back(value);
    }
  }

  Variable loss = zeros({}, options.dtype);
  for (const Loss& one : graph.losses)
    loss = loss + weighted_sum(values_so_far.at(static_cast<std::size_t>(one.value)), one.seed);

  Result result;
  result.loss = loss.item();
  std::vector<Variable> gradients;
  for (int order = 1; order <= graph.order; ++order) {
    const bool last = order == graph.order;
    gradients.clear();
    if (loss.recorded()) {
      Gradients all;
      for (int times = last && options.twice ? 2 : 1; times > 0; --times)
        all = tape.gradients(
            loss, {.differentiable = !last || options.differentiable, .retain = times > 1});
      for (const Variable& leaf : leaves) gradients.push_back(all[leaf]);
    } else {
      for (const Variable& leaf : leaves)
        gradients.emplace_back(zeros(leaf.shape(), options.dtype));
    }
    if (last) break;
    loss = zeros({}, options.dtype);
    for (std::size_t k = 0; k < gradients.size(); ++k)
      loss = loss + weighted_sum(gradients[k], 100 + k);
  }
  for (const Variable& gradient : gradients)
    result.gradients.push_back(gradient.value().to_vector<double>());
  return result;
}

}  // namespace unroll::testing::graphs
