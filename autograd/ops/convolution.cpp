#include <autograd/ops/check.hpp>
#include <autograd/ops/convolution.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

void check(const Variable& x, const Variable& weight, const Variable& bias,
           const Conv1dOptions& options) {
  std::string given = "conv1d: x " + describe(x.value()) + ", weight " + describe(weight.value());
  if (bias.defined()) given += ", bias " + describe(bias.value());
  detail::check_same_dtype("conv1d", {{"x", x}, {"weight", weight}});
  if (bias.defined()) detail::check_same_dtype("conv1d", {{"x", x}, {"bias", bias}});
  const auto [stride, padding, dilation, groups] = options;
  if (stride < 1 || padding < 0 || dilation < 1 || groups < 1)
    throw ArgumentError(
        "conv1d: stride, dilation and groups must be at least 1 and padding 0, got " +
        std::to_string(stride) + ", " + std::to_string(dilation) + ", " + std::to_string(groups) +
        " and " + std::to_string(padding));
  if (x.rank() != 3 || weight.rank() != 3 || weight.size(2) < 1 || x.size(1) % groups != 0 ||
      weight.size(0) % groups != 0 || weight.size(1) != x.size(1) / groups ||
      (bias.defined() && bias.shape() != Shape{weight.size(0)}))
    throw ShapeError(given + " must be [B,C,T], [O,C/groups,K] and [O], with " +
                     std::to_string(groups) + " groups that divide C and O");
}

}  // namespace

Variable conv1d(const Variable& x, const Variable& weight, const Variable& bias,
                const Conv1dOptions& options) {
  check(x, weight, bias, options);
  const Index outputs = weight.size(0);
  const Index inputs = weight.size(1);
  const Index taps = weight.size(2);
  const Variable padded = options.padding == 0 ? x : pad(x, 2, options.padding, options.padding);
  if (taps > padded.size(2) || (taps > 1 && options.dilation > (padded.size(2) - 1) / (taps - 1)))
    throw ShapeError("conv1d: weight " + to_string(weight.shape()) + " with dilation " +
                     std::to_string(options.dilation) + " spans more than the " +
                     std::to_string(padded.size(2)) + " positions of x " + to_string(x.shape()) +
                     " and its padding");
  const Variable windows =
      unfold(padded, 2, taps, {.stride = options.stride, .dilation = options.dilation});
  const Index batch = x.size(0);
  const Index count = windows.size(2);
  if (options.groups == 1) {
    const Variable rows = reshape(permute(windows, {0, 2, 1, 3}), {batch * count, inputs * taps});
    const Variable y = linear(rows, reshape(weight, {outputs, inputs * taps}), bias);
    return transpose(reshape(y, {batch, count, outputs}), 1, 2);
  }
  const Index groups = options.groups;
  const Variable split = reshape(windows, {batch, groups, inputs, count, taps});
  const Variable rows =
      reshape(permute(split, {1, 0, 3, 2, 4}), {groups, batch * count, inputs * taps});
  const Variable each = reshape(weight, {groups, outputs / groups, inputs * taps});
  const Variable y = matmul(rows, transpose(each));  // [G,B N,O/G]
  const Variable channels = reshape(y, {groups, batch, count, outputs / groups});
  const Variable result = reshape(permute(channels, {1, 0, 3, 2}), {batch, outputs, count});
  return bias.defined() ? result + unsqueeze(bias, 1) : result;
}

}  // namespace unroll
