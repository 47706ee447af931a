// How each kind of object is read and set.
#include <cxxabi.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/checkpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>
#include <typeinfo>

namespace unroll::nn {
namespace {

constexpr const char* kRate = "learning_rate";

/// Takes the tensors of an entry one by one and lists what does not fit.
class Fitting {
 public:
  explicit Fitting(const NamedTensors& tensors) {
    for (const auto& [name, value] : tensors) left_.emplace(name, value);
  }

  /// Undefined when there is none.
  Tensor take(const std::string& name) {
    const auto found = left_.extract(name);
    if (!found) report(name, "not in the file");
    return found ? found.mapped() : Tensor();
  }
  /// Undefined unless it has this shape and dtype.
  Tensor take(const std::string& name, const Shape& shape, Dtype dtype) {
    Tensor value = take(name);
    if (!value.defined() || (value.shape() == shape && value.dtype() == dtype)) return value;
    report(name,
           describe(value) + " in the file, " + describe(Tensor::empty(shape, dtype)) + " here");
    return {};
  }
  void report(const std::string& name, const std::string& what) {
    wrong_.append("\n    ").append(name).append(name.empty() ? "" : ": ").append(what);
  }
  void finish() {
    for (const auto& [name, value] : left_) report(name, describe(value) + " left over");
    if (!wrong_.empty()) throw FormatError(wrong_);
  }

 private:
  std::map<std::string, Tensor> left_;
  std::string wrong_;
};

Tensor scalar(auto value) { return Tensor::of({}, std::vector{value}); }

/// `Adam`: optimizers whose tensors have the same names must not take each other's.
std::string kind_of(const Optimizer& optimizer) {
  const char* name = typeid(optimizer).name();
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, nullptr), &std::free);
  const std::string whole = readable ? readable.get() : name;
  const std::size_t colon = whole.rfind(':');
  return "optimizer " + (colon == std::string::npos ? whole : whole.substr(colon + 1));
}

Tensor value_of(const Variable& variable, const std::string& name) {
  if (!variable.defined()) throw ArgumentError("checkpoint: the state " + name + " is undefined");
  return variable.value();
}

State take_state(Fitting& fitting, const std::string& prefix, std::int64_t count) {
  State state;
  for (std::int64_t k = 0; k < count; ++k) {
    const Tensor value = fitting.take(prefix + std::to_string(k));
    if (!value.defined()) break;  // reported
    state.push_back(Variable(value));
  }
  return state;
}

/// The tensors of a module by their paths. One that is shared has several.
template <class F>
void for_each_tensor(const Module& module, F&& f) {
  for (const auto& [name, parameter] : module.named_parameters()) f(name, parameter);
  for (const auto& [name, buffer] : module.named_buffers()) f(name, buffer);
}

void set_module(const Module& module, const NamedTensors& tensors) {
  Fitting fitting(tensors);
  std::vector<std::function<void()>> changes;
  for_each_tensor(module, [&](const std::string& name, auto own) {
    Tensor value = fitting.take(name, own.shape(), own.dtype());
    changes.push_back([own, value]() mutable { own.set(std::move(value)); });
  });
  fitting.finish();
  for (const auto& change : changes) change();
}

}  // namespace

void Checkpoint::add(const std::string& name, Module& module, Presence presence) {
  const auto read = [module] {
    Content content;
    for_each_tensor(module, [&](const std::string& path, const auto& own) {
      content.tensors.emplace_back(path, own.value());
    });
    return content;
  };
  add_entry({name, "module", presence, read,
             [module](const Content& content) { set_module(module, content.tensors); }});
}

void Checkpoint::add(const std::string& name, Optimizer& optimizer, const Module& module,
                     Presence presence) {
  const auto read = [&optimizer, module] {
    Content content{.kind = {}, .tensors = optimizer.state(module), .text = {}};
    content.tensors.emplace_back(kRate, scalar(optimizer.learning_rate()));
    return content;
  };
  const auto set = [&optimizer, module](const Content& content) {
    NamedTensors state = content.tensors;
    const auto rate = std::find_if(state.begin(), state.end(),
                                   [](const auto& entry) { return entry.first == kRate; });
    Fitting fitting(rate == state.end() ? NamedTensors{} : NamedTensors{*rate});
    const Tensor value = fitting.take(kRate, {}, Dtype::float64);
    if (value.defined() && !(value.item() >= 0.0))
      fitting.report(kRate, "negative or not a number");
    fitting.finish();
    state.erase(rate);
    optimizer.set_state(module, state);
    optimizer.set_learning_rate(value.item());
  };
  add_entry({name, kind_of(optimizer), presence, read, set});
}

void Checkpoint::add(const std::string& name, Generator& generator, Presence presence) {
  const auto read = [&generator] {
    const std::vector words{static_cast<std::int64_t>(generator.seed()),
                            static_cast<std::int64_t>(generator.stream()),
                            static_cast<std::int64_t>(generator.position())};
    return Content{.kind = {}, .tensors = {{"", Tensor::of({3}, words)}}, .text = {}};
  };
  const auto set = [&generator](const Content& content) {
    Fitting fitting(content.tensors);
    const Tensor value = fitting.take("", {3}, Dtype::int64);
    fitting.finish();
    const auto* words = value.data<std::int64_t>();
    generator =
        Generator(static_cast<std::uint64_t>(words[0]), static_cast<std::uint64_t>(words[1]));
    generator.set_position(static_cast<std::uint64_t>(words[2]));
  };
  add_entry({name, "generator", presence, read, set});
}

void Checkpoint::add(const std::string& name, States& states, Presence presence) {
  const auto read = [&states] {
    Content content;
    std::vector<std::int64_t> counts;
    for (const State& state : states) {
      for (std::size_t k = 0; k < state.size(); ++k) {
        const std::string path = std::to_string(counts.size()) + '.' + std::to_string(k);
        content.tensors.emplace_back(path, value_of(state[k], path));
      }
      counts.push_back(static_cast<std::int64_t>(state.size()));
    }
    content.tensors.emplace_back("layers", Tensor::of({static_cast<Index>(counts.size())},
                                                      std::span<const std::int64_t>(counts)));
    return content;
  };
  const auto set = [&states](const Content& content) {
    Fitting fitting(content.tensors);
    const Tensor layers = fitting.take("layers");
    const bool given = layers.defined() && layers.rank() == 1 && layers.dtype() == Dtype::int64;
    if (!given) fitting.report("layers", "expected the number of tensors of each layer");
    States loaded;
    for (Index layer = 0; given && layer < layers.size(); ++layer)
      loaded.push_back(
          take_state(fitting, std::to_string(layer) + '.', layers.data<std::int64_t>()[layer]));
    fitting.finish();
    states = std::move(loaded);
  };
  add_entry({name, "states", presence, read, set});
}

void Checkpoint::add(const std::string& name, State& state, Presence presence) {
  const auto read = [&state] {
    Content content;
    for (std::size_t k = 0; k < state.size(); ++k)
      content.tensors.emplace_back(std::to_string(k), value_of(state[k], std::to_string(k)));
    return content;
  };
  const auto set = [&state](const Content& content) {
    Fitting fitting(content.tensors);
    State loaded = take_state(fitting, "", static_cast<std::int64_t>(content.tensors.size()));
    fitting.finish();
    state = std::move(loaded);
  };
  add_entry({name, "state", presence, read, set});
}

void Checkpoint::add(const std::string& name, Tensor& tensor, Presence presence) {
  const auto read = [&tensor] {
    Content content;
    if (tensor.defined()) content.tensors.emplace_back("", tensor);
    return content;
  };
  const auto set = [&tensor](const Content& content) {
    Fitting fitting(content.tensors);
    Tensor value = content.tensors.empty() ? Tensor() : fitting.take("");
    fitting.finish();
    tensor = std::move(value);
  };
  add_entry({name, "tensor", presence, read, set});
}

template <class T>
void Checkpoint::add_scalar(const std::string& name, const char* kind, T& value,
                            Presence presence) {
  using Stored = std::conditional_t<std::is_same_v<T, double>, double, std::int64_t>;
  const auto read = [&value] {
    return Content{.kind = {}, .tensors = {{"", scalar(static_cast<Stored>(value))}}, .text = {}};
  };
  const auto set = [&value](const Content& content) {
    Fitting fitting(content.tensors);
    const Tensor loaded = fitting.take("", {}, dtype_of<Stored>());
    fitting.finish();
    value = static_cast<T>(*loaded.data<Stored>());
  };
  add_entry({name, kind, presence, read, set});
}

void Checkpoint::add(const std::string& name, std::int64_t& value, Presence presence) {
  add_scalar(name, "integer", value, presence);
}

void Checkpoint::add(const std::string& name, double& value, Presence presence) {
  add_scalar(name, "number", value, presence);
}

void Checkpoint::add(const std::string& name, bool& value, Presence presence) {
  add_scalar(name, "boolean", value, presence);
}

void Checkpoint::add(const std::string& name, std::string& value, Presence presence) {
  add_entry({name, "string", presence,
             [&value] { return Content{.kind = {}, .tensors = {}, .text = value}; },
             [&value](const Content& content) {
               Fitting(content.tensors).finish();
               value = content.text;
             }});
}

void Checkpoint::add_object(const std::string& name, std::function<NamedTensors()> state,
                            std::function<void(const NamedTensors&)> set_state, Presence presence) {
  const auto read = [state = std::move(state)] {
    return Content{.kind = {}, .tensors = state(), .text = {}};
  };
  const auto set = [set_state = std::move(set_state)](const Content& content) {
    set_state(content.tensors);
  };
  add_entry({name, "object", presence, read, set});
}

}  // namespace unroll::nn
