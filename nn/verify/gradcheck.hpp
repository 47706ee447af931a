#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <nn/module.hpp>
#include <nn/recurrent/recurrent.hpp>

namespace unroll::nn {

/// Checks the gradients of a function of `inputs` that uses a module, with respect to the inputs
/// and to every parameter of the module that is not frozen, which the report calls by its path. The
/// parameters are float64 during the check and afterwards what they were before. `inputs`: float64.
GradcheckReport gradcheck(const Module& module, const DifferentiableFunction& f,
                          const std::vector<Tensor>& inputs, GradcheckOptions options = {});

/// Compares the float32 kernels of such a function with the float64 ones.
GradcheckReport check_float32(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options = {});

/// Checks a recurrent layer: outputs and final state as functions of `x: [T,B,I]` float64, of the
/// initial state and of every parameter. The initial state is one that the cell reaches: from its
/// initial_state(), in eight steps or more over x, and a little beside it, of the same sign where
/// all elements have one. A learned start is checked with the overload above and a function that
/// passes no state. Random numbers that the layer draws are the same each time. A layer that gives
/// another result for a sequence in parts does not pass either.
GradcheckReport gradcheck(const Recurrent& rnn, const Tensor& x,
                          const GradcheckOptions& options = {});

/// The same for second derivatives.
GradcheckReport gradgradcheck(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options = {});
GradcheckReport gradgradcheck(const Recurrent& rnn, const Tensor& x,
                              const GradcheckOptions& options = {});

}  // namespace unroll::nn
