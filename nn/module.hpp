#pragma once

#include <autograd/tape/parameter.hpp>
#include <autograd/tape/scope.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

/// A named tensor of a module that is saved, loaded and converted with it and never trained: a
/// reservoir's weights, a fixed transition matrix, statistics of the data. A handle, as Parameter.
/// Operations take it as a constant.
class Buffer {
 public:
  /// Throws DtypeError unless the value is float32 or float64.
  Buffer(std::string name, Tensor value) : held_(std::move(name), std::move(value)) {
    held_.freeze();
  }

  const std::string& name() const { return held_.name(); }
  const Tensor& value() const { return held_.value(); }
  const Shape& shape() const { return held_.shape(); }
  Dtype dtype() const { return held_.dtype(); }
  operator Variable() const { return held_; }

  /// As Parameter::set.
  void set(Tensor value) { held_.set(std::move(value)); }

 private:
  Parameter held_;
};

/// A part of a network: parameters of its own and child modules, all named. A module is a handle:
/// copies share parameters, so modules can be moved, stored and passed by value. One that was moved
/// from throws ArgumentError when it is used. nn::clone() makes an independent copy.
///
///     class Readout : public Module {
///      public:
///       Readout(Index hidden, Index classes)
///           : scale_(parameter("scale", ones({hidden}))),
///             linear_(add("linear", Linear(hidden, classes))) {}
///
///      private:
///       Parameter scale_;
///       Linear linear_;
///     };
///
/// Its parameters are named `scale`, `linear.weight` and `linear.bias`. A whole model can be a
/// struct with default member initialisers: `Linear readout = add("readout", Linear(64, 10));`.
class Module {
 public:
  Module();
  virtual ~Module() = default;
  Module(const Module& other);
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;

  /// A parameter with its path from this module.
  struct Named {
    std::string name;
    Parameter parameter;
  };

  /// Every parameter with its path, own ones first, then those of the children in the order of
  /// adding. A parameter that two children share is listed under both names.
  std::vector<Named> named_parameters() const;
  /// Every parameter once.
  std::vector<Parameter> parameters() const;
  /// Number of elements of the parameters.
  Index parameter_count() const;

  /// A buffer with its path from this module.
  struct NamedBuffer {
    std::string name;
    Buffer buffer;
  };
  /// Every buffer with its path, in the order of named_parameters().
  std::vector<NamedBuffer> named_buffers() const;

  /// Freezes every parameter of this module and its children, or lets them be trained again: see
  /// Parameter::freeze.
  void freeze(bool on = true);

  /// Puts this module and its children into training mode (the initial one), or out of it.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const;

  /// While the result lives, what runs is part of this module to the tools that look inside
  /// (docs/inspection.md): it bears the name under which the module was added last, and with an
  /// empty one its suffix. To be opened first in what the module computes:
  /// `const Scope inside = scope();`
  Scope scope() const;

  /// Converts every parameter and buffer to float32 or float64.
  void to(Dtype dtype);

 protected:
  /// Makes a parameter of this module. Throws ArgumentError when the name is taken, empty or has a
  /// dot.
  Parameter parameter(std::string name, Tensor value);
  /// Lists a parameter of another module here too. Throws as parameter().
  Parameter share(std::string name, const Parameter& parameter);
  /// Makes a buffer of this module. Throws as parameter().
  Buffer buffer(std::string name, Tensor value);

  /// Makes `child` a child of this module and returns it. An empty name leaves the child's names as
  /// they are; the suffix is appended to them. Throws ArgumentError when the name is taken.
  template <class M>
  M add(const std::string& name, M child, const std::string& suffix = "") {
    adopt(name, child, suffix);
    return child;
  }

 private:
  struct Members;
  Members& members() const;
  void claim(const char* what, const std::string& name);
  void adopt(const std::string& name, const Module& child, const std::string& suffix);

  std::shared_ptr<Members> members_;
};

/// A copy with parameters and buffers of its own, of equal values; those that parts of the module
/// share are shared by the parts of the copy too. What the class holds beside parameters, buffers
/// and modules is copied as its copy constructor does it: a shared_ptr still shares.
///
///     const nn::GRU target = nn::clone(online);
template <std::derived_from<Module> M>
requires std::copy_constructible<M> M clone(const M& module) {
  const unroll::detail::DeepCopies deep;
  return M(module);
}

}  // namespace unroll::nn
