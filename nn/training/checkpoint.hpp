#pragma once

#include <autograd/tensor/random.hpp>
#include <autograd/tensor/tensor.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/module.hpp>
#include <nn/optim/optimizer.hpp>
#include <nn/recurrent/cell.hpp>
#include <nn/saved_state.hpp>
#include <nn/wrappers/stacked.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {

/// An object that returns what it remembers and continues from it: a schedule, a shuffled order.
/// set_state throws FormatError, and changes nothing, for a state that does not fit.
template <class T>
concept Stateful = requires(T& object, const T& constant, const NamedTensors& state) {
  { constant.state() } -> std::convertible_to<NamedTensors>;
  object.set_state(state);
};

/// The same for an object whose entries are named by the paths of a module's parameters: an
/// optimizer, averaged weights.
template <class T>
concept StatefulOfModule = requires(T& object, const T& constant, const Module& module,
                                    const NamedTensors& state) {
  { constant.state(module) } -> std::convertible_to<NamedTensors>;
  object.set_state(module, state);
};

/// Options of Checkpoint::load.
struct CheckpointLoadOptions {
  /// Entries and settings of the file that are not registered are skipped: to load only the model.
  bool ignore_others = false;
};

/// What a training run needs to continue bit for bit, in one file. Each object is registered once,
/// under a name; save() and load() then read and set all of them. What is registered must outlive
/// the checkpoint; a module is a handle and need not.
///
///     nn::Checkpoint checkpoint;
///     checkpoint.require("hidden", "128");
///     checkpoint.add("model", model);
///     checkpoint.add("optimizer", adam, model);
///     checkpoint.add("generator", default_generator());
///     checkpoint.add("states", states);
///     checkpoint.add("step", step);
///     if (resume) checkpoint.load("run.safetensors");
///     while (step < steps) { ...; checkpoint.save("run.safetensors"); }
///
/// The file is a safetensors file with a checksum; docs/checkpoints.md describes its layout. Names
/// must be unique, not empty and without dots: every add() throws ArgumentError otherwise.
class Checkpoint {
 public:
  /// Whether a file must have the entry. An optional one that it lacks stays as it is: for what a
  /// newer version of a program registers in addition.
  enum class Presence { required, optional };
  using enum Presence;

  /// Parameters and buffers.
  void add(const std::string& name, Module& module, Presence presence = Presence::required);
  /// Optimizer::state and the learning rate. `module` names the parameters.
  void add(const std::string& name, Optimizer& optimizer, const Module& module,
           Presence presence = Presence::required);
  /// Seed, stream and position.
  void add(const std::string& name, Generator& generator, Presence presence = Presence::required);
  /// The state of each layer, as constants: any number of layers and tensors, or none.
  void add(const std::string& name, States& states, Presence presence = Presence::required);
  void add(const std::string& name, State& state, Presence presence = Presence::required);
  /// May be undefined.
  void add(const std::string& name, Tensor& tensor, Presence presence = Presence::required);
  void add(const std::string& name, std::int64_t& value, Presence presence = Presence::required);
  void add(const std::string& name, double& value, Presence presence = Presence::required);
  void add(const std::string& name, bool& value, Presence presence = Presence::required);
  /// UTF-8.
  void add(const std::string& name, std::string& value, Presence presence = Presence::required);

  /// What the object returns and takes as its state.
  template <Stateful T>
  requires(!std::derived_from<T, Module>) void add(const std::string& name, T& object,
                                                   Presence presence = Presence::required) {
    add_object(
        name, [&object] { return NamedTensors(object.state()); },
        [&object](const NamedTensors& state) { object.set_state(state); }, presence);
  }
  /// The same with a module that names the parameters.
  template <StatefulOfModule T>
  requires(!std::derived_from<T, Optimizer>) void add(const std::string& name, T& object,
                                                      const Module& module,
                                                      Presence presence = Presence::required) {
    add_object(
        name, [&object, module] { return NamedTensors(object.state(module)); },
        [&object, module](const NamedTensors& state) { object.set_state(module, state); },
        presence);
  }

  /// A setting that must be the same when the file is loaded: the kind of cell, a size. Throws as
  /// add() does.
  void require(const std::string& name, const std::string& value);

  /// Writes the file, replacing an older one only once the new one is complete and on the disk.
  /// `notes` stand in the metadata for whoever reads the file; load() skips them. Throws Error when
  /// the file cannot be written, ArgumentError for an undefined state and for text that is not
  /// UTF-8.
  void save(const std::string& path, const std::map<std::string, std::string>& notes = {}) const;

  /// Sets everything that is registered. Changes nothing unless all of it fits. Throws FormatError
  /// listing each entry that is missing, left over, or of another kind, shape, dtype or setting,
  /// and what read_checkpoint throws.
  void load(const std::string& path, const CheckpointLoadOptions& options = {});

 private:
  /// What an entry has in the file.
  struct Content {
    std::string kind;
    NamedTensors tensors;  ///< named within the entry; an empty name if there is only one
    std::string text;
  };
  struct Entry {
    std::string name;
    std::string kind;
    Presence presence;
    std::function<Content()> read;
    std::function<void(const Content&)> set;  ///< throws, and changes nothing, if it does not fit
  };

  void add_entry(Entry entry);
  void add_object(const std::string& name, std::function<NamedTensors()> state,
                  std::function<void(const NamedTensors&)> set_state, Presence presence);
  template <class T>
  void add_scalar(const std::string& name, const char* kind, T& value, Presence presence);
  static std::map<std::string, Content> contents_of(const TensorFile& file);
  void compare_settings(const TensorFile& file, const CheckpointLoadOptions& options,
                        std::string& wrong) const;
  void set_all(const std::map<std::string, Content>& contents, const std::string& path,
               std::string wrong);

  std::vector<Entry> entries_;
  std::map<std::string, std::string> settings_;
};

}  // namespace unroll::nn
