#include <autograd/error.hpp>
#include <autograd/gradient.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>

#include <algorithm>
#include <new>

namespace unroll {
namespace {

/// Terms that wait to be realised together are realised early when they hold more than this.
constexpr std::size_t kPendingLimit = std::size_t{256} << 20;

/// Rows from which on a product is worth a call of its own: laying it beside others would only
/// copy.
constexpr Index kLongProduct = 256;

std::size_t bytes(const Tensor& x) {
  return static_cast<std::size_t>(x.size()) * size_of(x.dtype());
}

/// A tensor that nobody else sees, so that terms may be added in place.
void own(Tensor& x) {
  if (!x.unique() || !x.is_contiguous()) x = x.clone();
}

}  // namespace

Tensor ParameterGradient::to_dense() const {
  if (dense.defined()) return dense.value();
  Tensor total = zeros(parameter.shape(), parameter.dtype());
  for (const RowsTerm& term : rows)
    kernels::scatter_add_rows(term.values.value(), term.indices, total);
  return total;
}

void ParameterGradient::scale(double factor) {
  if (dense.defined()) dense = dense * factor;
  for (RowsTerm& term : rows) term.values = term.values * factor;
}

Variable Gradients::operator[](const Variable& x) const {
  if (x.tape_ == tape_ && tape_ != 0)
    for (const Entry& entry : variables_)
      if (entry.slot == x.slot_) return entry.gradient;
  if (x.tape_ == tape_ && tape_ != 0)
    for (const ParameterGradient& entry : parameters_)
      if (entry.slot == x.slot_) return entry.dense.defined() ? entry.dense : entry.to_dense();
  throw TapeError("gradients: there is no gradient of this variable " + describe(x.value()) +
                  "; make it a leaf with Tape::watch, or name it in GradientOptions::of");
}

Variable Gradients::operator[](const Parameter& parameter) const {
  for (const ParameterGradient& entry : parameters_)
    if (entry.parameter == parameter) return entry.dense.defined() ? entry.dense : entry.to_dense();
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
      found->dense = Variable(found->to_dense()) + Variable(term.to_dense());
      found->rows.clear();
    } else {
      found->rows.insert(found->rows.end(), term.rows.begin(), term.rows.end());
    }
  }
  return *this;
}

BackwardPass::~BackwardPass() {
  for (std::uint32_t slot = 0; slot < terms_.size(); ++slot) drop(slot);
}

void BackwardPass::drop(std::uint32_t slot) {
  Terms* terms = std::exchange(terms_[slot], nullptr);
  if (!terms) return;
  terms->~Terms();
  memory::release(terms, sizeof(Terms));
}

BackwardPass::Terms& BackwardPass::terms(const Variable& x) {
  Terms*& terms = terms_[x.slot_];
  if (!terms) terms = new (memory::allocate(sizeof(Terms))) Terms;
  return *terms;
}

void BackwardPass::add(const Variable& x, Variable g) {
  if (!wants(x)) return;
  if (g.shape() != x.shape()) g = sum_to(g, x.shape());
  add_dense(terms(x), std::move(g));
}

void BackwardPass::add_dense(Terms& terms, Variable g) {
  if (!terms.dense.defined()) {
    terms.dense = std::move(g);
  } else if (differentiable_) {
    terms.dense = terms.dense + g;
  } else if (terms.dense.value().unique() && terms.dense.value().is_contiguous()) {
    kernels::add_into(g.value(), terms.dense.value_);
  } else if (g.value().unique() && g.value().is_contiguous()) {
    kernels::add_into(terms.dense.value(), g.value_);
    terms.dense = std::move(g);
  } else {
    terms.dense = terms.dense + g;
  }
}

void BackwardPass::add_region(const Variable& x, const Region& region, const Variable& g) {
  if (!wants(x)) return;
  Terms& terms = this->terms(x);
  if (differentiable_) {
    add_dense(terms, detail::embed_region(g, x.shape(), region));
    return;
  }
  if (terms.dense.defined())
    own(terms.dense.value_);
  else
    terms.dense = zeros(x.shape(), x.dtype());
  Tensor target = terms.dense.value_.slice(region.axis, region.begin, region.end, region.step);
  kernels::add_into(g.value(), target);
}

void BackwardPass::add_rows(const Variable& x, const Tensor& indices, const Variable& g) {
  if (!wants(x)) return;
  Terms& terms = this->terms(x);
  if (differentiable_)
    add_dense(terms, detail::scatter_rows(g, indices, x.size(0)));
  else {
    terms.row_count = x.size(0);
    terms.rows.push_back({indices, g});
  }
}

void BackwardPass::add_product(const Variable& x, const Variable& a, const Variable& b) {
  if (!wants(x)) return;
  Terms& terms = this->terms(x);
  if (differentiable_) {
    add_dense(terms, matmul(transpose(a), b));
    return;
  }
  terms.products.push_back({a.value(), b.value()});
  pending_bytes_ += bytes(a.value()) + bytes(b.value());
  if (pending_bytes_ > kPendingLimit) realise_products(terms);
}

void BackwardPass::realise_products(Terms& terms) {
  if (terms.products.empty()) return;
  const Tensor& first_a = terms.products[0].a;
  const Tensor& first_b = terms.products[0].b;
  Tensor& total = terms.dense.value_;
  double beta = 1.0;
  if (total.defined()) {
    own(total);
  } else {
    total = Tensor::empty({first_a.size(1), first_b.size(1)}, first_a.dtype());
    beta = 0.0;
  }
  const auto accumulate = [&](const Tensor& a, const Tensor& b) {
    kernels::gemm(a.transpose(0, 1), b, total, beta);
    beta = 1.0;
  };

  Index rows = 0;
  for (const Product& product : terms.products) {
    if (product.a.size(0) < kLongProduct && terms.products.size() > 1)
      rows += product.a.size(0);
    else
      accumulate(product.a, product.b);
  }
  if (rows > 0) {
    Tensor a = Tensor::empty({rows, first_a.size(1)}, first_a.dtype());
    Tensor b = Tensor::empty({rows, first_b.size(1)}, first_b.dtype());
    Index begin = 0;
    for (const Product& product : terms.products) {
      if (product.a.size(0) >= kLongProduct) continue;
      const Index end = begin + product.a.size(0);
      Tensor a_rows = a.slice(0, begin, end);
      Tensor b_rows = b.slice(0, begin, end);
      kernels::copy(product.a, a_rows);
      kernels::copy(product.b, b_rows);
      begin = end;
    }
    accumulate(a, b);
  }
  for (const Product& product : terms.products)
    pending_bytes_ -= bytes(product.a) + bytes(product.b);
  terms.products.clear();
}

Variable BackwardPass::take(std::uint32_t slot, PooledVector<RowsTerm>* keep_rows) {
  if (!terms_[slot]) return {};
  Terms& terms = *terms_[slot];
  realise_products(terms);
  if (!terms.rows.empty()) {
    if (keep_rows && !terms.dense.defined()) {
      *keep_rows = std::move(terms.rows);
    } else {
      if (terms.dense.defined())
        own(terms.dense.value_);
      else
        terms.dense =
            zeros({terms.row_count, terms.rows[0].values.size(1)}, terms.rows[0].values.dtype());
      for (const RowsTerm& term : terms.rows)
        kernels::scatter_add_rows(term.values.value(), term.indices, terms.dense.value_);
    }
  }
  Variable gradient = std::move(terms.dense);
  drop(slot);
  return gradient;
}

}  // namespace unroll
