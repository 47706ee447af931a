#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// (x - m) / sqrt(mean (x - m)^2 + epsilon) of one row by the definition, in long double.
std::vector<double> normalized(const std::vector<double>& row, bool centered, double epsilon) {
  const auto n = static_cast<long double>(row.size());
  long double m = 0.0L;
  for (double x : row) m += x / n;
  if (!centered) m = 0.0L;
  long double square = 0.0L;
  for (double x : row) square += (x - m) * (x - m) / n;
  std::vector<double> result;
  for (double x : row) result.push_back(static_cast<double>((x - m) / std::sqrt(square + epsilon)));
  return result;
}

}  // namespace

TEST_CASE("layer_norm and rms_norm agree with the definition, for rows of any length") {
  for (Index n = 1; n <= 40; ++n)
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const Tensor x = random({2, n}, 1, -1.0, 3.0).to(dtype);
      const Tensor scale = random({n}, 2, 0.5, 2.0).to(dtype);
      const Tensor shift = random({n}, 3).to(dtype);
      const double tolerance = dtype == Dtype::float32 ? 2e-6 : 1e-13;
      const auto s = scale.to_vector<double>();
      const auto b = shift.to_vector<double>();
      for (Index k = 0; k < 2; ++k) {
        const auto row = x.select(0, k).to_vector<double>();
        std::vector<double> layer = normalized(row, true, 1e-5);
        std::vector<double> rms = normalized(row, false, 0.25);
        for (std::size_t i = 0; i < s.size(); ++i) {
          layer[i] = layer[i] * s[i] + b[i];
          rms[i] *= s[i];
        }
        expect_values(layer_norm(x, scale, shift).value().select(0, k), layer, tolerance);
        expect_values(rms_norm(x, scale, 0.25).value().select(0, k), rms, tolerance);
      }
    }
}

TEST_CASE("each vector is normalised by itself, whatever the axes before and the strides") {
  const Tensor cube = random({2, 5, 3}, 4).transpose(1, 2);  // [2,3,5]
  const Tensor y = layer_norm(cube).value();
  CHECK(y.shape() == Shape{2, 3, 5});
  expect_close(y.select(0, 1).select(0, 2), layer_norm(cube.select(0, 1).select(0, 2)).value());
  const Tensor single = rms_norm(Tensor::of<double>({2}, {3.0, -4.0}), {}, 0.0).value();
  expect_values(single, {3.0 / std::sqrt(12.5), -4.0 / std::sqrt(12.5)});
}

TEST_CASE("a large mean costs no digits of layer_norm, and equal numbers become zeros") {
  const Tensor x = random({1, 6}, 5).to(Dtype::float32);
  const Variable few_bits = round(Variable(x) * 16.0);
  expect_close(layer_norm(few_bits + 65536.0).value(), layer_norm(few_bits).value(), 1e-6);
  expect_values(layer_norm(full({1, 7}, 3.0)).value(), std::vector<double>(7, 0.0));
  expect_values(rms_norm(zeros({1, 7})).value(), std::vector<double>(7, 0.0));
}

TEST_CASE("the gradients of many rows add up in scale and shift, and g may be expanded") {
  const Tensor value = random({6, 4}, 6);
  Tape tape;
  const Variable x = tape.watch(value);
  const Variable scale = tape.watch(ones({4}, Dtype::float64));
  const Variable shift = tape.watch(zeros({4}, Dtype::float64));
  const Gradients gradients = tape.gradients(sum(layer_norm(x, scale, shift)));
  // The rows of the normalised x sum to 0 whatever x is.
  expect_values(gradients[x].value(), std::vector<double>(24, 0.0));
  expect_close(gradients[scale].value(), sum(layer_norm(value), {0}).value());
  expect_values(gradients[shift].value(), {6, 6, 6, 6});
}

TEST_CASE("one of scale and shift may be a constant, and x too") {
  Tape tape;
  const Variable scale = tape.watch(full({3}, 2.0, Dtype::float64));
  const Tensor x = random({2, 3}, 7);
  const Variable y = layer_norm(x, scale, ones({3}, Dtype::float64));
  expect_close(tape.gradients(sum(y))[scale].value(), sum(layer_norm(x), {0}).value());
}

TEST_CASE("normalisation names what does not fit") {
  const Variable x = zeros({2, 3}, Dtype::float64);
  const auto vector = [](Index n, Dtype dtype = Dtype::float64) { return ones({n}, dtype); };
  expect_error<ShapeError>([&] { layer_norm(x, vector(4)); },
                           {"layer_norm", "scale", "[4]", "[2,3]", "[3]"});
  expect_error<ShapeError>([&] { layer_norm(x, {}, vector(2)); }, {"shift", "[2]", "[3]"});
  expect_error<ShapeError>(
      [&] {
        rms_norm(x, ones({2, 3}, Dtype::float64));
      },
      {"rms_norm", "scale", "[2,3]"});
  expect_error<DtypeError>([&] { rms_norm(x, vector(3, Dtype::float32)); },
                           {"rms_norm", "float32 [3]", "float64 [2,3]"});
  expect_error<DtypeError>([&] { layer_norm(arange(3)); }, {"layer_norm", "int64 [3]"});
  expect_error<DtypeError>([&] { layer_norm(Variable()); }, {"layer_norm", "undefined"});
  expect_error<ShapeError>([&] { layer_norm(zeros({})); }, {"layer_norm", "[]"});
  expect_error<ShapeError>([&] { rms_norm(zeros({2, 0})); }, {"rms_norm", "[2,0]"});
  expect_error<ArgumentError>([&] { layer_norm(x, {}, {}, -1e-5); }, {"layer_norm", "epsilon"});
  expect_error<ArgumentError>([&] { rms_norm(x, {}, std::nan("")); }, {"rms_norm", "epsilon"});
  CHECK(layer_norm(zeros({0, 3})).shape() == Shape{0, 3});
}

}  // namespace unroll::testing
