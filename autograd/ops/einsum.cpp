#include <autograd/ops/contraction.hpp>
#include <autograd/ops/diagonal.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace unroll {
namespace {

/// The name of an axis: a letter, or kEllipsis + i for the axis i places before the last one that
/// `...` stands for.
using Label = int;
constexpr Label kEllipsis = 256;
constexpr std::size_t kLabels = kEllipsis + kMaxRank;
using Labels = std::vector<Label>;

bool has(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}
std::string name_of(Label label) {
  return label < kEllipsis ? std::string(1, static_cast<char>(label)) : "...";
}

struct Operand {
  Variable x;
  Labels labels;  // one an axis
};

/// An equation read for given operands.
class Equation {
 public:
  Equation(std::string_view text, std::span<const Variable> operands);

  std::vector<Operand> inputs;
  Labels output;

  template <class E>
  [[noreturn]] void fail(const std::string& what) const {
    std::string message = "einsum: \"" + text_ + "\" of";
    for (const Variable& x : operands_) message += ' ' + describe(x.value()) + ',';
    message.back() = ':';
    throw E(message + ' ' + what);
  }
  Index size(Label label) const { return sizes_[static_cast<std::size_t>(label)]; }

 private:
  /// The labels that a term writes; `ellipsis` axes for its `...`.
  Labels read(const std::string& term, int ellipsis) const;
  void add_sizes(const Operand& operand);
  void read_output(const std::string* term);

  std::string text_;
  std::span<const Variable> operands_;
  std::array<Index, kLabels> sizes_;
  int ellipsis_ = -1;  // most axes that a `...` stands for, -1 without one
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Equation::Equation(std::string_view text, std::span<const Variable> operands)
    : text_(text), operands_(operands) {
  sizes_.fill(-1);
  std::string plain;
  for (char c : text_)
    if (c != ' ') plain += c;
  const std::size_t arrow = plain.find("->");
  const std::string left = plain.substr(0, arrow);
  const std::string right = arrow == std::string::npos ? "" : plain.substr(arrow + 2);
  std::vector<std::string> terms(1);
  for (char c : left) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  if (operands_.empty()) fail<ArgumentError>("there must be at least one operand");
  if (terms.size() != operands_.size())
    fail<ArgumentError>("it has " + std::to_string(terms.size()) + " terms for " +
                        std::to_string(operands_.size()) + " operands");
  for (const Variable& x : operands_)
    if (!x.defined() || !is_floating(x.dtype()) || x.dtype() != operands_[0].dtype())
      fail<DtypeError>("the operands must share a floating dtype");
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const Variable& x = operands_[k];
    const auto letters = static_cast<int>(read(terms[k], 0).size());
    const bool broadcasts = terms[k].find("...") != std::string::npos;
    if (broadcasts ? letters > x.rank() : letters != x.rank())
      fail<ShapeError>("the term \"" + terms[k] + "\" names " + std::to_string(letters) +
                       " axes of " + to_string(x.shape()));
    if (broadcasts) ellipsis_ = std::max(ellipsis_, x.rank() - letters);
    inputs.push_back({x, read(terms[k], x.rank() - letters)});
    add_sizes(inputs.back());
  }
  // An axis of size 1 that broadcasts is as good as none.
  for (Operand& operand : inputs)
    for (std::size_t i = operand.labels.size(); i-- > 0;)
      if (operand.x.shape()[static_cast<int>(i)] == 1 && size(operand.labels[i]) != 1) {
        operand.x = squeeze(operand.x, static_cast<int>(i));
        operand.labels.erase(operand.labels.begin() + static_cast<std::ptrdiff_t>(i));
      }
  read_output(arrow == std::string::npos ? nullptr : &right);
}

Labels Equation::read(const std::string& term, int ellipsis) const {
  Labels labels;
  bool expanded = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (is_letter(term[i])) {
      labels.push_back(term[i]);
    } else if (!expanded && term.compare(i, 3, "...") == 0) {
      expanded = true;
      for (int axis = ellipsis; axis-- > 0;) labels.push_back(kEllipsis + axis);
      i += 2;
    } else {
      fail<ArgumentError>("the term \"" + term + "\" may hold letters and one \"...\"");
    }
  }
  return labels;
}

void Equation::add_sizes(const Operand& operand) {
  for (std::size_t i = 0; i < operand.labels.size(); ++i) {
    const Label label = operand.labels[i];
    const Index here = operand.x.shape()[static_cast<int>(i)];
    Index& known = sizes_[static_cast<std::size_t>(label)];
    const bool broadcasts = label >= kEllipsis;
    if (known < 0 || (broadcasts && known == 1))
      known = here;
    else if (here != known && !(broadcasts && here == 1))
      fail<ShapeError>(name_of(label) + " has the sizes " + std::to_string(known) + " and " +
                       std::to_string(here));
  }
}

void Equation::read_output(const std::string* term) {
  if (term) {
    output = read(*term, std::max(ellipsis_, 0));
    if (ellipsis_ > 0 && term->find("...") == std::string::npos)
      fail<ArgumentError>("the result must name \"...\" too");
  } else {
    for (int axis = std::max(ellipsis_, 0); axis-- > 0;) output.push_back(kEllipsis + axis);
    for (Label letter = 'A'; letter <= 'z'; ++letter) {
      std::ptrdiff_t uses = 0;
      for (const Operand& operand : inputs)
        uses += std::count(operand.labels.begin(), operand.labels.end(), letter);
      if (uses == 1) output.push_back(letter);
    }
  }
  for (Label label : output) {
    if (std::count(output.begin(), output.end(), label) > 1)
      fail<ArgumentError>(name_of(label) + " occurs twice in the result");
    if (size(label) < 0) fail<ArgumentError>(name_of(label) + " occurs in no operand");
  }
}

/// The axes in the order of `labels`, which name all of them.
Variable arranged(const Operand& operand, const Labels& labels) {
  std::vector<int> axes;
  for (Label label : labels)
    axes.push_back(static_cast<int>(std::find(operand.labels.begin(), operand.labels.end(), label) -
                                    operand.labels.begin()));
  return permute(operand.x, axes);
}

Labels joined(std::initializer_list<Labels> groups) {
  Labels all;
  for (const Labels& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

/// Labels that occur twice name a diagonal.
Operand without_repeats(Operand operand) {
  for (std::size_t i = 0; i < operand.labels.size(); ++i) {
    const Label label = operand.labels[i];
    const auto again = std::find(operand.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 operand.labels.end(), label);
    if (again == operand.labels.end()) continue;
    const auto second = static_cast<std::size_t>(again - operand.labels.begin());
    std::vector<int> axes;
    Labels rest;
    for (std::size_t k = 0; k < operand.labels.size(); ++k)
      if (k != i && k != second) {
        axes.push_back(static_cast<int>(k));
        rest.push_back(operand.labels[k]);
      }
    axes.push_back(static_cast<int>(i));
    axes.push_back(static_cast<int>(second));
    rest.push_back(label);
    return without_repeats({diagonal(permute(operand.x, axes)), std::move(rest)});
  }
  return operand;
}

class Contraction {
 public:
  explicit Contraction(const Equation& equation) : equation_(equation) {}

  /// Sums over the labels that are in neither list.
  Operand summed(Operand operand, const Labels& keep, const Labels& other) const {
    Shape kept;
    Shape ones = operand.x.shape();
    Labels labels;
    for (std::size_t i = 0; i < operand.labels.size(); ++i) {
      const Label label = operand.labels[i];
      if (has(keep, label) || has(other, label)) {
        kept.push_back(ones[static_cast<int>(i)]);
        labels.push_back(label);
      } else {
        ones[static_cast<int>(i)] = 1;
      }
    }
    if (labels == operand.labels) return operand;
    return {reshape(sum_to(operand.x, ones), kept), std::move(labels)};
  }

  /// a b, with the labels of `keep` left.
  Operand product(Operand a, Operand b, const Labels& keep) const {
    a = summed(std::move(a), keep, b.labels);
    b = summed(std::move(b), keep, a.labels);
    Labels batch, inner, left, right;
    for (Label label : a.labels)
      (!has(b.labels, label) ? left : has(keep, label) ? batch : inner).push_back(label);
    for (Label label : b.labels)
      if (!has(a.labels, label)) right.push_back(label);
    const Labels result = joined({batch, left, right});
    if (static_cast<int>(result.size()) > kMaxRank)
      equation_.fail<ShapeError>("a product between has rank " + std::to_string(result.size()) +
                                 ", the highest is " + std::to_string(kMaxRank) +
                                 "; order the operands otherwise");
    if (inner.empty() || (left.empty() && right.empty())) {
      const Labels all = joined({batch, left, right, inner});
      const Variable y = expanded(a, all) * expanded(b, all);
      return summed({y, all}, keep, {});
    }
    const Variable y =
        matmul(reshape(arranged(a, joined({batch, left, inner})), matrix(batch, left, inner)),
               reshape(arranged(b, joined({batch, inner, right})), matrix(batch, inner, right)));
    return {reshape(y, sizes(result)), result};
  }

 private:
  Shape sizes(const Labels& labels) const {
    Shape shape;
    for (Label label : labels) shape.push_back(equation_.size(label));
    return shape;
  }
  /// [rows, columns], behind one axis for all of the batch when there is one.
  Shape matrix(const Labels& batch, const Labels& rows, const Labels& columns) const {
    Shape shape{size_of(sizes(rows)), size_of(sizes(columns))};
    if (!batch.empty()) shape.insert(0, size_of(sizes(batch)));
    return shape;
  }
  /// The axes in the order of `labels`, with size 1 for those that are missing.
  static Variable expanded(const Operand& operand, const Labels& labels) {
    Labels present;
    for (Label label : labels)
      if (has(operand.labels, label)) present.push_back(label);
    Variable x = arranged(operand, present);
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (!has(present, labels[i])) x = unsqueeze(x, static_cast<int>(i));
    return x;
  }

  const Equation& equation_;
};

}  // namespace

Variable einsum(std::string_view equation, std::span<const Variable> operands) {
  const Equation parsed(equation, operands);
  const Contraction contraction(parsed);
  Operand y = without_repeats(parsed.inputs[0]);
  for (std::size_t k = 1; k < parsed.inputs.size(); ++k) {
    Labels keep = parsed.output;
    for (std::size_t later = k + 1; later < parsed.inputs.size(); ++later)
      keep = joined({keep, parsed.inputs[later].labels});
    y = contraction.product(std::move(y), without_repeats(parsed.inputs[k]), keep);
  }
  return arranged(contraction.summed(std::move(y), parsed.output, {}), parsed.output);
}
Variable einsum(std::string_view equation, std::initializer_list<Variable> operands) {
  return einsum(equation, std::span(operands.begin(), operands.size()));
}

}  // namespace unroll
