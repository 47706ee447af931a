#include <autograd/tensor/error.hpp>
#include <nn/module.hpp>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace unroll::nn {

struct Module::Members {
  struct Child {
    std::string name, suffix;
    std::shared_ptr<Members> members;
  };
  std::vector<Parameter> parameters;
  std::vector<Child> children;
  std::unordered_set<std::string> names;  // of parameters and named children, those they had then
  std::string name;                       // by which scope() calls it
  bool training = true;

  void collect(const std::string& prefix, const std::string& suffix,
               std::vector<Named>& into) const {
    for (const Parameter& parameter : parameters) {
      std::string path = prefix;
      path.append(parameter.name()).append(suffix);
      into.push_back({std::move(path), parameter});
    }
    for (const Child& child : children) {
      std::string path = prefix;
      if (!child.name.empty()) path.append(child.name).append(1, '.');
      child.members->collect(path, child.suffix + suffix, into);
    }
  }

  bool holds(const Members& other) const {
    return this == &other || std::any_of(children.begin(), children.end(), [&](const Child& child) {
             return child.members->holds(other);
           });
  }

  void train(bool on) {
    training = on;
    for (const Child& child : children) child.members->train(on);
  }
};

Module::Module() : members_(std::make_shared<Members>()) {}

Module::Members& Module::members() const {
  if (!members_)
    throw ArgumentError(
        "module: it was moved elsewhere and nothing is left here; use what it was "
        "moved to, or copy it (a copy shares the parameters)");
  return *members_;
}

std::vector<Module::Named> Module::named_parameters() const {
  std::vector<Named> all;
  members().collect("", "", all);
  return all;
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> unique;
  std::unordered_set<const void*> seen;
  for (const Named& named : named_parameters())
    if (seen.insert(named.parameter.identity()).second) unique.push_back(named.parameter);
  return unique;
}

Index Module::parameter_count() const {
  Index count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.value().size();
  return count;
}

void Module::train(bool on) { members().train(on); }
bool Module::training() const { return members().training; }
Scope Module::scope() const { return Scope(members().name); }

void Module::to(Dtype dtype) {
  for (Parameter& parameter : parameters()) parameter.set(parameter.value().to(dtype));
}

Parameter Module::parameter(std::string name, Tensor value) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw ArgumentError("parameter: the name '" + name +
                        "' is empty or has a dot, which separates modules");
  if (members().names.contains(name))
    throw ArgumentError("parameter: the name '" + name + "' is taken in this module");
  Parameter made(std::move(name), std::move(value));
  members().parameters.push_back(made);
  members().names.insert(made.name());
  return made;
}

void Module::adopt(const std::string& name, const Module& child, const std::string& suffix) {
  Members& own = members();
  if (child.members().holds(own)) throw ArgumentError("add: a module cannot be a part of itself");
  // A named child claims its name; its parameters may still meet those of an unnamed one, which
  // stand beside ours.
  std::string own_name = name;
  own_name.append("..").append(suffix);
  std::vector<std::string> claimed;
  if (!name.empty()) claimed.push_back(own_name);
  std::vector<Named> added;
  child.members().collect(name.empty() ? "" : name + '.', suffix, added);
  for (Named& parameter : added) claimed.push_back(std::move(parameter.name));
  for (const std::string& wanted : claimed)
    if (own.names.contains(wanted))
      throw ArgumentError("add: the name '" + (wanted == own_name ? name + suffix : wanted) +
                          "' is taken in this module");
  own.names.insert(claimed.begin(), claimed.end());
  own.children.push_back({name, suffix, child.members_});
  // The layer of a cell, "_l0", stands behind its parameters' names.
  const bool is_layer = name.empty() && suffix.starts_with('_');
  child.members().name = is_layer ? suffix.substr(1) : name + suffix;
}

}  // namespace unroll::nn
