#include <autograd/inspect/graph.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>

namespace unroll {
namespace {

/// "[2,:,8:16]": the part of its base that a view shows, as NumPy writes it. Empty when it shows
/// all, "as [6,4]" when it is the base in another shape, "part" when words fail.
std::string part_of(const Shape& base, const Tensor& view, Index offset) {
  if (view.shape() == base && view.is_contiguous()) return "";
  if (view.size() == size_of(base) && view.is_contiguous()) return "as " + to_string(view.shape());
  const Strides steps = row_major(base);
  std::array<bool, kMaxRank> used{};
  std::string text = "[";
  int last = -1;
  bool transposed = false;
  for (int axis = 0; axis < base.rank(); ++axis) {
    if (axis > 0) text += ',';
    if (base[axis] == 1) {
      text += ':';
      continue;
    }
    const Index step = steps[axis];
    const Index begin = offset / step;
    offset %= step;
    // The axis of the view that runs along this one.
    int along = -1;
    for (int k = 0; k < view.rank() && along < 0; ++k)
      if (!used[static_cast<std::size_t>(k)] && view.shape()[k] > 1 && view.strides()[k] >= step &&
          view.strides()[k] < step * base[axis] && view.strides()[k] % step == 0)
        along = k;
    if (along < 0) {
      text += std::to_string(begin);
      continue;
    }
    used[static_cast<std::size_t>(along)] = true;
    transposed |= along < last;
    last = along;
    const Index stride = view.strides()[along] / step;
    const Index end = begin + (view.shape()[along] - 1) * stride + 1;
    if (end > base[axis]) return "part";
    if (begin == 0 && end == base[axis] && stride == 1)
      text += ':';
    else
      text += std::to_string(begin) + ':' + std::to_string(end);
    if (stride != 1) text += ':' + std::to_string(stride);
  }
  for (int k = 0; k < view.rank(); ++k)
    if (view.shape()[k] > 1 && !used[static_cast<std::size_t>(k)]) return "part";
  text += ']';
  if (!transposed) return text;
  return view.size() == size_of(base) ? "transposed" : text + " transposed";
}

/// Keeps of `scopes` what it shares with `other`.
void meet(std::vector<extension::Place::Frame>& scopes,
          const std::vector<extension::Place::Frame>& other) {
  const auto end = std::mismatch(scopes.begin(), scopes.end(), other.begin(), other.end()).first;
  scopes.erase(end, scopes.end());
}

}  // namespace

std::size_t Graph::constant(const Tensor& value) {
  for (const auto& [known, node] : constants_)
    if (known.address() == value.address() && known.shape() == value.shape() &&
        known.strides() == value.strides())
      return node;
  GraphNode node{GraphNode::Kind::constant, "", "", {value.shape()}, value.dtype(), {}, {}, {}};
  if (value.rank() == 0) node.number = value.item();
  unused_.insert(nodes_.size());
  constants_.emplace_back(value, nodes_.size());
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

Graph::Output Graph::leaf(const Tape* tape, const Variable& x) {
  if (!x.recorded()) return {constant(x.value()), 0};
  const auto [found, is_new] = places_.try_emplace(
      {extension::TapeAccess::id(x), extension::TapeAccess::slot(x)}, nodes_.size(), 0);
  if (is_new) {
    unused_.insert(nodes_.size());
    const Parameter* parameter =
        tape ? extension::TapeAccess::parameter(*tape, extension::TapeAccess::slot(x)) : nullptr;
    nodes_.push_back({parameter ? GraphNode::Kind::parameter : GraphNode::Kind::input,
                      parameter ? parameter->name() : "",
                      "",
                      {tape ? extension::TapeAccess::base_shape(*tape, x) : x.shape()},
                      x.dtype(),
                      {},
                      {},
                      {}});
  }
  return found->second;
}

void Graph::recorded(const Tape& tape, const extension::SeenOperation& operation,
                     std::span<const Variable> outputs) {
  GraphNode node{GraphNode::Kind::operation, operation.name, "", {}, {}, {}, {},
                 operation.place->frames};
  for (const Variable& input : operation.inputs) {
    const auto [from, output] = leaf(&tape, input);
    GraphNode& source = nodes_[from];
    if (unused_.erase(from) > 0)
      source.scopes = node.scopes;
    else if (source.kind != GraphNode::Kind::operation)
      meet(source.scopes, node.scopes);
    node.inputs.push_back({from, output, input.shape(),
                           input.recorded()
                               ? part_of(extension::TapeAccess::base_shape(tape, input),
                                         input.value(), extension::TapeAccess::offset(input))
                               : ""});
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    node.shapes.push_back(outputs[k].shape());
    places_[{extension::TapeAccess::id(tape), extension::TapeAccess::slot(outputs[k])}] = {
        nodes_.size(), k};
  }
  if (!outputs.empty()) node.dtype = outputs[0].dtype();
  nodes_.push_back(std::move(node));
}

Variable Graph::name(const Variable& x, const std::string& label) {
  if (!x.defined())
    throw ArgumentError("graph: name '" + label + "' was given to an undefined variable");
  const Tape* tape = Tape::active();
  nodes_[leaf(tape && extension::TapeAccess::id(*tape) == extension::TapeAccess::id(x) ? tape
                                                                                       : nullptr,
              x)
             .first]
      .label = label;
  return x;
}

}  // namespace unroll
