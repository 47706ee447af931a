#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/layers/activation.hpp>
#include <nn/module.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace unroll::nn {

/// Layers that each take what the one before returns. A layer is a module, or a function such as
/// `tanh`, `gelu`, `softmax` or a lambda, whose operator() takes and returns one variable.
///
///     Sequential net{Linear(784, 100), relu, Dropout(0.5), Linear(100, 10)};
///     Variable logits = net(x);
///
/// Layers are named by their numbers, functions counted, as in PyTorch: `0.weight`, `0.bias`,
/// `3.weight`, `3.bias`. Without layers it returns x. Braces around another Sequential make it the
/// only layer of a new one; copy with `=` or parentheses.
class Sequential : public Module {
 public:
  /// One layer of the sequence; modules and functions convert to it.
  class Layer {
   public:
    template <class F>
    requires(!std::same_as<F, Layer> && std::constructible_from<Activation, F>) Layer(F layer)
        : function_(layer) {
      if constexpr (std::derived_from<F, Module>) module_ = static_cast<const Module&>(layer);
    }
    // Overloaded functions, which a template cannot take.
    Layer(Variable (*function)(const Variable&)) : function_(function) {}
    Layer(Variable (*function)(const Variable&, Gelu)) : function_(function) {}
    Layer(Variable (*function)(const Variable&, int axis)) : function_(function) {}

    Variable operator()(const Variable& x) const { return function_(x); }

   private:
    friend class Sequential;
    Activation function_;
    std::optional<Module> module_;
  };

  Sequential(std::initializer_list<Layer> layers)
      : Sequential(std::vector<Layer>(layers.begin(), layers.end())) {}
  /// For layers that a loop has made.
  explicit Sequential(std::vector<Layer> layers);

  /// Appends a layer.
  void push_back(Layer layer);

  std::size_t size() const { return layers_.size(); }

  Variable operator()(const Variable& x) const;

 private:
  std::vector<Layer> layers_;
};

}  // namespace unroll::nn
