#include "scalars.hpp"

#include <autograd/autograd.hpp>

#include <cmath>
#include <vector>

namespace benchmarks {
namespace {

constexpr float kFactor = 0.999F;
constexpr float kTerm = 0.001F;

class OnTape : public Step {
 public:
  void run() override { summary(); }
  Summary summary() override {
    unroll::Tape tape;
    const unroll::Variable a = tape.watch(a_), b = tape.watch(b_);
    unroll::Variable y = a;
    for (int k = 0; k < kScalarOperations / 2; ++k) y = y * a + b;
    const unroll::Gradients gradients = tape.gradients(y);
    return {y.item(), std::hypot(gradients[a].item(), gradients[b].item())};
  }

 private:
  unroll::Tensor a_ = unroll::full({}, kFactor), b_ = unroll::full({}, kTerm);
};

class ByHand : public Step {
 public:
  void run() override { summary(); }
  Summary summary() override {
    const float a = a_, b = b_;
    values_[0] = a;
    for (std::size_t k = 0; k < kScalarOperations; k += 2) {
      values_[k + 1] = values_[k] * a;
      values_[k + 2] = values_[k + 1] + b;
    }
    float g = 1.0F, ga = 0.0F, gb = 0.0F;
    for (std::size_t k = kScalarOperations; k > 0; k -= 2) {
      gb += g;
      ga += g * values_[k - 2];
      g *= a;
    }
    ga += g;
    result_ = {values_.back(), std::hypot(ga, gb)};
    return result_;
  }

 private:
  volatile float a_ = kFactor, b_ = kTerm;  // read anew each time
  std::vector<float> values_ = std::vector<float>(kScalarOperations + 1);
  Summary result_;
};

}  // namespace

std::unique_ptr<Step> scalars_on_tape() { return std::make_unique<OnTape>(); }
std::unique_ptr<Step> scalars_by_hand() { return std::make_unique<ByHand>(); }

}  // namespace benchmarks
