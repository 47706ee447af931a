#include <autograd/tensor/error.hpp>
#include <nn/module.hpp>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

std::string between(const std::string& path, const std::string& name, const std::string& end) {
  std::string all = path;
  return all.append(name).append(end);
}

}  // namespace

struct Module::Members {
  struct Child {
    std::string name, suffix;
    std::shared_ptr<Members> members;
  };
  struct Listed {
    std::string name;  // here; a shared one may have another name elsewhere
    Parameter parameter;
  };
  std::vector<Listed> parameters;
  std::vector<Buffer> buffers;
  std::vector<Child> children;
  std::unordered_set<std::string> names;  // of parameters and named children, those they had then
  std::string name;                       // by which scope() calls it
  bool training = true;

  Members() = default;
  Members(const Members& other)
      : parameters(other.parameters),
        buffers(other.buffers),
        names(other.names),
        name(other.name),
        training(other.training) {
    for (const Child& child : other.children)
      children.push_back({child.name, child.suffix, copy_of(child.members)});
  }
  Members& operator=(const Members&) = delete;
  ~Members() = default;

  /// The same members, or their deep copy while there is a DeepCopies.
  static std::shared_ptr<Members> copy_of(const std::shared_ptr<Members>& members) {
    auto* deep = unroll::detail::DeepCopies::active();
    return deep ? deep->of(members) : members;
  }

  /// Calls `see(path, members, suffix)` for this module and those below it, from the top.
  template <class See>
  void visit(const std::string& prefix, const std::string& suffix, const See& see) const {
    see(prefix, *this, suffix);
    for (const Child& child : children) {
      std::string path = prefix;
      if (!child.name.empty()) path.append(child.name).append(1, '.');
      child.members->visit(path, child.suffix + suffix, see);
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
Module::Module(const Module& other) : members_(Members::copy_of(other.members_)) {}

Module::Members& Module::members() const {
  if (!members_)
    throw ArgumentError(
        "module: it was moved elsewhere and nothing is left here; use what it was "
        "moved to, or copy it (a copy shares the parameters)");
  return *members_;
}

std::vector<Module::Named> Module::named_parameters() const {
  std::vector<Named> all;
  members().visit("", "", [&](const std::string& path, const Members& of, const std::string& end) {
    for (const auto& [name, parameter] : of.parameters)
      all.push_back({between(path, name, end), parameter});
  });
  return all;
}

std::vector<Module::NamedBuffer> Module::named_buffers() const {
  std::vector<NamedBuffer> all;
  members().visit("", "", [&](const std::string& path, const Members& of, const std::string& end) {
    for (const Buffer& one : of.buffers) all.push_back({between(path, one.name(), end), one});
  });
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
  for (auto& [name, buffer] : named_buffers()) buffer.set(buffer.value().to(dtype));
}

void Module::freeze(bool on) {
  for (Parameter& parameter : parameters()) parameter.freeze(on);
}

void Module::claim(const char* what, const std::string& name) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw ArgumentError(
        "module: the name '" + name +
        "' of a parameter or buffer is empty or has a dot, which separates modules");
  if (!members().names.insert(name).second)
    throw ArgumentError(std::string(what) + ": the name '" + name + "' is taken in this module");
}

Parameter Module::parameter(std::string name, Tensor value) {
  Parameter made(std::move(name), std::move(value));
  claim("parameter", made.name());
  return members().parameters.emplace_back(Members::Listed{made.name(), made}).parameter;
}

Parameter Module::share(std::string name, const Parameter& parameter) {
  claim("share", name);
  return members().parameters.emplace_back(Members::Listed{std::move(name), parameter}).parameter;
}

Buffer Module::buffer(std::string name, Tensor value) {
  Buffer made(std::move(name), std::move(value));
  claim("buffer", made.name());
  return members().buffers.emplace_back(std::move(made));
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
  child.members().visit(name.empty() ? "" : name + '.', suffix,
                        [&](const std::string& path, const Members& of, const std::string& end) {
                          for (const auto& one : of.parameters)
                            claimed.push_back(between(path, one.name, end));
                          for (const Buffer& one : of.buffers)
                            claimed.push_back(between(path, one.name(), end));
                        });
  for (const std::string& wanted : claimed)
    if (own.names.contains(wanted))
      throw ArgumentError("add: the name '" + (wanted == own_name ? name + suffix : wanted) +
                          "' is taken in this module");
  own.names.insert(claimed.begin(), claimed.end());
  own.children.push_back({name, suffix, child.members_});
  if (name.empty() && suffix.empty()) return;
  // The layer of a cell, "_l0", stands behind its parameters' names.
  const bool is_layer = name.empty() && suffix.starts_with('_');
  child.members().name = is_layer ? suffix.substr(1) : name + suffix;
}

}  // namespace unroll::nn
