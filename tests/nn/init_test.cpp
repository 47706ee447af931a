#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/find_parameter.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// The numbers lie within +-bound, reach nearly that far, and have a uniform distribution's
/// moments.
void check_uniform(const Tensor& x, double bound) {
  std::vector<double> values = x.to_vector<double>();
  REQUIRE(values.size() >= 10000);
  const auto n = static_cast<double>(values.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low >= -bound);
  CHECK(*high <= bound);
  CHECK(*low < -0.99 * bound);
  CHECK(*high > 0.99 * bound);
  const Tensor exact = x.to(Dtype::float64);
  const double variance = bound * bound / 3.0;
  CHECK(std::abs(mean(exact).item()) < 5.0 * std::sqrt(variance / n));
  CHECK(mean(square(exact)).item() == doctest::Approx(variance).epsilon(0.05));
}

/// The numbers have a normal distribution's moments, and its share within one deviation.
void check_normal(const Tensor& x, double variance) {
  const Tensor exact = x.to(Dtype::float64);
  const auto n = static_cast<double>(exact.size());
  REQUIRE(n >= 10000.0);
  CHECK(std::abs(mean(exact).item()) < 5.0 * std::sqrt(variance / n));
  CHECK(mean(square(exact)).item() == doctest::Approx(variance).epsilon(5.0 * std::sqrt(2.0 / n)));
  const Tensor fourth = (square(square(exact)) / (variance * variance)).value();
  CHECK(mean(fourth).item() == doctest::Approx(3.0).epsilon(5.0 * std::sqrt(96.0 / n) / 3.0));
}

/// a a^T, or a^T a where there are more rows than columns.
Tensor gram(const Tensor& a) {
  const Variable x = a.to(Dtype::float64);
  return (x.size(0) > x.size(1) ? matmul(transpose(x), x) : matmul(x, transpose(x))).value();
}

Tensor scaled_identity(Index n, double scale) {
  return diag(full({n}, scale, Dtype::float64)).value();
}

}  // namespace

TEST_CASE("pytorch_default fills +-1/sqrt(fan_in)") {
  seed(1);
  check_uniform(nn::init::pytorch_default({200, 100}, 25), 0.2);
}

TEST_CASE("xavier_uniform fills +-sqrt(6 / (fan_in + fan_out))") {
  seed(2);
  check_uniform(nn::init::xavier_uniform({300, 100}), std::sqrt(6.0 / 400.0));
}

TEST_CASE("the normal schemes have their variances") {
  seed(6);
  check_normal(nn::init::xavier_normal({300, 100}), 2.0 / 400.0);
  check_normal(nn::init::he_normal({300, 100}), 2.0 / 100.0);
  check_normal(nn::init::he_normal({300, 100}, 0.5), 2.0 / 125.0);
  check_normal(nn::init::lecun_normal({300, 100}), 1.0 / 100.0);
}

TEST_CASE("the uniform schemes have the variances of the normal ones") {
  seed(7);
  check_uniform(nn::init::he_uniform({300, 100}), std::sqrt(6.0 / 100.0));
  check_uniform(nn::init::he_uniform({300, 100}, 0.5), std::sqrt(6.0 / 125.0));
  check_uniform(nn::init::lecun_uniform({300, 100}), std::sqrt(3.0 / 100.0));
}

TEST_CASE("the positions of a kernel count as inputs and as outputs") {
  seed(8);
  check_normal(nn::init::lecun_normal({100, 20, 5}), 1.0 / 100.0);
  check_normal(nn::init::xavier_normal({100, 20, 5}), 2.0 / 600.0);
}

TEST_CASE("he_normal keeps the variance of relu layers, lecun_normal that of linear ones") {
  seed(9);
  const Tensor x = normal({500, 400}, 0.0, 1.0);
  const auto second_moment = [](const Variable& y) { return mean(square(y)).item(); };
  Variable y = linear(x, nn::init::he_normal({400, 400}));
  for (int layer = 0; layer < 10; ++layer) y = linear(relu(y), nn::init::he_normal({400, 400}));
  CHECK(second_moment(y) > 1.0);  // 2 for the first, which has no relu before it
  CHECK(second_moment(y) < 4.0);
  y = x;
  for (int layer = 0; layer < 10; ++layer) y = linear(y, nn::init::lecun_normal({400, 400}));
  CHECK(second_moment(y) > 0.5);
  CHECK(second_moment(y) < 2.0);
}

TEST_CASE("orthogonal has orthogonal rows of length gain, or columns where it is tall") {
  seed(10);
  for (const Shape& shape : {Shape{40, 40}, Shape{20, 50}, Shape{50, 20}, Shape{1, 7}}) {
    CAPTURE(to_string(shape));
    const Index n = std::min(shape[0], shape[1]);
    expect_close(gram(nn::init::orthogonal(shape)), scaled_identity(n, 1.0), 1e-6);
    expect_close(gram(nn::init::orthogonal(shape, -1.5)), scaled_identity(n, 2.25), 1e-5);
  }
  const Tensor kernel = nn::init::orthogonal({6, 4, 3});
  CHECK(kernel.shape() == Shape{6, 4, 3});
  expect_close(gram(kernel.reshape({6, 12})), scaled_identity(6, 1.0), 1e-6);
}

TEST_CASE("orthogonal prefers no sign and no direction") {
  // Every element has mean 0 and variance 1/n, rotations are as frequent as reflections.
  seed(11);
  constexpr Index n = 3;
  constexpr int draws = 2000;
  Variable total = zeros({n, n}, Dtype::float64);
  Variable squares = zeros({n, n}, Dtype::float64);
  int rotations = 0;
  for (int k = 0; k < draws; ++k) {
    const Tensor q = nn::init::orthogonal({n, n}).to(Dtype::float64);
    total = total + q;
    squares = squares + square(q);
    if (det(q).item() > 0.0) ++rotations;
  }
  CHECK(max(abs(total)).item() < 5.0 * std::sqrt(draws / 3.0));
  expect_close((squares / double{draws}).value(), full({n, n}, 1.0 / 3.0, Dtype::float64), 0.04);
  CHECK(std::abs(rotations - draws / 2) < 5.0 * std::sqrt(draws / 4.0));
}

TEST_CASE("identity has its scale on the diagonal") {
  expect_values(nn::init::identity({2, 3}, 0.5), {0.5, 0.0, 0.0, 0.0, 0.5, 0.0});
  expect_values(nn::init::identity({3, 2}), {1.0, 0.0, 0.0, 1.0, 0.0, 0.0});
}

TEST_CASE("an Elman cell with relu and the identity sums up its inputs") {
  nn::Recurrent rnn(nn::Elman(1, 1, {.activation = relu}));
  for (auto& [name, parameter] : rnn.named_parameters())
    parameter.set(name.starts_with("weight") ? nn::init::identity(parameter.shape())
                                             : zeros(parameter.shape()));
  const Tensor x = Tensor::of<float>({4, 1, 1}, {1.0F, 2.0F, 3.0F, 4.0F});
  expect_values(rnn(x).outputs.value(), {1.0, 3.0, 6.0, 10.0});
}

TEST_CASE("sparse has its number of normal values in each row, at random columns") {
  seed(12);
  const Tensor weight = nn::init::sparse({2000, 30}, 15, 0.5);
  const auto values = weight.to_vector<double>();
  std::vector<int> by_column(30);
  std::vector<double> drawn;
  for (std::size_t row = 0; row < 2000; ++row) {
    int count = 0;
    for (std::size_t column = 0; column < 30; ++column)
      if (const double value = values[row * 30 + column]; value != 0.0) {
        ++count;
        ++by_column[column];
        drawn.push_back(value);
      }
    REQUIRE(count == 15);
  }
  for (const int count : by_column) CHECK(std::abs(count - 1000) < 5.0 * std::sqrt(500.0));
  check_normal(Tensor::of({30000}, drawn), 0.25);
  expect_close(gram(nn::init::sparse({1, 4}, 4, 0.0)), zeros({1, 1}));
}

TEST_CASE("lstm_forget_bias opens the forget gate alone") {
  const Tensor bias = nn::init::lstm_forget_bias(2);
  expect_values(bias, {0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0});
  CHECK(nn::init::lstm_forget_bias(1, -2.5).at({1}) == -2.5);
}

TEST_CASE("lstm_chrono_bias has log(uniform(1, longest - 1)) for the forget gate") {
  seed(13);
  constexpr Index hidden = 10000;
  const Tensor bias = nn::init::lstm_chrono_bias(hidden, 101.0);
  REQUIRE(bias.shape() == Shape{4 * hidden});
  const Variable forget = bias.slice(0, hidden, 2 * hidden);
  expect_close(bias.slice(0, 0, hidden), (-forget).value(), 0.0);
  CHECK(max(abs(bias.slice(0, 2 * hidden, 4 * hidden))).item() == 0.0);
  check_uniform((exp(forget) - 50.5).value(), 49.5);
  CHECK(max(abs(nn::init::lstm_chrono_bias(4, 2.0))).item() == 0.0);
}

TEST_CASE("the biases of an LSTM are set by name, and decide what it forgets") {
  nn::Recurrent rnn(nn::LSTM(1, 2));
  for (auto& [name, parameter] : rnn.named_parameters()) parameter.set(zeros(parameter.shape()));
  nn::find_parameter(rnn, "bias_ih_l0").set(nn::init::lstm_forget_bias(2, 30.0));
  const Tensor c = Tensor::of<float>({1, 2}, {0.25F, -3.0F});
  const nn::State state = rnn(zeros({50, 1, 1}), {zeros({1, 2}), c}).state;
  expect_close(state[1].value(), c, 1e-6);
  nn::find_parameter(rnn, "bias_ih_l0").set(nn::init::lstm_forget_bias(2, 0.0));
  CHECK(max(abs(rnn(zeros({50, 1, 1}), {zeros({1, 2}), c}).state[1])).item() < 1e-6);
}

TEST_CASE("one seed gives one matrix from every initialiser") {
  const auto draw = [] {
    return concat({nn::init::he_normal({3, 4}), nn::init::orthogonal({3, 4}),
                   nn::init::sparse({3, 4}, 2), nn::init::uniform({3, 4}, 0.0, 1.0),
                   nn::init::normal({3, 4}, 0.0, 1.0),
                   reshape(nn::init::lstm_chrono_bias(3, 9.0), {3, 4})})
        .value()
        .to_vector<float>();
  };
  seed(14);
  const auto first = draw();
  CHECK_FALSE(first == draw());
  seed(14);
  CHECK(first == draw());
}

TEST_CASE("the weights of a recurrent cell fill +-1/sqrt(hidden), biases too") {
  seed(3);
  const nn::LSTM cell(100, 64);
  for (const Parameter& parameter : cell.parameters()) {
    const auto values = parameter.value().to_vector<double>();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK(*low >= -0.125);
    CHECK(*high <= 0.125);
    CHECK(*high - *low > 0.24);
  }
}

TEST_CASE("one seed gives one model, and the next model is another one") {
  const auto weights = [] { return nn::LSTM(3, 4).parameters()[1].value().to_vector<float>(); };
  seed(4);
  const auto first = weights();
  const auto second = weights();
  seed(4);
  CHECK(weights() == first);
  CHECK_FALSE(first == second);
  seed(5);
  CHECK_FALSE(weights() == first);
}

TEST_CASE("shapes and counts that have no such distribution are refused") {
  expect_error<ArgumentError>(
      [] {
        nn::init::pytorch_default({2, 2}, 0);
      },
      {"init", "at least 1", "0"});
  expect_error<ShapeError>([] { nn::init::xavier_uniform({4}); }, {"xavier_uniform", "[4]"});
  expect_error<ShapeError>([] { nn::init::xavier_uniform({0, 0}); }, {"xavier_uniform", "[0,0]"});
}

TEST_CASE("every initialiser refuses shapes and arguments without a meaning") {
  using namespace nn::init;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error<ShapeError>([] { xavier_normal({4}); }, {"xavier_normal", "[out,in]", "[4]"});
  expect_error<ShapeError>([] { he_normal({4, 0}); }, {"he_normal", "at least 1", "[4,0]"});
  expect_error<ShapeError>([] { he_uniform({}); }, {"he_uniform", "[]"});
  expect_error<ShapeError>([] { lecun_normal({3, 2, 0}); }, {"lecun_normal", "[3,2,0]"});
  expect_error<ShapeError>([] { lecun_uniform({0, 3}); }, {"lecun_uniform", "[0,3]"});
  expect_error<ShapeError>([] { orthogonal({5}); }, {"orthogonal", "[5]"});
  expect_error<ShapeError>([] { identity({2, 2, 2}); }, {"identity", "[2,2,2]"});
  expect_error<ShapeError>([] { sparse({2}, 1); }, {"sparse", "[2]"});
  expect_error<ArgumentError>([] { he_normal({2, 2}, nan); }, {"he_normal", "slope", "nan"});
  expect_error<ArgumentError>([] { orthogonal({2, 2}, nan); }, {"orthogonal", "gain", "nan"});
  expect_error<ArgumentError>([] { identity({2, 2}, HUGE_VAL); }, {"identity", "scale", "inf"});
  expect_error<ArgumentError>([] { sparse({2, 5}, 6); }, {"sparse", "[2,5]", "1 to 5", "6"});
  expect_error<ArgumentError>([] { sparse({2, 5}, 0); }, {"sparse", "nonzeros", "0"});
  expect_error<ArgumentError>([] { sparse({2, 5}, 2, -1.0); }, {"sparse", "deviation", "-1"});
  expect_error<ArgumentError>([] { lstm_forget_bias(0); }, {"lstm_forget_bias", "hidden", "0"});
  expect_error<ArgumentError>([] { lstm_forget_bias(2, nan); }, {"lstm_forget_bias", "nan"});
  expect_error<ArgumentError>([] { lstm_chrono_bias(-1, 9.0); }, {"lstm_chrono_bias", "-1"});
  expect_error<ArgumentError>([] { lstm_chrono_bias(2, 1.5); }, {"lstm_chrono_bias", "2 steps"});
  expect_error<ArgumentError>([] { lstm_chrono_bias(2, nan); }, {"lstm_chrono_bias", "nan"});
}
