#include <autograd/error.hpp>
#include <nn/module.hpp>

#include <algorithm>

namespace unroll::nn {

struct Module::Members {
  struct Child {
    std::string name, suffix;
    std::shared_ptr<Members> members;
  };
  std::vector<Parameter> parameters;
  std::vector<Child> children;
  std::string name;  // by which scope() calls it
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

std::vector<Module::Named> Module::named_parameters() const {
  std::vector<Named> all;
  members_->collect("", "", all);
  return all;
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> unique;
  for (const Named& named : named_parameters())
    if (std::find(unique.begin(), unique.end(), named.parameter) == unique.end())
      unique.push_back(named.parameter);
  return unique;
}

Index Module::parameter_count() const {
  Index count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.value().size();
  return count;
}

void Module::train(bool on) { members_->train(on); }
bool Module::training() const { return members_->training; }
Scope Module::scope() const { return Scope(members_->name); }

void Module::to(Dtype dtype) {
  for (Parameter& parameter : parameters()) parameter.set(parameter.value().to(dtype));
}

Parameter Module::parameter(std::string name, Tensor value) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw ArgumentError("parameter: the name '" + name +
                        "' is empty or has a dot, which separates modules");
  for (const Named& other : named_parameters())
    if (other.name == name)
      throw ArgumentError("parameter: the name '" + name + "' is taken in this module");
  return members_->parameters.emplace_back(std::move(name), std::move(value));
}

void Module::adopt(const std::string& name, const Module& child, const std::string& suffix) {
  const auto refuse = [](const std::string& taken) {
    throw ArgumentError("add: the name '" + taken + "' is taken in this module");
  };
  if (child.members_->holds(*members_))
    throw ArgumentError("add: a module cannot be a part of itself");
  for (const Members::Child& other : members_->children)
    if (!name.empty() && other.name == name && other.suffix == suffix) refuse(name + suffix);
  // Parameters of an unnamed child stand beside ours, where one name may meet another.
  std::vector<Named> added;
  child.members_->collect(name.empty() ? "" : name + '.', suffix, added);
  for (const Named& own : named_parameters())
    for (const Named& other : added)
      if (other.name == own.name) refuse(own.name);
  members_->children.push_back({name, suffix, child.members_});
  // The layer of a cell, "_l0", stands behind its parameters' names.
  const bool is_layer = name.empty() && suffix.starts_with('_');
  child.members_->name = is_layer ? suffix.substr(1) : name + suffix;
}

}  // namespace unroll::nn
