#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

Tensor vector(std::initializer_list<double> x) {
  return Tensor::of<double>({static_cast<Index>(x.size())}, x);
}

}  // namespace

TEST_CASE("a parameter is a handle: copies refer to the same value") {
  const Parameter w("w", vector({1, 2}));
  Parameter copy = w;
  CHECK(copy == w);
  CHECK(copy.identity() == w.identity());
  copy.set(vector({3, 4}));
  expect_values(w.value(), {3, 4});
  CHECK(w.name() == "w");
  CHECK_FALSE(w == Parameter("w", vector({3, 4})));
}

TEST_CASE("a parameter keeps its shape, and may change its dtype") {
  Parameter w("embedding.weight", vector({1, 2}));
  expect_error<ShapeError>([&] { w.set(vector({1, 2, 3})); }, {"embedding.weight", "[2]", "[3]"});
  expect_error<DtypeError>([&] { w.set(arange(2)); }, {"embedding.weight", "int64"});
  expect_error<DtypeError>([] { Parameter("ids", arange(2)); }, {"ids", "int64 [2]"});
  expect_error<DtypeError>([] { Parameter("none", Tensor()); }, {"none", "undefined"});
  expect_values(w.value(), {1, 2});
  w.set(zeros({2}, Dtype::float32));
  CHECK(w.dtype() == Dtype::float32);
}

TEST_CASE("a scalar parameter does not take no value at all") {
  Parameter w("w", full({}, 3.0));
  expect_error<Error>([&] { w.set(Tensor()); }, {"parameter w", "undefined"});
  CHECK(w.value().item() == 3.0);
}

TEST_CASE("a value that a tape still needs is copied before it is written to") {
  Parameter w("w", vector({2, 3}));
  Tape tape;
  const Variable loss = sum(Variable(w) * Variable(w));
  const Tensor seen = w.value();
  w.mutable_value().mutable_data<double>()[0] = 100.0;
  expect_values(seen, {2, 3});
  expect_values(w.value(), {100, 3});
  expect_values(tape.gradients(loss)[w].value(), {4, 6});  // of the values that the loss saw
}

TEST_CASE("a value that nothing else refers to is written in place") {
  Parameter w("w", vector({2, 3}));
  const void* address = w.value().address();
  CHECK(w.mutable_value().address() == address);
}

TEST_CASE(
    "once the backward pass has freed what operations saved, an update is in place, tape alive or "
    "not") {
  Parameter w("w", vector({2, 3}));
  const void* address = w.value().address();
  Tape tape;
  const Gradients gradients = tape.gradients(sum(square(Variable(w))));
  CHECK(w.mutable_value().address() == address);
  w.mutable_value().mutable_data<double>()[0] = 1.0;
  expect_values(gradients[w].value(), {4, 6});
}

TEST_CASE("a parameter that is a strided view becomes contiguous when it is written to") {
  const Tensor base = Tensor::of<double>({2, 2}, {1, 2, 3, 4});
  Parameter w("w", base.transpose(0, 1));
  w.mutable_value().mutable_data<double>()[1] = 30.0;
  CHECK(w.value().is_contiguous());
  expect_values(w.value(), {1, 30, 2, 4});
  expect_values(base, {1, 2, 3, 4});
}

TEST_CASE("a tape keeps using the value that a parameter had when it was used") {
  Parameter w("w", vector({2}));
  Tape tape;
  const Variable before = Variable(w) * 1.0;
  w.set(vector({5}));
  const Variable after = Variable(w) * 1.0;
  // d (before * after): both uses are of one leaf.
  expect_values(tape.gradients(sum(before * after))[w].value(), {7});
}

TEST_CASE("a parameter outlives its tapes, and gradients keep it alive") {
  std::optional<Parameter> w(std::in_place, "w", vector({2}));
  Gradients gradients;
  {
    Tape tape;
    gradients = tape.gradients(sum(square(Variable(*w))));
  }
  w.reset();
  CHECK(gradients.parameters()[0].parameter.name() == "w");
  expect_values(gradients.parameters()[0].to_dense(), {4});
}

TEST_CASE("a parameter that was moved elsewhere says so") {
  Parameter from("w", vector({1, 2}));
  const Parameter to = std::move(from);
  CHECK(to.name() == "w");
  const auto refused = [](const std::function<void()>& use) {
    expect_error<ArgumentError>(use, {"parameter", "moved"});
  };
  // NOLINTBEGIN(bugprone-use-after-move)
  refused([&] { static_cast<void>(from.value()); });
  refused([&] { static_cast<void>(from.name()); });
  refused([&] { from.set(vector({1, 2})); });
  refused([&] { from.mutable_value(); });
  refused([&] { static_cast<void>(Variable(from)); });
  const Tape tape;
  refused([&] { static_cast<void>(Variable(from)); });
  from = to;
  CHECK(from == to);
  // NOLINTEND(bugprone-use-after-move)
}

}  // namespace unroll::testing
