#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace unroll {
namespace {

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

}  // namespace

thread_local Tape* Tape::active_ = nullptr;
thread_local Tape* Tape::innermost_ = nullptr;
thread_local detail::TapeObserver* Tape::thread_observer_ = nullptr;

Variable::Variable(const Parameter& parameter) {
  if (Tape* tape = Tape::active()) {
    *this = tape->leaf(parameter);
    return;
  }
  if (!Tape::innermost_) Tape::check_not_elsewhere("parameter", parameter.tape());
  value_ = parameter.value();
}

Variable Variable::with_value(Tensor value) const {
  Variable place;
  place.value_ = std::move(value);
  place.tape_ = tape_;
  place.slot_ = slot_;
  place.base_ = base_;
  place.offset_ = offset_;
  return place;
}

Variable Variable::without_value() const { return with_value(value_.without_buffer()); }

Variable detach(const Variable& x) {
  detail::TapeObserver* observer = Tape::observer();
  return observer ? observer->detached(x.value()) : x.value();
}

/// The tapes of one thread. A tape may end on another thread than it began on, and a thread before
/// its tapes.
struct Tape::Home {
  Tape** active = &active_;
  Tape** innermost = &innermost_;

  Home() = default;
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home() {
    const std::scoped_lock lock(alive().mutex);
    for (Tape* tape = *innermost; tape; tape = tape->outer_) tape->home_ = nullptr;
  }

  /// All tapes of the process.
  struct Alive {
    std::mutex mutex;
    std::atomic<Tape*> first = nullptr;
  };
  static Alive& alive() {
    static auto* instance = new Alive;  // never destroyed: static tapes may end later
    return *instance;
  }
};

Tape::Home& Tape::home() {
  thread_local Home instance;
  return instance;
}

void Tape::check_thread(const char* operation) const {
  if (home_ != &home())
    throw TapeError(std::string(operation) +
                    ": the tape was made on another thread, and its operations record there; use "
                    "it on that thread, or give this thread a tape of its own");
}

/// `tape`: the identity of one that recorded an input, 0 for none.
void Tape::check_not_elsewhere(const char* operation, std::uint64_t tape) {
  Home::Alive& alive = Home::alive();
  if (tape == 0 || !alive.first.load(std::memory_order_acquire)) return;
  const std::scoped_lock lock(alive.mutex);
  for (const Tape* other = alive.first; other; other = other->next_alive_)
    if (other->id_ == tape)
      throw TapeError(std::string(operation) +
                      ": an input is on the tape of another thread, which does not record what "
                      "this thread computes; compute it on that thread, give this thread a tape of "
                      "its own, or make the input a constant with detach()");
}

Tape::Tape()
    : id_(next_identity()), home_(&home()), outer_(innermost_), resumes_(active_ != nullptr) {
  Home::Alive& alive = Home::alive();
  const std::scoped_lock lock(alive.mutex);
  next_alive_ = alive.first;
  if (next_alive_) next_alive_->previous_alive_ = this;
  alive.first = active_ = innermost_ = this;
}

Tape::~Tape() {
  if (observer_) [[unlikely]]
    observer_->ended(*this);
  for (BackwardPass* pass = pass_; pass; pass = pass->outer_) {
    pass->tape_ = nullptr;
    if (pass->outer_) continue;
    for (Node& node : nodes_)
      if (detail::Closure* closure = std::exchange(node.closure, nullptr))
        pass->left_.push_back(closure);
  }
  for (Node& node : nodes_)
    if (node.closure) node.closure->destroy();
  Home::Alive& alive = Home::alive();
  const std::scoped_lock lock(alive.mutex);
  if (previous_alive_)
    previous_alive_->next_alive_ = next_alive_;
  else
    alive.first = next_alive_;
  if (next_alive_) next_alive_->previous_alive_ = previous_alive_;
  if (!home_) return;
  // Tapes usually end in the reverse order of their making; one kept on the heap may not.
  Tape** link = home_->innermost;
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
  if (*home_->active == this) *home_->active = resumes_ ? *home_->innermost : nullptr;
}

const kernels::PackedMatrix* Tape::packed(const Variable& b, bool transposed, Index rows) {
  if (!innermost_ || b.tape_ != innermost_->id_) return nullptr;
  return innermost_->packing_.find(b.value(), transposed, rows);
}

Variable Tape::watch(const Tensor& value) {
  check_thread("watch");
  if (!value.defined() || !is_floating(value.dtype()))
    throw DtypeError("watch: only float32 and float64 have gradients, got " + describe(value));
  Variable leaf(value);
  leaf.tape_ = id_;
  leaf.slot_ = slots_++;
  watched_.push_back(leaf.without_value());
  return leaf;
}

Variable Tape::leaf(const Parameter& parameter) {
  Variable leaf(parameter.value());
  leaf.tape_ = id_;
  // The steps of a recurrence ask for the same few again and again.
  if (latest_ >= parameters_.size() || !(parameters_[latest_].first == parameter)) {
    const auto [found, is_new] =
        parameter_index_.try_emplace(parameter.identity(), parameters_.size());
    latest_ = found->second;
    if (is_new) {
      parameter.seen_by(id_);
      leaf.slot_ = slots_++;
      parameters_.emplace_back(parameter, leaf.without_value());
    }
  }
  leaf.slot_ = parameters_[latest_].second.slot_;
  return leaf;
}

void Tape::append(const char* operation, std::span<Variable> outputs, detail::Closure* closure) {
  const std::uint32_t first = slots_;
  for (Variable& output : outputs) {
    output.tape_ = id_;
    output.slot_ = slots_++;
  }
  nodes_.push_back({operation, closure, first, static_cast<std::uint32_t>(outputs.size())});
  // The closure has its owner now, so the observer may throw.
  if (observer_) [[unlikely]] {
    const std::size_t node = nodes_.size() - 1;
    for (Variable& output : outputs)
      output.value_ = observer_->recorded(operation, node, output.slot_, output.value_);
    observer_->appended(*this, operation, node, outputs);
  }
}

Variable Tape::view(const Variable& x, Tensor y) {
  const auto start = [](const Tensor& t) { return static_cast<const std::byte*>(t.address()); };
  Variable view;
  view.tape_ = id_;
  view.slot_ = x.slot_;
  view.base_ = x.base_;
  view.offset_ = x.offset_ + (start(y) - start(x.value())) / static_cast<Index>(size_of(y.dtype()));
  if (view.base_ == 0) {
    if (bases_.empty() || bases_.back().slot != x.slot_) bases_.push_back({x.slot_, x.shape()});
    view.base_ = static_cast<std::uint32_t>(bases_.size());
  }
  view.value_ = std::move(y);
  return view;
}

void Tape::pass_gradient(const Variable& output, const Variable& x) {
  if (x.tape_ == id_ && x.base_ != 0 && x.value().is_contiguous() && x.shape() == output.shape())
    passings_.push_back({output.slot_, x.without_value()});
}

std::vector<Parameter> Tape::parameters() const {
  std::vector<Parameter> seen;
  for (const auto& entry : parameters_) seen.push_back(entry.first);
  return seen;
}

Tape::Lambda Tape::lambda(std::size_t node) const {
  const Node& at = nodes_[node];
  if (!at.closure) return {at.operation, {}};
  return {at.operation, at.closure->lambda()};
}

TapeStatistics Tape::statistics() const {
  TapeStatistics statistics;
  statistics.operations = nodes_.size();
  statistics.bytes = nodes_.size() * sizeof(Node) + bases_.size() * sizeof(Base) +
                     passings_.size() * sizeof(Passing);
  for (const Node& node : nodes_) {
    if (!node.closure) continue;
    ++statistics.saved;
    statistics.bytes += node.closure->bytes();
  }
  return statistics;
}

const Parameter* Tape::parameter(std::uint32_t slot) const {
  // Slots are given out in order.
  const auto found = std::lower_bound(
      parameters_.begin(), parameters_.end(), slot,
      [](const auto& entry, std::uint32_t wanted) { return entry.second.slot_ < wanted; });
  return found != parameters_.end() && found->second.slot_ == slot ? &found->first : nullptr;
}

void Tape::throw_stale(const char* operation, const Variable& x) const {
  throw TapeError(std::string(operation) + ": an input " + describe(x.value()) +
                  " was recorded on another tape, which is gone or not the innermost one; carry a "
                  "value from tape to tape with detach(), and name it among the inputs of "
                  "checkpoint if f uses it");
}

void Tape::throw_not_recording(const char* operation) {
  throw TapeError(std::string(operation) +
                  ": there is no tape to record on; call record() only when recording() is true");
}

bool recording(const char* operation, std::span<const Variable> inputs) {
  const Tape* tape = Tape::active();
  if (!tape) {
    for (const Variable& input : inputs) Tape::check_unrecorded(operation, input);
    return false;
  }
  bool tracked = false;
  for (const Variable& input : inputs) tracked |= tape->tracks(operation, input);
  if (tracked && Tape::observer()) [[unlikely]] {
    std::vector<const Variable*> addresses;
    for (const Variable& input : inputs) addresses.push_back(&input);
    tape->tell_uses(operation, addresses);
  }
  return tracked;
}

bool recording(const char* operation, std::span<const Variable* const> inputs) {
  const Tape* tape = Tape::active();
  if (!tape) {
    for (const Variable* input : inputs) Tape::check_unrecorded(operation, *input);
    return false;
  }
  bool tracked = false;
  for (const Variable* input : inputs) tracked |= tape->tracks(operation, *input);
  if (tracked) tape->tell_uses(operation, inputs);
  return tracked;
}

}  // namespace unroll
