#include <autograd/kernels/rows.hpp>
#include <autograd/tape/accumulation.hpp>
#include <autograd/tape/gradient.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tape/term_checks.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace unroll {
namespace {

/// Terms that wait to be computed together are computed early when they hold more than this.
constexpr std::size_t kPendingLimit = std::size_t{256} << 20;

/// Rows from which on products are worth a call when the steps they come from are over.
constexpr Index kRowsWorthwhile = 128;

}  // namespace

thread_local bool detail::PlainAccumulation::on_ = false;

Tensor ParameterGradient::to_dense() const {
  if (dense.defined()) return dense.value();
  Tensor total = zeros(parameter.shape(), parameter.dtype());
  for (const RowsTerm& term : rows)
    kernels::scatter_add_rows(term.values.value(), term.indices, total);
  return total;
}

Variable ParameterGradient::whole() const { return dense.defined() ? dense : to_dense(); }

void ParameterGradient::scale(double factor) {
  if (dense.defined()) dense = detail::accumulation::scaled(dense, factor);
  for (RowsTerm& term : rows) term.values = detail::accumulation::scaled(term.values, factor);
}

Variable Gradients::operator[](const Variable& x) const {
  if (x.tape_ == tape_ && tape_ != 0 && x.base_ == 0)
    for (const Entry& entry : variables_)
      if (entry.slot == x.slot_)
        return entry.gradient.defined()
                   ? entry.gradient
                   : Variable(zeros(entry.gradient.shape(), entry.gradient.dtype()));
  if (x.tape_ == tape_ && tape_ != 0 && x.base_ == 0)
    for (const ParameterGradient& entry : parameters_)
      if (entry.slot == x.slot_) return entry.whole();
  throw TapeError("gradients: there is no gradient of this variable " + describe(x.value()) +
                  "; make it a leaf with Tape::watch, or name it in GradientOptions::of");
}

Variable Gradients::operator[](const Parameter& parameter) const {
  for (const ParameterGradient& entry : parameters_)
    if (entry.parameter == parameter) return entry.whole();
  return zeros(parameter.shape(), parameter.dtype());
}

Gradients& Gradients::operator+=(const Gradients& other) {
  for (const ParameterGradient& term : other.parameters_) {
    const auto same = [&](const ParameterGradient& mine) {
      return mine.parameter == term.parameter;
    };
    const auto found = std::find_if(parameters_.begin(), parameters_.end(), same);
    if (found == parameters_.end()) {
      parameters_.push_back(term);
    } else if (found->dense.defined() || term.dense.defined()) {
      found->dense = detail::accumulation::sum(found->whole(), term.whole());
      found->rows.clear();
    } else {
      found->rows.insert(found->rows.end(), term.rows.begin(), term.rows.end());
    }
  }
  return *this;
}

void Gradients::scale(double factor) {
  for (ParameterGradient& gradient : parameters_) gradient.scale(factor);
}

BackwardPass::BackwardPass(Tape& tape, std::size_t slots, bool differentiable)
    : tape_(&tape),
      outer_(std::exchange(tape.pass_, this)),
      tape_id_(tape.id_),
      passing_(tape.passings_.size()),
      differentiable_(differentiable),
      terms_(slots, nullptr) {}

BackwardPass::~BackwardPass() {
  for (std::uint32_t slot = 0; slot < terms_.size(); ++slot) drop(slot);
  for (Terms* terms : unused_) {
    terms->~Terms();
    memory::release(terms, sizeof(Terms));
  }
  for (detail::Closure* closure : left_) closure->destroy();
  if (tape_) tape_->pass_ = outer_;
}

void BackwardPass::throw_tape_ended() {
  throw TapeError(
      "gradients: the tape was destroyed by a vjp of its own backward pass; keep it "
      "until gradients has returned");
}

void BackwardPass::drop(std::uint32_t slot) {
  Terms* terms = std::exchange(terms_[slot], nullptr);
  if (!terms) return;
  if (terms->dense.defined()) terms->dense = {};
  terms->products.clear();
  terms->is_pending = false;
  terms->rows.clear();
  unused_.push_back(terms);
}

BackwardPass::Terms& BackwardPass::terms(const Variable& x) {
  tape();
  Terms*& terms = terms_[x.slot_];
  if (!terms && unused_.empty()) {
    terms = new (memory::allocate(sizeof(Terms))) Terms;
  } else if (!terms) {
    terms = unused_.back();
    unused_.pop_back();
  }
  return *terms;
}

const Shape& BackwardPass::base_shape(const Variable& x) const {
  return x.base_ == 0 ? x.shape() : tape().bases_[x.base_ - 1].shape;
}

detail::Part BackwardPass::part_of(const Variable& x) {
  return {x.shape(), x.base_ == 0 ? row_major(x.shape()) : x.value().strides(), x.offset_};
}

void BackwardPass::add(const Variable& x, Variable g) {
  if (!wants(x)) return;
  if (!g.defined() || g.dtype() != x.dtype() || g.shape() != x.shape()) [[unlikely]]
    detail::check_term(operation_, x, g);
  // A term of a plain pass is a constant, whatever tape the seed or the vjp's values belong to.
  if (!differentiable_ && g.recorded()) g = Variable(g.value());
  if (g.shape() != x.shape()) g = detail::accumulation::summed_to(g, x.shape());
  if (x.base_ != 0) {
    const Shape& base = base_shape(x);
    if (x.value().size() != size_of(base) || !x.value().is_contiguous())
      return add_part(x, part_of(x), g);
    if (base != x.shape()) g = detail::accumulation::reshaped(g, base);
  }
  detail::GradientBuffer& dense = terms(x).dense;
  if (differentiable_)
    dense.add_recorded(std::move(g));
  else
    dense.add(std::move(g));
}

void BackwardPass::add_part(const Variable& x, const detail::Part& part, const Variable& g) {
  detail::GradientBuffer& dense = terms(x).dense;
  if (plain_ && !differentiable_)
    dense.add(detail::accumulation::embedded(g, base_shape(x), part));
  else if (differentiable_)
    dense.add_recorded(detail::accumulation::embedded(g, base_shape(x), part));
  else
    dense.add(base_shape(x), part, g.value());
}

void BackwardPass::add_region(const Variable& x, const Region& region, const Variable& g) {
  if (!wants(x)) return;
  detail::check_region(operation_, x, region, g);
  detail::Part part = part_of(x);
  const Index begin = region.begin < 0 ? region.begin + x.shape()[region.axis] : region.begin;
  part.shape = g.shape();
  part.offset += begin * part.strides[region.axis];
  part.strides[region.axis] *= region.step;
  add_part(x, part, g);
}

void BackwardPass::add_rows(const Variable& x, const Tensor& indices, const Variable& g) {
  if (!wants(x)) return;
  detail::check_rows(operation_, x, indices, g);
  if (differentiable_ || plain_ || x.base_ != 0) {
    add(x, detail::accumulation::rows(g, indices, x.size(0)));
    return;
  }
  Terms& terms = this->terms(x);
  terms.shape = x.shape();
  terms.dtype = x.dtype();
  terms.rows.push_back({indices, g});
}

void BackwardPass::add_product(const Variable& x, const Variable& a, const Variable& b) {
  if (!wants(x)) return;
  detail::check_product(operation_, x, a, b);
  if (differentiable_ || plain_) {
    add(x, detail::accumulation::product(a, b));
    return;
  }
  Terms& terms = this->terms(x);
  terms.shape = base_shape(x);
  terms.dtype = x.dtype();
  Tensor left = a.value();
  Tensor right = b.value();
  std::optional<detail::Part> part;
  if (x.base_ != 0) {
    part = part_of(x);
    if (part->strides[0] == 1 &&
        part->strides[1] != 1) {  // a transposed view: transpose the product
      std::swap(part->shape[0], part->shape[1]);
      std::swap(part->strides[0], part->strides[1]);
      std::swap(left, right);
    }
  }
  if (terms.products.is_enough_before(left)) materialize_products(terms);
  if (!std::exchange(terms.is_pending, true)) pending_.push_back(x.slot_);
  pending_bytes_ -= terms.products.bytes();
  terms.products.add(std::move(left), std::move(right), part);
  pending_bytes_ += terms.products.bytes();
  if (pending_bytes_ > kPendingLimit) materialize_products(terms);
}

void BackwardPass::finish_products() {
  std::erase_if(pending_, [&](std::uint32_t slot) {
    Terms* terms = terms_[slot];
    if (!terms) return true;
    if (!terms->products.empty() && terms->products.rows() < kRowsWorthwhile) return false;
    materialize_products(*terms);
    terms->is_pending = false;
    return true;
  });
}

void BackwardPass::materialize_products(Terms& terms) {
  if (terms.products.empty()) return;
  pending_bytes_ -= terms.products.bytes();
  terms.products.move_to(terms.dense, terms.shape, terms.dtype);
}

Variable BackwardPass::take(std::uint32_t slot, memory::Vector<RowsTerm>* keep_rows) {
  if (!terms_[slot]) return {};
  Terms& terms = *terms_[slot];
  materialize_products(terms);
  if (!terms.rows.empty()) {
    if (keep_rows && !terms.dense.defined()) {
      *keep_rows = std::move(terms.rows);
    } else {
      Tensor& total = terms.dense.writable(terms.shape, terms.dtype);
      for (const RowsTerm& term : terms.rows)
        kernels::scatter_add_rows(term.values.value(), term.indices, total);
    }
  }
  Variable gradient = terms.dense.take();
  drop(slot);
  return gradient;
}

}  // namespace unroll
