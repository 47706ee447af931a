#include <autograd/inspect/inspector.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tape/activation.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace unroll::extension {

std::string Place::module() const {
  std::string path;
  for (const Frame& frame : frames) {
    if (frame.module.empty()) continue;
    if (!path.empty()) path += '.';
    path += frame.module;
  }
  return path;
}

std::optional<Index> Place::time_step() const {
  std::optional<Index> innermost;
  for (const Frame& frame : frames)
    if (frame.time_step) innermost = frame.time_step;
  return innermost;
}

std::string Place::to_string() const {
  std::string text;
  if (const std::string path = module(); !path.empty()) text += " in " + path;
  if (const auto t = time_step()) text += " at time step " + std::to_string(*t);
  return text;
}

/// What the tapes of a thread tell, with the place and the inputs of each operation, to every
/// inspector. It keeps what it knows of a tape until that ends.
class Inspection final : public TapeObserver {
 public:
  static Inspection& of_thread() {
    thread_local Inspection instance;
    return instance;
  }

  void add(Inspector* inspector) {
    inspectors_.push_back(inspector);
    TapeAccess::observe_thread(this);
    if (Tape::active() && !TapeAccess::observer()) TapeAccess::observe(*Tape::active(), this);
  }
  void remove(Inspector* inspector) {
    std::erase(inspectors_, inspector);
    if (inspectors_.empty()) TapeAccess::observe_thread(nullptr);
  }

  void entered(std::string_view module, std::optional<Index> time_step) override {
    frames_.push_back({std::string(module), time_step});
    place_.reset();
    tell([](Inspector& inspector) { inspector.moved(); });
  }
  void left() noexcept override {
    frames_.pop_back();
    place_.reset();
    tell([](Inspector& inspector) { inspector.moved(); });
  }

  void uses(const char* operation, std::span<const Variable* const> inputs) override {
    if (inspectors_.empty()) return;
    Notes& notes = tapes_[TapeAccess::id(*Tape::active())];
    notes.announced = operation;
    notes.inputs.clear();
    for (const Variable* input : inputs)
      if (input->defined() || input->recorded()) notes.inputs.push_back(*input);
  }

  void appended(const Tape& tape, const char* operation, std::size_t node,
                std::span<const Variable> outputs) override {
    if (inspectors_.empty()) return;
    Notes& notes = tapes_[TapeAccess::id(tape)];
    SeenTape& seen = notes.seen;
    if (seen.size() <= node) seen.resize(node + 1);
    seen[node] = {operation, place(), {}, outputs.empty() ? 0 : TapeAccess::slot(outputs[0])};
    if (notes.announced == operation) seen[node].inputs = std::move(notes.inputs);
    notes.announced.clear();
    notes.inputs.clear();
    // What the operation saves decides how long the numbers live, not what is known of it.
    const Forget forget{seen[node].inputs};
    tell([&](Inspector& inspector) { inspector.recorded(tape, seen[node], outputs); });
  }
  Tensor recorded(const char*, std::size_t, std::uint32_t, const Tensor& value) override {
    return value;
  }
  Tensor detached(const Tensor& value) override { return value; }

  void vjp_begins(const Tape& tape, const char* operation, std::size_t node,
                  std::span<const Variable> gradients) override {
    SeenOperation current{operation, std::make_shared<Place>(), {}, 0};
    if (!inspectors_.empty()) {
      Notes& notes = tapes_[TapeAccess::id(tape)];
      notes.inputs.clear();
      const SeenTape& seen = notes.seen;
      if (node < seen.size() && seen[node].place) current = seen[node];
      tell([&](Inspector& inspector) { inspector.vjp_begins(tape, seen, current, gradients); });
    }
    // What the vjp records stands where its operation stood.
    place_ = current.place;
    std::vector<Place::Frame> inside = place_->frames;
    vjps_.push_back({std::move(current), std::exchange(frames_, std::move(inside))});
  }
  void vjp_ended() noexcept override {
    Vjp vjp = std::move(vjps_.back());
    vjps_.pop_back();
    frames_ = std::move(vjp.outside);
    place_.reset();
    tell([&](Inspector& inspector) { inspector.vjp_ended(vjp.operation); });
  }

  void gathered(const Tape& tape, std::uint32_t slot, const Variable& gradient) override {
    const SeenTape& seen = tapes_[TapeAccess::id(tape)].seen;
    tell([&](Inspector& inspector) { inspector.gathered(tape, seen, slot, gradient); });
  }
  void ended(const Tape& tape) noexcept override { tapes_.erase(TapeAccess::id(tape)); }

 private:
  /// What the inspectors compute meanwhile is not recorded.
  template <class Tell>
  void tell(const Tell& tell) {
    const TapeAccess::Activation nothing(nullptr);
    for (Inspector* inspector : inspectors_) tell(*inspector);
  }

  /// The values of inputs go when all have seen them, or one of them has thrown.
  struct Forget {
    std::vector<Variable>& inputs;
    ~Forget() {
      for (Variable& input : inputs) input = input.without_value();
    }
  };
  /// What is known of a tape. An operation that runs an inner tape is announced before that one's.
  struct Notes {
    SeenTape seen;
    std::string announced;  // the operation that is to be recorded next, and what it reads
    std::vector<Variable> inputs;
  };
  struct Vjp {
    SeenOperation operation;
    std::vector<Place::Frame> outside;
  };

  const std::shared_ptr<const Place>& place() {
    if (place_) return place_;
    const auto place = std::make_shared<Place>();
    for (const Place::Frame& frame : frames_)
      if (!frame.module.empty() || frame.time_step) place->frames.push_back(frame);
    return place_ = place;
  }

  std::vector<Inspector*> inspectors_;
  std::vector<Place::Frame> frames_;
  std::shared_ptr<const Place> place_;  // of frames_, once it was needed
  std::vector<Vjp> vjps_;               // that run; one inside the other when tapes nest
  std::unordered_map<std::uint64_t, Notes> tapes_;
};

Inspector::Inspector() { Inspection::of_thread().add(this); }
Inspector::~Inspector() { Inspection::of_thread().remove(this); }

std::vector<const SeenOperation*> users(const SeenTape& seen, std::uint32_t slot) {
  std::vector<const SeenOperation*> found;
  for (const SeenOperation& operation : seen)
    if (std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](const Variable& input) {
          return input.recorded() && TapeAccess::slot(input) == slot;
        }))
      found.push_back(&operation);
  return found;
}

}  // namespace unroll::extension
