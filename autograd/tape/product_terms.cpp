#include <autograd/kernels/gemm.hpp>
#include <autograd/tape/product_terms.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/joined.hpp>

#include <algorithm>
#include <utility>

namespace unroll::detail {
namespace {

/// Rows from which on a product is worth a call of its own: laying it beside others would only
/// copy.
constexpr Index kLongProduct = 256;

/// Rows from which on more in one call would not be faster.
constexpr Index kRowsEnough = 512;

std::size_t bytes_of(const Tensor& x) {
  return static_cast<std::size_t>(x.size()) * size_of(x.dtype());
}

}  // namespace

void ProductTerms::add(Tensor a, Tensor b, const std::optional<Part>& part) {
  rows_ += a.shape()[0];
  bytes_ += bytes_of(a) + bytes_of(b);
  products_.push_back({std::move(a), std::move(b), part ? number_of(*part) : 0});
}

bool ProductTerms::is_enough_before(const Tensor& next) const {
  if (rows_ < kRowsEnough) return false;
  const Tensor& last = products_.back().a;
  if (next.shape()[1] != last.shape()[1]) return true;
  const auto follows = [](const Tensor& first, const Tensor& second) {
    const auto at = [&](std::size_t k) -> const Tensor& { return k == 0 ? first : second; };
    return detail::joined_in_memory(2, at, 0).defined();
  };
  return !follows(last, next) && !follows(next, last);
}

void ProductTerms::move_to(GradientBuffer& gradient, const Shape& shape, Dtype dtype) {
  for (auto first = products_.begin(); first != products_.end();) {
    const std::size_t number = first->part;
    const auto others =
        std::stable_partition(first, products_.end(),
                              [number](const Product& product) { return product.part == number; });
    const std::span<const Product> group(first, others);
    if (number == 0 && !gradient.defined()) {
      Tensor total = Tensor::empty(shape, dtype);
      add_sum(group, total, 0.0);
      gradient.add(std::move(total));
    } else {
      Tensor total = gradient.writable(shape, dtype);
      if (number != 0) {
        const Part& part = parts_[number - 1];
        total = total.with_layout(part.shape, part.strides, part.offset);
      }
      add_sum(group, total, 1.0);
    }
    first = others;
  }
  products_.clear();
  rows_ = 0;
  bytes_ = 0;
}

void ProductTerms::clear() {
  products_.clear();
  parts_.clear();
  rows_ = 0;
  bytes_ = 0;
}

/// total = beta total + the sum of a^T b, by one product of their summed length where that pays.
void ProductTerms::add_sum(std::span<const Product> products, Tensor& total, double beta) {
  const auto multiply = [&](const Tensor& left, const Tensor& right) {
    kernels::gemm(left.transpose(0, 1), right, total, beta);
    beta = 1.0;
  };
  if (products.size() == 1) return multiply(products[0].a, products[0].b);
  for (const bool backwards : {false, true}) {
    const Tensor left = in_place(products, &Product::a, backwards);
    const Tensor right = in_place(products, &Product::b, backwards);
    if (!left.defined() && !right.defined()) continue;
    return multiply(left.defined() ? left : laid_out(products, &Product::a, backwards),
                    right.defined() ? right : laid_out(products, &Product::b, backwards));
  }
  Pooled<Product> shorter;
  for (const Product& product : products) {
    if (product.a.shape()[0] >= kLongProduct)
      multiply(product.a, product.b);
    else
      shorter.push_back(product);
  }
  if (!shorter.empty())
    multiply(laid_out(shorter, &Product::a, false), laid_out(shorter, &Product::b, false));
}

/// The matrix that the operands make when they are adjacent in memory, in the order of the
/// products or, `backwards`, in the opposite one; undefined otherwise.
Tensor ProductTerms::in_place(std::span<const Product> products, Tensor Product::*operand,
                              bool backwards) {
  const std::size_t last = products.size() - 1;
  return detail::joined_in_memory(
      products.size(),
      [&](std::size_t k) -> const Tensor& { return products[backwards ? last - k : k].*operand; },
      0);
}

/// The same by copying.
Tensor ProductTerms::laid_out(std::span<const Product> products, Tensor Product::*operand,
                              bool backwards) {
  const std::size_t last = products.size() - 1;
  Shape shape = (products[0].*operand).shape();
  shape[0] = 0;
  for (const Product& product : products) shape[0] += (product.*operand).shape()[0];
  Tensor joined = Tensor::empty(shape, (products[0].*operand).dtype());
  Index begin = 0;
  for (std::size_t k = 0; k <= last; ++k) {
    const Tensor& x = products[backwards ? last - k : k].*operand;
    Tensor place = joined.slice(0, begin, begin + x.shape()[0]);
    kernels::copy(x, place);
    begin += x.shape()[0];
  }
  return joined;
}

/// Views made anew at every step show the same part, and their products belong together.
std::size_t ProductTerms::number_of(const Part& part) {
  constexpr std::size_t kLookedAt = 8;
  const std::size_t end = parts_.size();
  for (std::size_t k = end; k-- > end - std::min(end, kLookedAt);)
    if (parts_[k] == part) return k + 1;
  parts_.push_back(part);
  return parts_.size();
}

}  // namespace unroll::detail
