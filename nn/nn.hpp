#pragma once

/// Everything of nn.
#include <nn/activation.hpp>
#include <nn/cell.hpp>
#include <nn/cells/elman.hpp>
#include <nn/cells/euler.hpp>
#include <nn/cells/fixed_context_elman.hpp>
#include <nn/cells/fully_recurrent.hpp>
#include <nn/cells/gru.hpp>
#include <nn/cells/jordan.hpp>
#include <nn/cells/jordan_1986.hpp>
#include <nn/cells/lstm.hpp>
#include <nn/cells/output_to_hidden.hpp>
#include <nn/clip.hpp>
#include <nn/dropout.hpp>
#include <nn/embedding.hpp>
#include <nn/gradcheck.hpp>
#include <nn/init.hpp>
#include <nn/linear.hpp>
#include <nn/module.hpp>
#include <nn/optim/adam.hpp>
#include <nn/optim/sgd.hpp>
#include <nn/recurrent.hpp>
#include <nn/safetensors.hpp>
#include <nn/stacked.hpp>
