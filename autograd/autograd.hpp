#pragma once

/// Everything of autograd that a user needs, and nothing heavy: xtensor comes only with
/// <autograd/xtensor.hpp>.
#include <autograd/dtype.hpp>
#include <autograd/error.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/gradient.hpp>
#include <autograd/memory.hpp>
#include <autograd/ops/activation.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/special.hpp>
#include <autograd/ops/statistics.hpp>
#include <autograd/ops/trigonometric.hpp>
#include <autograd/parameter.hpp>
#include <autograd/pointwise.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/tensor.hpp>
#include <autograd/threads.hpp>
#include <autograd/variable.hpp>
