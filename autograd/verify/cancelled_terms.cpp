#include <autograd/tape/access.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/verify/cancelled_terms.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace unroll::detail {
namespace {

/// Multiplies what every operation gives by 1 and a little more or less.
class Perturbation final : public extension::TapeObserver {
 public:
  explicit Perturbation(double size) : size_(size) {}

  Tensor recorded(const char* /*operation*/, std::size_t /*node*/, std::uint32_t /*slot*/,
                  const Tensor& value) override {
    if (!value.defined() || !is_floating(value.dtype())) return value;
    Tensor other = value.clone();
    dispatch_floating(other.dtype(), [&]<class T>(T) {
      T* data = other.in_place<T>();
      for (Index i = 0; i < other.size(); ++i)
        data[i] *= static_cast<T>(1.0 + size_ * (2.0 * generator_.uniform() - 1.0));
    });
    return other;
  }
  Tensor detached(const Tensor& value) override { return value; }

 private:
  double size_;
  Generator generator_{1957};
};

}  // namespace

std::vector<double> cancelled_terms(const Varied& f, const Tensor& result) {
  // Far above the rounding of numbers, far below their size.
  const double perturbed = std::sqrt(f.precision());
  std::vector<double> sizes(static_cast<std::size_t>(result.size()), 0.0);
  Perturbation perturbation(perturbed);
  Tensor other;
  try {
    Tape tape;
    extension::TapeAccess::observe(tape, &perturbation);
    std::vector<Variable> leaves;
    other = f(f.point(), &leaves).value();
  } catch (const Error&) {
    return sizes;
  }
  if (other.shape() != result.shape()) return sizes;
  const std::vector<double> here = result.to_vector<double>();
  const std::vector<double> there = other.to_vector<double>();
  constexpr double kRoundings = 0x1p12;  // of one term that an element may be made of
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double terms = std::abs(there[i] - here[i]) / perturbed;
    if (std::isfinite(terms) && std::abs(here[i]) < kRoundings * f.precision() * terms)
      sizes[i] = terms;
  }
  return sizes;
}

}  // namespace unroll::detail
