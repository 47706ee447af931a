#include <doctest/doctest.h>
#include <nn/optim/line_search.hpp>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

using unroll::nn::LinePoint;
using unroll::nn::strong_wolfe;

namespace {

/// A loss and its derivative.
struct Curve {
  std::function<double(double)> loss;
  std::function<double(double)> slope;

  LinePoint operator()(double step) const { return {step, loss(step), slope(step), {}}; }
};

}  // namespace

TEST_CASE(
    "a line search meets the strong Wolfe conditions from first steps far too short or long") {
  const std::vector<Curve> curves = {
      {[](double t) { return (t - 1) * (t - 1); }, [](double t) { return 2 * (t - 1); }},
      {[](double t) { return std::exp(t) - 3 * t; }, [](double t) { return std::exp(t) - 3; }},
      // Moré and Thuente, 1994, (5.1) with beta = 2 and (5.2) with beta = 0.1.
      {[](double t) { return -t / (t * t + 2); },
       [](double t) { return (t * t - 2) / ((t * t + 2) * (t * t + 2)); }},
      {[](double t) { return std::pow(t + 0.1, 5) - 2 * std::pow(t + 0.1, 4); },
       [](double t) { return 5 * std::pow(t + 0.1, 4) - 8 * std::pow(t + 0.1, 3); }},
      {[](double t) { return std::cosh(t - 2); }, [](double t) { return std::sinh(t - 2); }},
  };
  for (std::size_t k = 0; k < curves.size(); ++k)
    for (const double first : {1e-3, 0.1, 1.0, 10.0, 100.0}) {
      CAPTURE(k);
      CAPTURE(first);
      const LinePoint start = curves[k](0.0);
      int trials = 0;
      const LinePoint found = strong_wolfe(
          [&](double step) {
            ++trials;
            return curves[k](step);
          },
          start, first, 1e-12);
      CHECK(found.step > 0.0);
      CHECK(found.loss == curves[k](found.step).loss);
      CHECK(found.loss <= start.loss + 1e-4 * found.step * start.slope);
      CHECK(std::abs(found.slope) <= -0.9 * start.slope);
      CHECK(trials <= 26);
    }
}

TEST_CASE("a line search interpolates a cubic exactly") {
  // t^3 - 3 t has its minimum at 1. The first trial, 1.9, has a loss above the line of sufficient
  // decrease.
  const Curve cubic{[](double t) { return t * t * t - 3 * t + 2; },
                    [](double t) { return 3 * t * t - 3; }};
  const LinePoint found = strong_wolfe(cubic, cubic(0.0), 1.9, 1e-9);
  CHECK(found.step == doctest::Approx(1.0).epsilon(1e-14));
}

TEST_CASE("a line search steps back from where the loss is NaN") {
  const Curve curve{[](double t) { return -std::sqrt(1 - t) - 2 * t; },
                    [](double t) { return 0.5 / std::sqrt(1 - t) - 2; }};
  const LinePoint found = strong_wolfe(curve, curve(0.0), 64.0, 1e-9);
  CHECK(found.step > 0.0);
  CHECK(found.step < 1.0);
  CHECK(found.loss < curve(0.0).loss);
}

TEST_CASE("a line search that finds nothing lower returns where it started") {
  // The slope is a lie: the loss rises.
  const Curve curve{[](double t) { return t; }, [](double) { return -1.0; }};
  const LinePoint found = strong_wolfe(curve, curve(0.0), 1.0, 1e-9);
  CHECK(found.step == 0.0);
}

TEST_CASE("a line search along a loss without a minimum ends, far out") {
  const Curve curve{[](double t) { return -t; }, [](double) { return -1.0; }};
  const LinePoint found = strong_wolfe(curve, curve(0.0), 1.0, 1e-9);
  CHECK(found.step > 1e6);
  CHECK(found.loss < -1e6);
}
