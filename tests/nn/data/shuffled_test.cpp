#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/data/shuffled.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

using nn::ShuffledIndices;

std::vector<Index> epoch_of(ShuffledIndices& order) {
  std::vector<Index> all;
  for (const Index epoch = order.epoch(); order.epoch() == epoch;)
    for (const Index index : order.next()) all.push_back(index);
  return all;
}

TEST_CASE("an epoch has every example once, in an order of its own") {
  ShuffledIndices order(50, {.batch = 8, .seed = 3});
  CHECK(order.batches_per_epoch() == 7);
  std::vector<Index> expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  std::vector<std::vector<Index>> epochs;
  for (Index epoch = 0; epoch < 5; ++epoch) {
    CHECK(order.epoch() == epoch);
    epochs.push_back(epoch_of(order));
    for (std::size_t k = 0; k + 1 < epochs.size(); ++k) CHECK(epochs[k] != epochs.back());
    auto sorted = epochs.back();
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == expected);
  }
  ShuffledIndices same(50, {.batch = 50, .seed = 3});
  CHECK(same.next() == epochs[0]);
  ShuffledIndices other(50, {.batch = 50, .seed = 4});
  CHECK(other.next() != epochs[0]);
}

TEST_CASE("the last batch is smaller or left out") {
  ShuffledIndices all(10, {.batch = 4});
  for (const std::size_t size : {4U, 4U, 2U, 4U}) CHECK(all.next().size() == size);
  ShuffledIndices whole(10, {.batch = 4, .drop_last = true});
  CHECK(whole.batches_per_epoch() == 2);
  for (const Index epoch : {0, 0, 1, 1, 2}) {
    CHECK(whole.epoch() == epoch);
    CHECK(whole.next().size() == 4);
  }
}

TEST_CASE("resumed indices are those of the uninterrupted run") {
  for (const bool drop_last : {false, true})
    for (int batches = 0; batches < 12; ++batches) {
      ShuffledIndices first(10, {.batch = 3, .seed = ~std::uint64_t{0}, .drop_last = drop_last});
      for (int k = 0; k < batches; ++k) first.next();
      ShuffledIndices second(10, {.batch = 3, .seed = 1, .drop_last = drop_last});
      second.next();
      second.set_state(first.state());
      for (int k = 0; k < 9; ++k) {
        CHECK(second.epoch() == first.epoch());
        CHECK(second.next() == first.next());
      }
    }
}

TEST_CASE("a state that does not fit is refused and changes nothing") {
  ShuffledIndices order(10, {.batch = 3});
  order.next();
  const auto good = order.state();
  const auto refuse = [&](auto change, std::string_view why) {
    auto bad = good;
    change(bad);
    expect_error<FormatError>([&] { order.set_state(bad); }, {"ShuffledIndices", why});
  };
  const auto number = [](std::int64_t value) { return Tensor::of({}, std::vector{value}); };
  refuse([&](auto& s) { s[0].second = number(9); }, "of 9 examples, not 10");
  refuse([&](auto& s) { s[2].second = number(-1); }, "epoch: -1");
  refuse([&](auto& s) { s[3].second = number(-1); }, "position: -1");
  refuse([&](auto& s) { s[3].second = number(10); }, "position: 10");
  refuse([&](auto& s) { s[3].second = Tensor(); }, "position: undefined");
  refuse([&](auto& s) { s[1].second = Tensor::of({}, std::vector{1.0}); }, "not an int64");
  refuse([&](auto& s) { s[3].second = Tensor::of<std::int64_t>({1}, {1}); },
         "position: [1] instead of []");
  refuse([&](auto& s) { s.pop_back(); }, "position: missing");
  refuse([&](auto& s) { s.emplace_back("more", number(1)); }, "more: not of this shuffled order");
  ShuffledIndices expected(10, {.batch = 3});
  expected.next();
  CHECK(order.next() == expected.next());
}

TEST_CASE("counts and batches must be positive") {
  expect_error<ArgumentError>([] { ShuffledIndices(0); }, {"count", "0"});
  expect_error<ArgumentError>([] { ShuffledIndices(3, {.batch = 0}); }, {"batch must"});
  expect_error<ArgumentError>([] { ShuffledIndices(3, {.batch = 4, .drop_last = true}); },
                              {"drop_last", "batch 4"});
}

}  // namespace
}  // namespace unroll::testing
