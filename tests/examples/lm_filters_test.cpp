#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "examples/lm/filters.hpp"

using lm::filter;
using lm::FilterOptions;

namespace {

using Weights = std::vector<double>;

/// Probabilities 0.5, 0.25, 0.15, 0.1 in the order 0.15, 0.5, 0.1, 0.25.
const Weights kLogits{std::log(0.15), std::log(0.5), std::log(0.1), std::log(0.25)};

void check_weights(const Weights& got, const Weights& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    CAPTURE(k);
    CHECK(got[k] == doctest::Approx(expected[k]).epsilon(1e-12));
    CHECK((got[k] == 0) == (expected[k] == 0));
  }
}

void check_filter(const FilterOptions& options, const Weights& expected) {
  check_weights(filter(kLogits, {}, options), expected);
}

}  // namespace

TEST_CASE("without a filter the weights are the probabilities over that of the most probable") {
  check_filter({.temperature = 1}, {0.3, 1, 0.2, 0.5});
}

TEST_CASE("temperature takes probabilities to the power of its inverse, 0 leaves the largest") {
  check_filter({.temperature = 0.5}, {0.09, 1, 0.04, 0.25});
  check_filter({.temperature = 0}, {0, 1, 0, 0});
  check_weights(filter(Weights{1, 2, 2}, {}, {.temperature = 0}), {0, 1, 0});
}

TEST_CASE("top-k keeps the k most probable, the lower number of equals, and all when k is large") {
  check_filter({.temperature = 1, .top_k = 1}, {0, 1, 0, 0});
  check_filter({.temperature = 1, .top_k = 3}, {0.3, 1, 0, 0.5});
  check_filter({.temperature = 1, .top_k = 100}, {0.3, 1, 0.2, 0.5});
  check_weights(filter(Weights{1, 1, 1}, {}, {.temperature = 1, .top_k = 2}), {1, 1, 0});
}

TEST_CASE("top-p keeps the fewest whose probabilities reach p") {
  check_filter({.temperature = 1, .top_p = 1e-9}, {0, 1, 0, 0});
  check_filter({.temperature = 1, .top_p = 0.49}, {0, 1, 0, 0});
  check_filter({.temperature = 1, .top_p = 0.51}, {0, 1, 0, 0.5});
  check_filter({.temperature = 1, .top_p = 0.89}, {0.3, 1, 0, 0.5});
  check_filter({.temperature = 1, .top_p = 0.91}, {0.3, 1, 0.2, 0.5});
  check_filter({.temperature = 1, .top_p = 1}, {0.3, 1, 0.2, 0.5});
  // Even symbols that the sum's rounding would hide.
  const Weights kept = filter(Weights{0, -40}, {}, {.temperature = 1, .top_p = 1});
  CHECK(kept[1] == std::exp(-40));
}

TEST_CASE("min-p keeps what is at least that fraction of the most probable") {
  check_filter({.temperature = 1, .min_p = 0.25}, {0.3, 1, 0, 0.5});
  check_filter({.temperature = 1, .min_p = 0.4}, {0, 1, 0, 0.5});
  check_filter({.temperature = 1, .min_p = 1}, {0, 1, 0, 0});
  check_weights(filter(Weights{3, 3}, {}, {.temperature = 1, .min_p = 1}), {1, 1});
}

TEST_CASE("the repetition penalty divides positive logits and multiplies negative ones, once") {
  const Weights logits{2, -1, 0.5};
  const std::vector<std::int32_t> seen{1, 0, 1, 0};
  // 2 / 2 = 1 and -1 * 2 = -2.
  check_weights(filter(logits, seen, {.repetition_penalty = 2, .temperature = 1}),
                {1, std::exp(-3), std::exp(-0.5)});
  // The most probable symbol changes: 2 / 8 < 0.5.
  check_weights(filter(logits, seen, {.repetition_penalty = 8, .temperature = 0}), {0, 0, 1});
}

TEST_CASE("the filters apply in the order penalty, temperature, top-k, top-p, min-p") {
  // Temperature first: at 0.5 the probabilities are 25, 6.25, 2.25, 1 of 34.5, so the first alone
  // has 0.72; before it, 0.5.
  check_filter({.temperature = 0.5, .top_p = 0.7}, {0, 1, 0, 0});
  // top-k before top-p: of two symbols the first has 2/3.
  check_filter({.temperature = 1, .top_k = 2, .top_p = 0.6}, {0, 1, 0, 0});
  // Temperature before min-p: 0.5 becomes 0.25.
  check_filter({.temperature = 0.5, .min_p = 0.3}, {0, 1, 0, 0});
  // Penalty before temperature and top-k: symbol 0 falls behind symbol 1.
  check_weights(filter(Weights{4, 3}, std::vector<std::int32_t>{0},
                       {.repetition_penalty = 2, .temperature = 1, .top_k = 1}),
                {0, 1});
}

TEST_CASE("something always remains, whatever the logits and the filters") {
  for (const double temperature : {0.0, 1e-300, 1.0, 1e300})
    for (const double penalty : {1e-300, 1.0, 1e300}) {
      const FilterOptions options{.repetition_penalty = penalty,
                                  .temperature = temperature,
                                  .top_k = 1,
                                  .top_p = 1e-300,
                                  .min_p = 1};
      double total = 0;
      for (const double w :
           filter(Weights{-1e308, 1e308, 0}, std::vector<std::int32_t>{0, 1, 2}, options)) {
        CHECK(std::isfinite(w));
        total += w;
      }
      CHECK(total == 1);
    }
}

TEST_CASE("nonsense is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refuse = [](const FilterOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(filter(kLogits, {}, options), doctest::Contains(message),
                         unroll::ArgumentError);
  };
  refuse({.repetition_penalty = 0}, "repetition_penalty: expected a number above 0, got 0");
  refuse({.temperature = -1}, "temperature: expected a number from 0, got -1");
  refuse({.temperature = nan}, "temperature");
  refuse({.top_k = -1}, "top_k");
  refuse({.top_p = 0}, "top_p: expected a number above 0 to 1, got 0");
  refuse({.top_p = 1.1}, "top_p");
  refuse({.min_p = -0.1}, "min_p");
  refuse({.min_p = 1.1}, "min_p");
  CHECK_THROWS_AS(filter(Weights{}, {}, {}), unroll::ArgumentError);
  CHECK_THROWS_AS(filter(Weights{1, nan}, {}, {}), unroll::ArgumentError);
  CHECK_THROWS_AS(
      filter(kLogits, std::vector<std::int32_t>{4}, {.repetition_penalty = 2, .temperature = 1}),
      unroll::ArgumentError);
}
