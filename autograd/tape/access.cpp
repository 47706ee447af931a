#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace extension {

const kernels::PackedMatrix* TapeAccess::packed(const Variable& b, bool transposed, Index rows) {
  Tape* tape = Tape::innermost_;
  if (!tape || b.tape_ != tape->id_) return nullptr;
  return tape->packing_.find(b.value(), transposed, rows);
}

void TapeAccess::append(Tape& tape, const char* operation, std::span<Variable> outputs,
                        detail::Closure* closure) {
  const std::uint32_t first = tape.slots_;
  for (Variable& output : outputs) {
    output.tape_ = tape.id_;
    output.slot_ = tape.slots_++;
  }
  tape.nodes_.push_back({operation, closure, first, static_cast<std::uint32_t>(outputs.size())});
  // The closure has its owner now, so the observer may throw.
  if (tape.observer_) [[unlikely]] {
    const std::size_t node = tape.nodes_.size() - 1;
    for (Variable& output : outputs)
      output.value_ = tape.observer_->recorded(operation, node, output.slot_, output.value_);
    tape.observer_->appended(tape, operation, node, outputs);
  }
}

Variable TapeAccess::view(Tape& tape, const Variable& x, Tensor y) {
  const auto start = [](const Tensor& t) { return static_cast<const std::byte*>(t.address()); };
  Variable view;
  view.tape_ = tape.id_;
  view.slot_ = x.slot_;
  view.base_ = x.base_;
  view.offset_ = x.offset_ + (start(y) - start(x.value())) / static_cast<Index>(size_of(y.dtype()));
  if (view.base_ == 0) {
    if (tape.bases_.empty() || tape.bases_.back().slot != x.slot_)
      tape.bases_.push_back({x.slot_, x.shape()});
    view.base_ = static_cast<std::uint32_t>(tape.bases_.size());
  }
  view.value_ = std::move(y);
  return view;
}

void TapeAccess::pass_gradient(Tape& tape, const Variable& output, const Variable& x) {
  if (x.tape_ == tape.id_ && x.base_ != 0 && x.value().is_contiguous() &&
      x.shape() == output.shape())
    tape.passings_.push_back({output.slot_, x.without_value()});
}

TapeAccess::Lambda TapeAccess::lambda(const Tape& tape, std::size_t node) {
  const Tape::Node& at = tape.nodes_[node];
  if (!at.closure) return {at.operation, {}};
  return {at.operation, at.closure->lambda()};
}

const Parameter* TapeAccess::parameter(const Tape& tape, std::uint32_t slot) {
  const auto found = std::find_if(
      tape.parameters_.begin(), tape.parameters_.end(),
      [&](const auto& entry) { return entry.second.recorded() && entry.second.slot_ == slot; });
  return found != tape.parameters_.end() ? &found->first : nullptr;
}

void TapeAccess::throw_not_recording(const char* operation) {
  throw TapeError(std::string(operation) +
                  ": there is no tape to record on; call record() only when recording() is true");
}

}  // namespace extension

bool recording(const char* operation, std::span<const Variable> inputs) {
  using extension::TapeAccess;
  const Tape* tape = Tape::active();
  if (!tape) {
    for (const Variable& input : inputs) TapeAccess::check_unrecorded(operation, input);
    return false;
  }
  bool tracked = false;
  for (const Variable& input : inputs) tracked |= TapeAccess::tracks(*tape, operation, input);
  if (tracked && TapeAccess::observer()) [[unlikely]] {
    std::vector<const Variable*> addresses;
    for (const Variable& input : inputs) addresses.push_back(&input);
    TapeAccess::announce(*tape, operation, addresses);
  }
  return tracked;
}

bool recording(const char* operation, std::span<const Variable* const> inputs) {
  using extension::TapeAccess;
  const Tape* tape = Tape::active();
  if (!tape) {
    for (const Variable* input : inputs) TapeAccess::check_unrecorded(operation, *input);
    return false;
  }
  bool tracked = false;
  for (const Variable* input : inputs) tracked |= TapeAccess::tracks(*tape, operation, *input);
  if (tracked) TapeAccess::announce(*tape, operation, inputs);
  return tracked;
}

}  // namespace unroll
