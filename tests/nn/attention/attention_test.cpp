// Additive, multiplicative and dot-product attention: values by hand, masks, gradients, misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kQueries = 3, kKeys = 4, kBatch = 2, kQuerySize = 2, kSourceSize = 5;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor parameter_of(const nn::Module& module, const std::string& name) {
  for (const auto& named : module.named_parameters())
    if (named.name == name) return named.parameter.value();
  FAIL("no parameter " << name);
  return {};
}

/// Softmax of scores and the weighted sums, by the definition. `score(b, i, j)` of query i and
/// key j; `readable(b, i, j)`.
template <class Score, class Readable>
void expect_attention(const nn::Attended& got, const Tensor& source, const Score& score,
                      const Readable& readable) {
  const Index keys = source.size(0), batch = source.size(1), size = source.size(2);
  const Index queries = got.weights.size(1);
  std::vector<double> weights;
  std::vector<double> values(static_cast<std::size_t>(queries * batch * size), 0.0);
  for (Index b = 0; b < batch; ++b)
    for (Index i = 0; i < queries; ++i) {
      std::vector<double> row;
      double total = 0.0;
      for (Index j = 0; j < keys; ++j) {
        row.push_back(readable(b, i, j) ? std::exp(score(b, i, j)) : 0.0);
        total += row.back();
      }
      for (Index j = 0; j < keys; ++j) {
        const double weight = row[static_cast<std::size_t>(j)] / total;
        weights.push_back(weight);
        if (weight == 0.0) continue;
        for (Index k = 0; k < size; ++k)
          values[static_cast<std::size_t>((i * batch + b) * size + k)] +=
              weight * source.at({j, b, k});
      }
    }
  expect_values(got.weights.value(), weights);
  expect_values(got.values.value(), values);
}

constexpr auto all = [](Index, Index, Index) { return true; };

/// Every attention, in float64, for queries of 3 and a source of 3.
std::vector<std::shared_ptr<nn::Attention>> all_attentions() {
  std::vector<std::shared_ptr<nn::Attention>> result{
      std::make_shared<nn::AdditiveAttention>(3, 3, 2),
      std::make_shared<nn::MultiplicativeAttention>(3, 3),
      std::make_shared<nn::DotProductAttention>(3)};
  for (const auto& attention : result) attention->to(Dtype::float64);
  return result;
}

/// x with a NaN, or another value, in all elements of one step of one sequence.
Tensor with_step(const Tensor& x, Index step, Index sequence, double value) {
  Tensor changed = x.clone();
  double* element = changed.mutable_data<double>();
  for (Index k = 0; k < x.size(2); ++k)
    element[(step * x.size(1) + sequence) * x.size(2) + k] = value;
  return changed;
}

}  // namespace

TEST_CASE("additive attention has the values of its equations") {
  constexpr Index kUnits = 3;
  nn::AdditiveAttention attention(kQuerySize, kSourceSize, kUnits);
  attention.to(Dtype::float64);
  const Tensor queries = random({kQueries, kBatch, kQuerySize}, 1);
  const Tensor source = random({kKeys, kBatch, kSourceSize}, 2);
  const Tensor w = parameter_of(attention, "weight_query"), v = parameter_of(attention, "vector");
  const Tensor u = parameter_of(attention, "weight_source");
  const auto score = [&](Index b, Index i, Index j) {
    double sum = 0.0;
    for (Index a = 0; a < kUnits; ++a) {
      double net = 0.0;
      for (Index k = 0; k < kQuerySize; ++k) net += w.at({a, k}) * queries.at({i, b, k});
      for (Index k = 0; k < kSourceSize; ++k) net += u.at({a, k}) * source.at({j, b, k});
      sum += v.at({a}) * std::tanh(net);
    }
    return sum;
  };
  expect_attention(attention(queries, source), source, score, all);
}

TEST_CASE("multiplicative attention has the values of its equation, lengths and causality too") {
  nn::MultiplicativeAttention attention(kQuerySize, kSourceSize);
  attention.to(Dtype::float64);
  const Tensor queries = random({kKeys, kBatch, kQuerySize}, 3, -2.0, 2.0);
  const Tensor source = random({kKeys, kBatch, kSourceSize}, 4, -2.0, 2.0);
  const Tensor w = parameter_of(attention, "weight");
  const auto score = [&](Index b, Index i, Index j) {
    double sum = 0.0;
    for (Index d = 0; d < kQuerySize; ++d)
      for (Index k = 0; k < kSourceSize; ++k)
        sum += queries.at({i, b, d}) * w.at({d, k}) * source.at({j, b, k});
    return sum;
  };
  expect_attention(attention(queries, source), source, score, all);
  expect_attention(attention(queries, source, {.lengths = {4, 2}, .causal = true}), source, score,
                   [](Index b, Index i, Index j) { return j <= i && (b == 0 || j < 2); });
}

TEST_CASE("scaled dot-product attention has the values of its equation, for any leading axes") {
  const Tensor q = random({2, 3, 2, 4}, 5), k = random({2, 3, 5, 4}, 6);
  const Tensor v = random({2, 3, 5, 2}, 7);
  const Tensor mask = Tensor::of<std::int64_t>({2, 5}, {1, 0, 1, 1, 0, 0, 0, 1, 0, 1});
  const Tensor bias = random({3, 1, 5}, 8);
  const auto [values, weights] =
      nn::scaled_dot_product_attention(q, k, v, {.mask = mask, .bias = bias});
  std::vector<double> expected_weights, expected_values;
  for (Index b = 0; b < 2; ++b)
    for (Index h = 0; h < 3; ++h)
      for (Index i = 0; i < 2; ++i) {
        std::vector<double> row;
        double total = 0.0;
        for (Index j = 0; j < 5; ++j) {
          double dot = 0.0;
          for (Index d = 0; d < 4; ++d) dot += q.at({b, h, i, d}) * k.at({b, h, j, d});
          const double score = dot / 2.0 + bias.at({h, 0, j});  // sqrt(4)
          row.push_back(mask.at({i, j}) * std::exp(score));
          total += row.back();
        }
        for (double& weight : row) expected_weights.push_back(weight /= total);
        for (Index c = 0; c < 2; ++c) {
          double sum = 0.0;
          for (Index j = 0; j < 5; ++j)
            sum += row[static_cast<std::size_t>(j)] * v.at({b, h, j, c});
          expected_values.push_back(sum);
        }
      }
  expect_values(weights.value(), expected_weights);
  expect_values(values.value(), expected_values);

  const auto single = nn::scaled_dot_product_attention(
      q.select(0, 1).select(0, 2), k.select(0, 1).select(0, 2), v.select(0, 1).select(0, 2),
      {.mask = mask, .bias = bias.select(0, 2)});
  expect_close(single.weights.value(), weights.value().select(0, 1).select(0, 2));
  expect_close(single.values.value(), values.value().select(0, 1).select(0, 2));
}

TEST_CASE("the weights of a query sum to 1, and those of masked keys are exactly 0") {
  const Tensor queries = random({4, 2, 3}, 9, -30.0, 30.0), source = random({4, 2, 3}, 10, -9, 9);
  const Tensor mask = Tensor::of<float>({4}, {1, 1, 0, 1});
  for (const auto& attention : all_attentions()) {
    const Tensor weights =
        (*attention)(queries, source, {.lengths = {4, 3}, .causal = true, .mask = mask})
            .weights.value();
    expect_close(sum(weights, {-1}).value(), ones({2, 4}, Dtype::float64));
    for (Index b = 0; b < 2; ++b)
      for (Index i = 0; i < 4; ++i)
        for (Index j = 0; j < 4; ++j)
          if (j > i || j == 2 || (b == 1 && j == 3)) CHECK(weights.at({b, i, j}) == 0.0);
  }
}

TEST_CASE("what stands behind the end of a source does not matter, be it NaN") {
  const Tensor queries = random({2, 2, 3}, 11), source = random({4, 2, 3}, 12);
  const Tensor seed = random({2, 2, 3}, 13);
  const Tensor bias = Tensor::of<double>({2, 1, 4}, {0, 0, 0, 0, 0, 0, 0, -kInfinity});
  const Tensor mask = Tensor::of<double>({2, 1, 4}, {1, 1, 1, 1, 1, 1, 1, 0});
  const std::vector<nn::AttentionOptions> ways{{.lengths = {4, 3}}, {.mask = mask}, {.bias = bias}};
  for (const auto& attention : all_attentions())
    for (const nn::AttentionOptions& options : ways) {
      const auto run = [&](double padding) {
        Tape tape;
        const Variable q = tape.watch(queries);
        const Variable s = tape.watch(with_step(source, 3, 1, padding));
        const auto [values, weights] = (*attention)(q, s, options);
        CHECK(weights.value().at({1, 0, 3}) == 0.0);
        Gradients gradients = tape.gradients(sum(values * seed));
        std::vector<Tensor> result{values.value(), weights.value(), gradients[q].value(),
                                   gradients[s].value()};
        for (const Parameter& parameter : attention->parameters())
          result.push_back(gradients[parameter].value());
        return result;
      };
      const std::vector<Tensor> zero = run(0.0), nan = run(kNaN), infinite = run(kInfinity);
      for (Index k = 0; k < 3; ++k) CHECK(nan[3].at({3, 1, k}) == 0.0);
      for (std::size_t k = 0; k < zero.size(); ++k) {
        expect_close(nan[k], zero[k], 0.0);
        expect_close(infinite[k], zero[k], 0.0);
      }
    }
}

TEST_CASE("attention does not depend on the order of its keys") {
  const Tensor queries = random({2, 2, 3}, 14), source = random({4, 2, 3}, 15);
  const Tensor order = Tensor::of<std::int64_t>({4}, {2, 0, 3, 1});
  for (const auto& attention : all_attentions()) {
    const auto straight = (*attention)(queries, source);
    const auto permuted = (*attention)(queries, index_select(source, order, 0));
    expect_close(permuted.values.value(), straight.values.value());
    expect_close(permuted.weights.value(), index_select(straight.weights, order, 2).value());
  }
}

TEST_CASE("a prepared source gives what the source gives, query by query and in any batch") {
  const Tensor queries = random({3, 2, 3}, 16), source = random({4, 2, 3}, 17);
  const Tensor order = Tensor::of<std::int64_t>({3}, {1, 1, 0});
  for (const auto& attention : all_attentions()) {
    const auto whole = (*attention)(queries, source, {.lengths = {2, 4}});
    const nn::AttentionSource prepared = attention->prepare(source, {2, 4});
    for (Index i = 0; i < 3; ++i) {
      const auto one = (*attention)(queries.slice(0, i, i + 1), prepared);
      expect_close(one.values.value(), whole.values.value().slice(0, i, i + 1));
      expect_close(one.weights.value(), whole.weights.value().slice(1, i, i + 1));
    }
    const auto chosen = (*attention)(index_select(queries, order, 1), prepared.sequences(order));
    expect_close(chosen.values.value(), index_select(whole.values, order, 1).value());
    expect_close(chosen.weights.value(), index_select(whole.weights, order, 0).value());
  }
}

TEST_CASE("the gradients of attention agree with finite differences, with and without masks") {
  const std::vector<Tensor> inputs{random({3, 2, 3}, 18), random({3, 2, 3}, 19),
                                   random({2, 1, 3}, 20)};
  for (const auto& attention : all_attentions())
    for (const bool masked : {false, true}) {
      const auto f = [&](std::span<const Variable> in) {
        nn::AttentionOptions options{.bias = in[2]};
        if (masked) {
          options.lengths = {3, 2};
          options.causal = true;
        }
        const auto [values, weights] = (*attention)(in[0], in[1], options);
        return concat({values, transpose(weights, 0, 1)}, -1);
      };
      const GradcheckReport first = nn::gradcheck(*attention, f, inputs);
      CHECK_MESSAGE(first.passed, first.to_string());
      const GradcheckReport second = nn::gradgradcheck(*attention, f, inputs);
      CHECK_MESSAGE(second.passed, second.to_string());
      const GradcheckReport narrow = nn::check_float32(*attention, f, inputs);
      CHECK_MESSAGE(narrow.passed, narrow.to_string());
    }
}

TEST_CASE("a user's attention is its score alone") {
  class Nearest : public nn::Attention {  // minus the squared distance, of one element
   public:
    Nearest() : Attention(1, 1) {}
    Variable scores(const Variable& queries, const Variable& keys) const override {
      return -square(queries - transpose(keys));  // [B,Q,1] - [B,1,K]
    }
  };
  const Tensor source = Tensor::of<double>({3, 1, 1}, {0.0, 10.0, 20.0});
  const auto [values, weights] = Nearest()(full({1, 1, 1}, 11.0, Dtype::float64), source);
  CHECK(weights.value().at({0, 0, 1}) > 0.999);
  CHECK(values.item() == doctest::Approx(10.0));
}

TEST_CASE("a query that may read nothing is an error, never a NaN") {
  const nn::MultiplicativeAttention attention(3, 3);
  const Tensor queries = zeros({2, 2, 3}), source = zeros({4, 2, 3});
  expect_error<ArgumentError>(
      [&] {
        attention(queries, zeros({0, 2, 3}));
      },
      {"no keys", "[2,2,0]"});
  expect_error<ArgumentError>([&] { attention.prepare(zeros({0, 2, 3})); }, {"no keys"});
  for (const auto& lengths : std::vector<std::vector<Index>>{{4, 0}, {4, 5}, {4, -1}}) {
    expect_error<ArgumentError>([&] { attention(queries, source, {.lengths = lengths}); },
                                {"length of sequence 1", std::to_string(lengths[1]), "1..4"});
    expect_error<ArgumentError>([&] { attention.prepare(source, lengths); }, {"sequence 1"});
  }
  Tensor mask = ones({2, 2, 4});
  std::fill_n(mask.mutable_data<float>() + 12, 4, 0.0F);
  expect_error<ArgumentError>([&] { attention(queries, source, {.mask = mask}); },
                              {"query 1 of sequence 1", "no key"});
  const Tensor behind = Tensor::of<float>({4}, {0, 0, 0, 1});
  expect_error<ArgumentError>(
      [&] {
        attention(queries, source, {.lengths = {4, 3}, .mask = behind});
      },
      {"query 0 of sequence 1"});
  expect_error<ArgumentError>(
      [&] {
        attention(queries, source, {.bias = full({2, 4}, -kInfinity)});
      },
      {"query 0 of sequence 0"});
  expect_error<ArgumentError>(
      [&] {
        nn::scaled_dot_product_attention(zeros({2, 3}), zeros({4, 3}), zeros({4, 3}),
                                         {.mask = zeros({2, 1})});
      },
      {"scaled_dot_product_attention", "query 0 of sequence 0"});
}

TEST_CASE("attention refuses shapes and sizes that do not fit") {
  expect_error<ArgumentError>([] { nn::MultiplicativeAttention(0, 3); }, {"at least 1", "0"});
  expect_error<ArgumentError>([] { nn::AdditiveAttention(2, 3, 0); }, {"units", "0"});
  const nn::AdditiveAttention attention(2, 3, 4);
  const Tensor queries = zeros({5, 2, 2}), source = zeros({4, 2, 3});
  expect_error<ShapeError>([&] { attention(zeros({5, 2, 3}), source); }, {"queries", "[Q,2,2]"});
  expect_error<ShapeError>([&] { attention(zeros({5, 1, 2}), source); }, {"[5,1,2]", "[Q,2,2]"});
  expect_error<ShapeError>([&] { attention(queries, zeros({4, 2, 2})); }, {"source", "[K,B,3]"});
  expect_error<ShapeError>([&] { attention(queries, Variable()); }, {"source"});
  expect_error<ShapeError>([&] { attention(Variable(), source); }, {"queries"});
  expect_error<ArgumentError>([&] { attention(queries, nn::AttentionSource()); }, {"undefined"});
  expect_error<DtypeError>([&] { attention(queries, source.to(Dtype::float64)); }, {"float64"});
  expect_error<ShapeError>([&] { attention(queries, source, {.lengths = {4}}); },
                           {"1 lengths", "2 sequences"});
  expect_error<ShapeError>([&] { attention(queries, source, {.causal = true}); },
                           {"causal", "5 and 4", "mask"});
  expect_error<ShapeError>(
      [&] {
        attention(queries, source, {.mask = ones({4, 4})});
      },
      {"mask", "[4,4]", "[2,5,4]"});
  expect_error<ShapeError>(
      [&] {
        attention(queries, source, {.mask = ones({1, 2, 5, 4})});
      },
      {"mask", "[1,2,5,4]"});
  expect_error<DtypeError>([&] { attention(queries, source, {.bias = arange(4)}); }, {"bias"});
  expect_error<ShapeError>(
      [] {
        nn::scaled_dot_product_attention(zeros({2, 3}), zeros({4, 2}), zeros({4, 3}));
      },
      {"queries [2,3]", "keys [4,2]"});
  expect_error<ShapeError>(
      [] {
        nn::scaled_dot_product_attention(zeros({1, 2, 3}), zeros({2, 4, 3}), zeros({2, 4, 3}));
      },
      {"leading axes"});
}

}  // namespace unroll::testing
