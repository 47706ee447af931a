#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/cfc.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/cell_options.hpp>
#include <nn/recurrent/elapsed_time.hpp>

#include <string>

namespace unroll::nn {
namespace {

constexpr auto interpolate = [](auto f, auto g, auto k, auto dt) {
  const auto end = tanh(k);
  return end + sigmoid(-f * dt) * (tanh(g) - end);
};
constexpr auto add_up = [](auto f, auto g, auto k, auto dt) {
  return sigmoid(-f * dt) * tanh(g) + tanh(k);
};

CfCOptions checked(const CfCOptions& options) {
  if (options.backbone_units < 0)
    throw ArgumentError("CfC: backbone_units must be at least 0, which is no backbone; it is " +
                        std::to_string(options.backbone_units));
  checked_positive("CfC", "dt", options.dt);
  return options;
}

}  // namespace

CfC::CfC(Index inputs, Index hidden, const CfCOptions& options)
    : Cell(inputs, {hidden}),
      options_(checked(options)),
      units_(options.backbone_units > 0 ? options.backbone_units : 3 * hidden),
      weight_ih_(
          parameter("weight_ih",
                    init::pytorch_default(
                        {units_, columns_beside_time("CfC", inputs, options.irregular)}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({units_, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({units_}, hidden))) {
  if (options.backbone_units > 0) head_ = add("head", Linear(units_, 3 * hidden));
}

Variable CfC::project(const Variable& x) const {
  if (!options_.irregular) return linear(x, weight_ih_, bias_);
  const auto [values, elapsed] = split_elapsed("CfC", x);
  return concat({linear(values, weight_ih_, bias_), elapsed});
}

Step CfC::step(const Variable& x, const State& state) const {
  const Variable drive = options_.irregular ? slice(x, -1, 0, units_) : x;
  const Variable elapsed = options_.irregular ? slice(x, -1, units_, units_ + 1)
                                              : Variable(full({1}, options_.dt, x.dtype()));
  Variable heads = linear(state[0], weight_hh_, drive);
  if (head_) heads = (*head_)(options_.backbone_activation(heads));
  auto [f, g, k] = split<3>(heads);
  return {options_.gated ? pointwise("cfc", interpolate, f, g, k, elapsed)
                         : pointwise("cfc", add_up, f, g, k, elapsed)};
}

}  // namespace unroll::nn
