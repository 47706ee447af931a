#include <autograd/tape/record.hpp>
#include <autograd/tape/substitution.hpp>
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
thread_local extension::TapeObserver* Tape::thread_observer_ = nullptr;

Variable::Variable(const Parameter& parameter) {
  if (const Variable* substitute = Substitution::find(parameter)) {
    *this = *substitute;
    return;
  }
  if (Tape* tape = Tape::active()) {
    *this = tape->leaf(parameter);
    return;
  }
  if (!Tape::innermost_ && !parameter.frozen())
    Tape::check_not_elsewhere("parameter", parameter.tape());
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
  extension::TapeObserver* observer = extension::TapeAccess::observer();
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
  // The steps of a recurrence ask for the same few again and again.
  if (latest_ >= parameters_.size() || !(parameters_[latest_].first == parameter)) {
    const auto [found, is_new] =
        parameter_index_.try_emplace(parameter.identity(), parameters_.size());
    latest_ = found->second;
    if (is_new) parameters_.emplace_back(parameter, leaf.without_value());
  }
  if (parameter.frozen()) return leaf;
  Variable& known = parameters_[latest_].second;
  if (!known.recorded()) {
    parameter.seen_by(id_);
    known.tape_ = id_;
    known.slot_ = slots_++;
  }
  leaf.tape_ = id_;
  leaf.slot_ = known.slot_;
  return leaf;
}

std::vector<Parameter> Tape::parameters() const {
  std::vector<Parameter> seen;
  for (const auto& entry : parameters_) seen.push_back(entry.first);
  return seen;
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

void Tape::throw_stale(const char* operation, const Variable& x) const {
  throw TapeError(std::string(operation) + ": an input " + describe(x.value()) +
                  " was recorded on another tape, which is gone or not the innermost one; carry a "
                  "value from tape to tape with detach(), and name it among the inputs of "
                  "checkpoint if f uses it");
}

}  // namespace unroll
