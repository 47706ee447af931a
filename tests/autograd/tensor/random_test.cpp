#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

struct Moments {
  double mean = 0.0, variance = 0.0, skewness = 0.0, kurtosis = 0.0;
};

Moments moments(const Tensor& x) {
  const std::vector<double> values = x.to_vector<double>();
  const auto n = static_cast<double>(values.size());
  Moments m;
  for (double v : values) m.mean += v / n;
  for (double v : values) m.variance += (v - m.mean) * (v - m.mean) / n;
  const double deviation = std::sqrt(m.variance);
  for (double v : values) {
    const double z = (v - m.mean) / deviation;
    m.skewness += z * z * z / n;
    m.kurtosis += z * z * z * z / n;
  }
  return m;
}

using Words = std::array<std::uint32_t, 4>;

}  // namespace

TEST_CASE("the words are those of Philox 4x32-10, by the known answers of Random123") {
  CHECK(Generator(0).next() == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("the key is the seed and the counter is the position, low words first") {
  // Ten rounds of the definition in Salmon et al. (2011), written plainly.
  const auto philox = [](std::uint64_t key, std::uint64_t counter) {
    std::uint32_t k0 = static_cast<std::uint32_t>(key);
    std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
    std::array<std::uint64_t, 4> c{counter & 0xffffffff, counter >> 32, 0, 0};
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = 0xD2511F53ULL * c[0];
      const std::uint64_t p1 = 0xCD9E8D57ULL * c[2];
      c = {(p1 >> 32) ^ c[1] ^ k0, p1 & 0xffffffff, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xffffffff};
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    Words words;
    for (std::size_t i = 0; i < 4; ++i) words[i] = static_cast<std::uint32_t>(c[i]);
    return words;
  };
  for (std::uint64_t seed : {0ULL, 1ULL, 0x9e3779b97f4a7c15ULL, ~0ULL})
    for (std::uint64_t position : {0ULL, 1ULL, 0xffffffffULL, 0x100000000ULL, ~0ULL}) {
      Generator generator(seed);
      generator.set_position(position);
      CHECK(generator.next() == philox(seed, position));
    }
}

TEST_CASE("a stream resumes exactly where its position says") {
  Generator first(42);
  const Tensor head = uniform({101}, 0.0, 1.0, Dtype::float64, first);
  const std::uint64_t position = first.position();
  CHECK(position > 0);
  const Tensor tail = normal({33}, 0.0, 1.0, Dtype::float64, first);
  Generator second(42);
  second.set_position(position);
  CHECK(normal({33}, 0.0, 1.0, Dtype::float64, second).to_vector<double>() ==
        tail.to_vector<double>());
  CHECK(second.position() == first.position());
  CHECK(second.seed() == 42);
}

TEST_CASE("equal seeds give equal numbers, others do not") {
  const auto draw = [](std::uint64_t seed) {
    Generator generator(seed);
    return uniform({50}, -1.0, 1.0, Dtype::float64, generator).to_vector<double>();
  };
  CHECK(draw(7) == draw(7));
  CHECK(draw(7) != draw(8));
}

TEST_CASE("float32 numbers are the float64 ones of the same stream, rounded") {
  Generator wide(3);
  Generator narrow(3);
  const Tensor a = normal({999}, 1.0, 2.0, Dtype::float64, wide);
  const Tensor b = normal({999}, 1.0, 2.0, Dtype::float32, narrow);
  expect_close(b.to(Dtype::float64), a, 1e-6);
}

TEST_CASE("uniform numbers fill their range evenly") {
  Generator generator(11);
  const Tensor x = uniform({200'000}, -2.0, 4.0, Dtype::float64, generator);
  const std::vector<double> values = x.to_vector<double>();
  CHECK(std::all_of(values.begin(), values.end(), [](double v) { return v >= -2.0 && v < 4.0; }));
  const Moments m = moments(x);
  CHECK(m.mean == doctest::Approx(1.0).epsilon(0.02));
  CHECK(m.variance == doctest::Approx(3.0).epsilon(0.02));
  std::array<int, 20> counts{};
  for (double v : values) ++counts[static_cast<std::size_t>((v + 2.0) / 0.3)];
  for (int count : counts) CHECK(std::abs(count - 10'000) < 500);  // five standard deviations
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  Generator generator(12);
  const Moments m = moments(normal({200'000}, 3.0, 0.5, Dtype::float64, generator));
  CHECK(m.mean == doctest::Approx(3.0).epsilon(0.003));
  CHECK(m.variance == doctest::Approx(0.25).epsilon(0.02));
  CHECK(std::abs(m.skewness) < 0.03);
  CHECK(m.kurtosis == doctest::Approx(3.0).epsilon(0.02));
}

TEST_CASE("bernoulli draws ones with its probability") {
  Generator generator(13);
  const Tensor x = bernoulli({100'000}, 0.3, Dtype::float32, generator);
  const Moments m = moments(x);
  CHECK(m.mean == doctest::Approx(0.3).epsilon(0.02));
  const std::vector<float> values = x.to_vector<float>();
  CHECK(std::set<float>(values.begin(), values.end()) == std::set<float>{0.0F, 1.0F});
  expect_values(bernoulli({50}, 0.0, Dtype::float32, generator), std::vector<double>(50, 0.0));
  expect_values(bernoulli({50}, 1.0, Dtype::float32, generator), std::vector<double>(50, 1.0));
}

TEST_CASE("whole numbers below a count are all drawn, equally often") {
  Generator generator(14);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[static_cast<std::size_t>(generator.below(7))];
  for (int count : counts) CHECK(std::abs(count - 10'000) < 500);
  CHECK(generator.below(1) == 0);
  expect_error<ArgumentError>([&] { generator.below(0); }, {"below", "at least 1"});
}

TEST_CASE("a generator's own uniform numbers lie in [0, 1)") {
  Generator generator(15);
  double sum = 0.0;
  bool inside = true;
  for (int i = 0; i < 10'000; ++i) {
    const double u = generator.uniform();
    inside &= u >= 0.0 && u < 1.0;
    sum += u;
  }
  CHECK(inside);
  CHECK(sum / 10'000 == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("seeding restarts the calling thread's generator, and no other's") {
  seed(5);
  const auto first = uniform({4}, 0.0, 1.0).to_vector<float>();
  const std::uint64_t position = default_generator().position();
  std::vector<float> other;
  std::thread([&] {
    seed(5);
    other = uniform({4}, 0.0, 1.0).to_vector<float>();
    seed(99);
  }).join();
  CHECK(other == first);
  CHECK(default_generator().seed() == 5);
  CHECK(default_generator().position() == position);
  seed(5);
  CHECK(uniform({4}, 0.0, 1.0).to_vector<float>() == first);
}

TEST_CASE("random whole-number tensors and impossible probabilities are refused by name") {
  expect_error<DtypeError>([] { uniform({2}, 0, 1, Dtype::int64); }, {"uniform", "float32"});
  expect_error<DtypeError>([] { normal({2}, 0, 1, Dtype::int64); }, {"normal"});
  expect_error<DtypeError>([] { bernoulli({2}, 0.5, Dtype::int64); }, {"bernoulli"});
  for (double p : {-0.1, 1.1, std::nan("")})
    expect_error<ArgumentError>([&] { bernoulli({2}, p); }, {"bernoulli", "0..1"});
}

TEST_CASE("categorical draws follow their rows, given as probabilities or as logits") {
  // Rows of other sums, and one that excludes its ends; each drawn often.
  const Tensor rows = Tensor::of<double>({2, 4}, {0.1, 0.2, 0.3, 0.4, 0.0, 6.0, 2.0, 0.0});
  const Tensor logits =
      Tensor::of<double>({2, 4}, {std::log(0.1) + 900, std::log(0.2) + 900, std::log(0.3) + 900,
                                  std::log(0.4) + 900, -HUGE_VAL, std::log(3.0), 0.0, -HUGE_VAL});
  constexpr Index kDraws = 50'000;
  const double expected[2][4] = {{0.1, 0.2, 0.3, 0.4}, {0.0, 0.75, 0.25, 0.0}};
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (bool as_logits : {false, true}) {
      CAPTURE(as_logits);
      Generator generator(5);
      const Tensor many = (as_logits ? logits : rows).to(dtype).broadcast_to({kDraws, 2, 4});
      const Tensor drawn =
          as_logits ? categorical_logits(many, generator) : categorical(many, generator);
      CHECK(drawn.dtype() == Dtype::int64);
      REQUIRE(drawn.shape() == Shape{kDraws, 2});
      for (Index r = 0; r < 2; ++r) {
        std::array<double, 4> counts{};
        for (std::int64_t c : drawn.select(1, r).to_vector<std::int64_t>())
          counts.at(static_cast<std::size_t>(c)) += 1.0;
        for (std::size_t c = 0; c < 4; ++c) {
          const double p = expected[r][c];
          // Five standard deviations.
          CHECK(std::abs(counts[c] - kDraws * p) <= 5.0 * std::sqrt(kDraws * p * (1.0 - p)));
        }
      }
    }
}

TEST_CASE("categorical draws repeat with the seed, and never leave the row") {
  const auto draw = [](std::uint64_t seed) {
    Generator generator(seed);
    return categorical(full({100, 7}, 1e-300, Dtype::float64), generator).to_vector<double>();
  };
  CHECK(draw(3) == draw(3));
  CHECK(draw(3) != draw(4));
  CHECK(categorical(ones({1, 1})).item() == 0);
  CHECK(categorical(zeros({0, 3})).shape() == Shape{0});
}

TEST_CASE("categorical refuses what is no distribution, by row") {
  const auto with = [](double bad) { return Tensor::of<double>({2, 2}, {1, 1, bad, 0}); };
  for (double bad : {-1.0, 0.0, HUGE_VAL, std::nan("")})
    expect_error<ArgumentError>([&] { categorical(with(bad)); }, {"categorical", "row 1", "[2,2]"});
  for (double bad : {HUGE_VAL, std::nan("")})
    expect_error<ArgumentError>([&] { categorical_logits(with(bad)); },
                                {"categorical_logits", "row 1"});
  expect_error<ArgumentError>([] { categorical_logits(full({1, 2}, -HUGE_VAL)); }, {"row 0"});
  expect_error<ArgumentError>([] { categorical(zeros({2, 0})); }, {"row 0", "[2,0]"});
  expect_error<ShapeError>([] { categorical(zeros({})); }, {"categorical", "scalar"});
  expect_error<DtypeError>([] { categorical(arange(3)); }, {"categorical", "int64 [3]"});
}

TEST_CASE("permutations hold every number once, in every order equally often") {
  Generator generator(6);
  std::vector<std::int64_t> all = permutation(100, generator).to_vector<std::int64_t>();
  CHECK(all != arange(100).to_vector<std::int64_t>());
  std::sort(all.begin(), all.end());
  CHECK(all == arange(100).to_vector<std::int64_t>());
  std::map<std::vector<std::int64_t>, int> counts;
  for (int i = 0; i < 24'000; ++i) ++counts[permutation(4, generator).to_vector<std::int64_t>()];
  CHECK(counts.size() == 24);
  for (const auto& [order, count] : counts) CHECK(std::abs(count - 1000) < 155);  // 5 deviations
  Generator again(6);
  CHECK(permutation(100, again).to_vector<std::int64_t>() !=
        permutation(100, again).to_vector<std::int64_t>());
  CHECK(permutation(0).shape() == Shape{0});
  CHECK_THROWS_AS(permutation(-1), ShapeError);
}

TEST_CASE("numbers that are uniform below a bound never reach it, in float32 either") {
  Generator generator(0);
  generator.set_position(35333089);  // its next number rounds to 1 in float32
  const Tensor x = uniform({2}, 0.0, 1.0, Dtype::float32, generator);
  for (const Index i : {0, 1}) CHECK(x.at({i}) < 1.0);
  generator.set_position(35333089);
  const Tensor scaled = uniform({2}, -3.0, 5.0, Dtype::float32, generator);
  for (const Index i : {0, 1}) CHECK(scaled.at({i}) < 5.0);
  const Tensor equal = uniform({4}, 2.0, 2.0, Dtype::float64, generator);
  CHECK(equal.at({3}) == 2.0);
}

TEST_CASE("threads draw different numbers from one seed") {
  seed(7);
  std::vector<std::vector<double>> drawn{uniform({4}, 0, 1).to_vector<double>()};
  std::vector<std::uint64_t> streams{default_generator().stream()};
  for (int k = 0; k < 2; ++k)
    std::thread([&] {
      drawn.push_back(uniform({4}, 0, 1).to_vector<double>());
      streams.push_back(default_generator().stream());
      CHECK(default_generator().seed() == 7);
    }).join();
  CHECK(streams == std::vector<std::uint64_t>{0, streams[1], streams[1] + 1});
  CHECK(std::set(drawn.begin(), drawn.end()).size() == 3);
  seed(0);
}

TEST_CASE("a stream that a thread names repeats") {
  const auto draw = [](std::uint64_t value, std::uint64_t stream) {
    std::vector<double> numbers;
    std::thread([&] {
      seed(value, stream);
      numbers = uniform({4}, 0, 1, Dtype::float64).to_vector<double>();
    }).join();
    return numbers;
  };
  CHECK(draw(3, 1) == draw(3, 1));
  CHECK(draw(3, 1) != draw(3, 2));
  CHECK(draw(3, 1) != draw(4, 1));
  Generator third(3, 1);
  CHECK(draw(3, 1) == uniform({4}, 0, 1, Dtype::float64, third).to_vector<double>());
  // No lag relates two streams: the second holds none of the first's numbers.
  std::set<double> of_first;
  Generator first(3, 1), second(3, 2);
  for (int k = 0; k < 10000; ++k) of_first.insert(first.uniform());
  for (int k = 0; k < 10000; ++k) CHECK(of_first.count(second.uniform()) == 0);
  seed(0);
}

}  // namespace unroll::testing
