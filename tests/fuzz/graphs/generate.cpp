#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace unroll::testing::graphs {
namespace {

Index most_elements(Sizes sizes) { return sizes == Sizes::small ? 300 : 200000; }
constexpr double kLargest = 40.0;

bool moderate(const Variable& x, Sizes sizes) {
  if (x.value().size() > most_elements(sizes) || x.rank() > 5) return false;
  const std::vector<double> elements = x.value().to_vector<double>();
  return std::all_of(elements.begin(), elements.end(),
                     [](double v) { return std::abs(v) <= kLargest; });
}

std::pair<double, double> range_of(Domain domain) {
  switch (domain) {
    case Domain::positive:
      return {0.2, 2.0};
    case Domain::unit:
      return {-0.9, 0.9};
    case Domain::above_one:
      return {1.2, 3.0};
    case Domain::nonzero:
      return {0.3, 1.7};
    default:
      return {-1.5, 1.5};
  }
}

}  // namespace

bool Draw::lies_in(int id, Domain domain) const {
  std::vector<double> x = value(id).value().to_vector<double>();
  const auto all = [&](auto condition) { return std::all_of(x.begin(), x.end(), condition); };
  switch (domain) {
    case Domain::any:
      return true;
    case Domain::positive:
      return all([](double v) { return v >= 0.05; });
    case Domain::unit:
      return all([](double v) { return std::abs(v) <= 0.95; });
    case Domain::above_one:
      return all([](double v) { return v >= 1.05; });
    case Domain::nonzero:
      return all([](double v) { return std::abs(v) >= 0.02; });
    case Domain::apart:
      std::sort(x.begin(), x.end());
      for (std::size_t k = 1; k < x.size(); ++k)
        if (x[k] - x[k - 1] < 1e-3) return false;
      return true;
  }
  return false;
}

int Draw::add(const Source& source) {
  Step step;
  step.source = source;
  graph_.steps.push_back(step);
  values_.emplace_back(tensor(source, Dtype::float64));
  is_whole_.push_back(source.kind == Source::Kind::whole);
  return static_cast<int>(values_.size()) - 1;
}

Shape Draw::some_shape(int least_rank) {
  if (sizes_ == Sizes::large && chance(2)) return {200 + pick(300), 64 + pick(64)};
  Shape shape;
  for (Index rank = least_rank + pick(4 - std::min(least_rank, 3)); rank > 0; --rank)
    shape.push_back(chance(60) ? 0 : chance(5) ? 1 : 1 + pick(4));
  return shape;
}

int Draw::any(int least_rank) {
  for (int attempt = 0; attempt < 6; ++attempt) {
    if (values_.empty()) break;
    // Later values rather than the first ones, so that graphs grow deep.
    const auto count = static_cast<Index>(values_.size());
    const auto id =
        static_cast<int>(chance(2) ? std::max<Index>(count - 1 - pick(4), 0) : pick(count));
    if (!is_whole_[static_cast<std::size_t>(id)] && rank(id) >= least_rank) return id;
  }
  return of(some_shape(least_rank));
}

int Draw::within(Domain domain, int least_rank) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    const int id = any(least_rank);
    if (lies_in(id, domain)) return id;
    int made = -1;
    if (domain == Domain::positive)
      made = append({"softplus", How::plain, {id}, {}});
    else if (domain == Domain::unit)
      made = append({"tanh", How::plain, {id}, {}});
    else if (domain == Domain::above_one)
      made = append({"exp", How::plain, {id}, {}});
    if (made >= 0 && lies_in(made, domain)) return made;
  }
  return of(some_shape(least_rank), domain);
}

int Draw::of(const Shape& shape, Domain domain) {
  if (!chance(3))
    for (int id = static_cast<int>(values_.size()) - 1; id >= 0; --id)
      if (!is_whole_[static_cast<std::size_t>(id)] && this->shape(id) == shape && chance(2) &&
          lies_in(id, domain))
        return id;
  const auto [low, high] = range_of(domain);
  Source source;
  source.kind = chance(4)   ? Source::Kind::constant
                : chance(2) ? Source::Kind::leaf
                            : Source::Kind::parameter;
  source.shape = shape;
  source.low = low;
  source.high = high;
  source.seed = ++seeds_;
  source.layout =
      source.kind == Source::Kind::parameter || chance(2) ? 0 : static_cast<int>(pick(4));
  return add(source);
}

int Draw::beside(int value, Domain domain) {
  Shape shape = this->shape(value);
  Shape other;
  const Index dropped = chance(4) ? pick(shape.rank() + 1) : 0;
  for (int axis = static_cast<int>(dropped); axis < shape.rank(); ++axis)
    other.push_back(chance(5) ? 1 : shape[axis]);
  return of(other, domain);
}

int Draw::constant(const Shape& shape, double low, double high) {
  Source source;
  source.kind = Source::Kind::constant;
  source.shape = shape;
  source.low = low;
  source.high = high;
  source.seed = ++seeds_;
  return add(source);
}

int Draw::whole(const Shape& shape, Index below) {
  Source source;
  source.kind = Source::Kind::whole;
  source.shape = shape;
  source.high = static_cast<double>(below);
  source.seed = ++seeds_;
  return add(source);
}

int Draw::append(const Call& call) {
  std::vector<Variable> inputs;
  for (int input : call.inputs) inputs.push_back(value(input));
  Graph one;
  one.steps.resize(1);
  one.steps[0].is_call = true;
  one.steps[0].call = call;
  const std::vector<Variable> results = results_of(call, inputs);
  if (!std::all_of(results.begin(), results.end(),
                   [&](const Variable& result) { return moderate(result, sizes_); }))
    return -1;
  graph_.steps.push_back(one.steps[0]);
  const int first = static_cast<int>(values_.size());
  for (const Variable& result : results) {
    values_.push_back(result);
    is_whole_.push_back(!is_floating(result.dtype()));
  }
  ++calls_;
  return first;
}

Graph Draw::finish(int order) {
  graph_.order = order;
  const auto count = static_cast<int>(values_.size());
  for (int id = 0; id < count; ++id)
    if (!is_whole_[static_cast<std::size_t>(id)] && (id + 3 >= count || chance(3)))
      graph_.losses.push_back({id, static_cast<std::uint64_t>(200 + id)});
  return graph_;
}

Graph generate(std::uint64_t seed, int order, Sizes sizes) {
  Draw draw(seed, sizes);
  std::vector<const std::pair<const std::string, Row>*> all;
  for (const auto& row : rows()) all.push_back(&row);
  draw.of(draw.some_shape(1));
  const Index wanted = 3 + draw.pick(order == 1 ? 14 : 8);
  for (int attempt = 0; attempt < 60 && draw.calls() < wanted; ++attempt) {
    const auto& [name, row] =
        *all[static_cast<std::size_t>(draw.pick(static_cast<Index>(all.size())))];
    Call call;
    call.op = name;
    if (!row.draw(draw, call)) continue;
    if (draw.chance(12)) call.how = How::checkpoint;
    if (order < 3 && draw.chance(12)) call.how = How::gradient;  // derivatives go up to order 3
    draw.append(call);
  }
  return draw.finish(order);
}

}  // namespace unroll::testing::graphs
