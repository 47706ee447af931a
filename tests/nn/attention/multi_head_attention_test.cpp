// Multi-head attention: values by hand, self-attention, padding, gradients, misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kSize = 4, kHeads = 2, kHeadSize = kSize / kHeads, kBatch = 2;

nn::MultiHeadAttention wide(const nn::MultiHeadAttentionOptions& options = {}) {
  nn::MultiHeadAttention attention(kSize, kHeads, options);
  attention.to(Dtype::float64);
  std::uint64_t number = 100;
  for (Parameter parameter : attention.parameters())  // biases too, which are 0 at first
    parameter.set(random(parameter.shape(), ++number));
  return attention;
}

struct ByHand {
  std::vector<double> values, weights;
};

/// The paper's equations for one head after the other. `readable(b, i, j)`: query i and key j.
template <class Readable>
ByHand by_hand(const nn::MultiHeadAttention& attention, const Tensor& queries, const Tensor& keys,
               const Tensor& values, const Readable& readable) {
  const auto named = attention.named_parameters();
  const Tensor in_weight = named[0].parameter.value(), in_bias = named[1].parameter.value();
  const Tensor out_weight = named[2].parameter.value(), out_bias = named[3].parameter.value();
  const auto projected = [&](const Tensor& x, Index part, Index t, Index b, Index head, Index d) {
    const Index row = part * kSize + head * kHeadSize + d;
    double sum = in_bias.at({row});
    for (Index k = 0; k < kSize; ++k) sum += in_weight.at({row, k}) * x.at({t, b, k});
    return sum;
  };
  const Index q_count = queries.size(0), k_count = keys.size(0);
  ByHand result{std::vector<double>(static_cast<std::size_t>(q_count * kBatch * kSize)), {}};
  for (Index b = 0; b < kBatch; ++b) {
    std::vector<double> read(static_cast<std::size_t>(q_count * kSize));  // all heads side by side
    for (Index head = 0; head < kHeads; ++head)
      for (Index i = 0; i < q_count; ++i) {
        std::vector<double> row;
        double total = 0.0;
        for (Index j = 0; j < k_count; ++j) {
          double dot = 0.0;
          for (Index d = 0; d < kHeadSize; ++d)
            dot += projected(queries, 0, i, b, head, d) * projected(keys, 1, j, b, head, d);
          row.push_back(readable(b, i, j) ? std::exp(dot / std::sqrt(double(kHeadSize))) : 0.0);
          total += row.back();
        }
        for (Index j = 0; j < k_count; ++j) {
          const double weight = row[static_cast<std::size_t>(j)] / total;
          result.weights.push_back(weight);
          for (Index d = 0; d < kHeadSize; ++d)
            read[static_cast<std::size_t>(i * kSize + head * kHeadSize + d)] +=
                weight * projected(values, 2, j, b, head, d);
        }
      }
    for (Index i = 0; i < q_count; ++i)
      for (Index o = 0; o < kSize; ++o) {
        double sum = out_bias.at({o});
        for (Index k = 0; k < kSize; ++k)
          sum += out_weight.at({o, k}) * read[static_cast<std::size_t>(i * kSize + k)];
        result.values[static_cast<std::size_t>((i * kBatch + b) * kSize + o)] = sum;
      }
  }
  return result;
}

constexpr auto all = [](Index, Index, Index) { return true; };

}  // namespace

TEST_CASE("multi-head attention has the values of its equations") {
  const nn::MultiHeadAttention attention = wide();
  const Tensor q = random({3, kBatch, kSize}, 1), k = random({5, kBatch, kSize}, 2);
  const Tensor v = random({5, kBatch, kSize}, 3);
  const auto [values, weights] = attention(q, k, v);
  CHECK(values.shape() == Shape{3, kBatch, kSize});
  CHECK(weights.shape() == Shape{kBatch, kHeads, 3, 5});
  const ByHand expected = by_hand(attention, q, k, v, all);
  expect_values(values.value(), expected.values);
  expect_values(weights.value(), expected.weights);

  const auto masked = attention(q, k, v, {.lengths = {2, 5}});
  const ByHand short_one =
      by_hand(attention, q, k, v, [](Index b, Index, Index j) { return b == 1 || j < 2; });
  expect_values(masked.values.value(), short_one.values);
  expect_values(masked.weights.value(), short_one.weights);
}

TEST_CASE("multi-head self-attention reads what lies before, if causal") {
  const nn::MultiHeadAttention attention = wide();
  const Tensor x = random({4, kBatch, kSize}, 4);
  const ByHand expected =
      by_hand(attention, x, x, x, [](Index, Index i, Index j) { return j <= i; });
  const auto [values, weights] = attention(x, {.causal = true});
  expect_values(values.value(), expected.values);
  expect_values(weights.value(), expected.weights);
  const auto cross = attention(x, x, x, {.causal = true});
  expect_close(cross.values.value(), values.value());
}

TEST_CASE("parameters of multi-head attention are named and start as in PyTorch") {
  seed(1);
  const nn::MultiHeadAttention attention(64, 4);
  const auto named = attention.named_parameters();
  REQUIRE(named.size() == 4);
  CHECK(named[0].name == "in_proj_weight");
  CHECK(named[0].parameter.shape() == Shape{192, 64});
  CHECK(named[1].name == "in_proj_bias");
  CHECK(named[1].parameter.shape() == Shape{192});
  CHECK(named[2].name == "out_proj.weight");
  CHECK(named[2].parameter.shape() == Shape{64, 64});
  CHECK(named[3].name == "out_proj.bias");
  CHECK(named[3].parameter.shape() == Shape{64});
  const double largest = max(abs(named[0].parameter)).item();
  CHECK(largest <= std::sqrt(6.0 / 256.0));
  CHECK(largest > 0.99 * std::sqrt(6.0 / 256.0));
  CHECK(max(abs(named[1].parameter)).item() == 0.0);
  CHECK(max(abs(named[3].parameter)).item() == 0.0);
  CHECK(nn::MultiHeadAttention(64, 4, {.bias = false}).named_parameters().size() == 2);
}

TEST_CASE("a padded batch gives what each sequence alone gives, whatever stands in the padding") {
  const nn::MultiHeadAttention attention = wide();
  const Tensor x = random({5, kBatch, kSize}, 5), seed = random({5, kBatch, kSize}, 6);
  const std::vector<Index> lengths{5, 3};
  for (const bool causal : {false, true}) {
    const auto run = [&](double padding) {
      Tensor padded = x.clone();
      double* element = padded.mutable_data<double>();
      for (Index t = 3; t < 5; ++t)
        for (Index k = 0; k < kSize; ++k) element[(t * kBatch + 1) * kSize + k] = padding;
      Tape tape;
      const Variable watched = tape.watch(padded);
      const Variable y = attention(watched, {.lengths = lengths, .causal = causal}).values;
      Gradients gradients = tape.gradients(sum(y * seed));
      std::vector<Tensor> result{y.value(), gradients[watched].value()};
      for (const Parameter& parameter : attention.parameters())
        result.push_back(gradients[parameter].value());
      return result;
    };
    const std::vector<Tensor> zero = run(0.0);
    const std::vector<Tensor> nan = run(std::numeric_limits<double>::quiet_NaN());
    for (std::size_t k = 0; k < zero.size(); ++k) expect_close(nan[k], zero[k], 0.0);
    expect_close(zero[0].slice(0, 3, 5).select(1, 1), zeros({2, kSize}, Dtype::float64), 0.0);
    expect_close(nan[1].slice(0, 3, 5).select(1, 1), zeros({2, kSize}, Dtype::float64), 0.0);
    for (Index b = 0; b < kBatch; ++b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      const Tensor alone = x.slice(0, 0, length).slice(1, b, b + 1);
      expect_close(zero[0].slice(0, 0, length).slice(1, b, b + 1),
                   attention(alone, {.causal = causal}).values.value());
    }
  }
}

TEST_CASE("self-attention permutes with its input") {
  const nn::MultiHeadAttention attention = wide();
  const Tensor x = random({4, kBatch, kSize}, 7);
  const Tensor order = Tensor::of<std::int64_t>({4}, {3, 1, 0, 2});
  expect_close(attention(index_select(x, order, 0)).values.value(),
               index_select(attention(x).values, order, 0).value());
}

TEST_CASE("the gradients of multi-head attention agree with finite differences") {
  const nn::MultiHeadAttention attention(4, 2);
  const auto self = [&](std::span<const Variable> in) {
    return attention(in[0], {.lengths = {3, 2}, .causal = true, .bias = in[1]}).values;
  };
  const std::vector<Tensor> inputs{random({3, 2, 4}, 8), random({2, 1, 3}, 9)};
  const GradcheckReport first = nn::gradcheck(attention, self, inputs);
  CHECK_MESSAGE(first.passed, first.to_string());
  const auto cross = [&](std::span<const Variable> in) {
    const auto [values, weights] = attention(in[0], in[1], in[2], {.lengths = {3, 2}});
    return concat({reshape(values, {-1}), reshape(weights, {-1})});
  };
  const std::vector<Tensor> three{random({2, 2, 4}, 10), random({3, 2, 4}, 11),
                                  random({3, 2, 4}, 12)};
  const GradcheckReport second = nn::gradcheck(attention, cross, three);
  CHECK_MESSAGE(second.passed, second.to_string());
  const GradcheckReport narrow = nn::check_float32(attention, cross, three);
  CHECK_MESSAGE(narrow.passed, narrow.to_string());
}

TEST_CASE("dropout of attention acts on what is read, in training mode alone") {
  nn::MultiHeadAttention attention = wide({.dropout = 1.0});
  const Tensor x = random({3, kBatch, kSize}, 13);
  const Tensor bias = attention.named_parameters()[3].parameter.value();
  expect_close(attention(x).values.value(), broadcast_to(bias, {3, kBatch, kSize}).value());
  attention.eval();
  expect_values(attention(x).values.value(), by_hand(attention, x, x, x, all).values);
}

TEST_CASE("multi-head attention refuses what does not fit, and a source without keys") {
  expect_error<ArgumentError>([] { nn::MultiHeadAttention(6, 4); }, {"divide", "6", "4 heads"});
  expect_error<ArgumentError>([] { nn::MultiHeadAttention(0, 1); }, {"at least 1"});
  expect_error<ArgumentError>([] { nn::MultiHeadAttention(4, 0); }, {"0 heads"});
  expect_error<ArgumentError>([] { nn::MultiHeadAttention(4, 2, {.dropout = 1.5}); }, {"rate"});
  const nn::MultiHeadAttention attention(4, 2);
  const Tensor x = zeros({3, 2, 4});
  expect_error<ShapeError>([&] { attention(zeros({3, 2, 5})); }, {"[3,2,5]", "[Q,B,4]"});
  expect_error<ShapeError>([&] { attention(x, x, zeros({2, 2, 4})); }, {"values [2,2,4]"});
  expect_error<ShapeError>([&] { attention(x, zeros({3, 1, 4}), zeros({3, 1, 4})); }, {"keys"});
  expect_error<DtypeError>([&] { attention(x, x.to(Dtype::float64), x); }, {"float64"});
  expect_error<DtypeError>([&] { attention(Variable()); }, {"queries"});
  expect_error<ArgumentError>(
      [&] {
        attention(x, zeros({0, 2, 4}), zeros({0, 2, 4}));
      },
      {"multi_head_attention", "no keys"});
  expect_error<ArgumentError>([&] { attention(x, {.lengths = {3, 0}}); }, {"sequence 1", "1..3"});
  expect_error<ArgumentError>([&] { attention(x, {.mask = zeros({2, 1, 1, 3})}); }, {"no key"});
}

}  // namespace unroll::testing
