#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/learning/truncated_bptt.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace unroll::nn {

TruncatedBPTT::TruncatedBPTT(Recurrent rnn, StepLoss loss, const TruncatedBPTTOptions& options)
    : TruncatedBPTT("truncated_bptt", std::move(rnn), std::move(loss), options) {}

TruncatedBPTT::TruncatedBPTT(const char* name, Recurrent rnn, StepLoss loss,
                             const TruncatedBPTTOptions& options)
    : LearningRule(name, std::move(rnn), std::move(loss), options.teacher),
      k1_(options.k1),
      k2_(options.k2) {
  if (k1_ < 1 || k2_ < k1_)
    throw ArgumentError("truncated_bptt: k1 must be at least 1 and k2 at least k1, they are " +
                        std::to_string(k1_) + " and " + std::to_string(k2_) +
                        "; losses older than k2 steps would be in no update");
}

void TruncatedBPTT::begin(const State& state, Index /*batch*/, Dtype /*dtype*/) {
  steps_.clear();
  start_ = state;
  next_ = {};
  left_behind_ = fresh_ = 0;
}

std::optional<Update> TruncatedBPTT::read(const Tensor& x, const Tensor& target) {
  steps_.push_back({x, target});
  if (++fresh_ < k1_) return std::nullopt;
  if (left_behind_ > 0) {
    steps_.erase(steps_.begin(), steps_.begin() + std::exchange(left_behind_, 0));
    start_ = std::exchange(next_, {});
  }
  return update();
}

std::optional<Update> TruncatedBPTT::rest() { return fresh_ > 0 ? update() : std::nullopt; }

std::optional<Update> TruncatedBPTT::update() {
  const Index end = static_cast<Index>(steps_.size());
  const Index window = std::max(end - k2_, Index{0});             // begins here
  const Index following = std::max(end - (k2_ - k1_), Index{0});  // and the next one here
  const Index unlearned = end - fresh_;
  Tape tape;
  State state = start_;
  Variable loss;
  auto run_to = [&, at = Index{0}](Index stop) mutable {
    if (at == stop) return;
    memory::Vector<Variable> x, forced_outputs;
    for (Index t = at; t < stop; ++t) {
      const Step& step = steps_[static_cast<std::size_t>(t)];
      x.push_back(step.x);
      if (forced()) forced_outputs.push_back(teach(step.target));
    }
    UnrollOptions options{.draws = draws()};
    if (forced()) options.targets = stack(forced_outputs);
    Sequence sequence = rnn()(stack(x), state, options);
    for (Index t = std::max(at, unlearned); t < stop; ++t) {
      const Variable one =
          loss_of(select(sequence.outputs, 0, t - at), steps_[static_cast<std::size_t>(t)].target);
      if (one.defined()) loss = loss.defined() ? loss + one : one;
    }
    state = std::move(sequence.state);
    at = stop;
  };
  run_to(window);
  if (window > 0) state = detach(state);
  run_to(following);
  if (following > 0) next_ = detach(state);
  run_to(end);

  left_behind_ = following;
  state_ = detach(state);
  const Index learned = std::exchange(fresh_, 0);
  if (!loss.defined()) return std::nullopt;
  return Update{tape.gradients(loss), loss.item(), learned};
}

}  // namespace unroll::nn
