#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <span>
#include <thread>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

Tensor scalar(double x) { return full({}, x, Dtype::float64); }

}  // namespace

TEST_CASE("taking gradients twice is an error that names the operation and the remedy") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable loss = tanh(x);
  static_cast<void>(tape.gradients(loss));
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(loss)); },
                          {"gradients", "tanh", "retain"});
}

TEST_CASE("a second loss that shares operations with the first needs retain as well") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable shared = exp(x);
  const Variable first = shared * 2.0;
  const Variable second = shared * shared;
  static_cast<void>(tape.gradients(first));
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(second)); }, {"retain"});
}

TEST_CASE("a variable of a tape that is gone cannot enter another one") {
  Variable stale;
  {
    Tape tape;
    stale = tape.watch(scalar(3)) * 2.0;
  }
  Tape tape;
  const Variable x = tape.watch(scalar(1));
  const char* const remedy = "detach()";
  expect_error<TapeError>([&] { x* stale; }, {"mul", "float64 []", "another tape", remedy});
  expect_error<TapeError>([&] { x + stale; }, {"add", remedy});
  expect_error<TapeError>([&] { tanh(stale); }, {"tanh", remedy});
  expect_error<TapeError>([&] { sum(stale * 1.0); }, {remedy});
  expect_error<TapeError>([&] { reshape(stale, {1}); }, {"reshape", remedy});
  expect_error<TapeError>([&] { stack({x, stale}); }, {"stack", remedy});
  expect_error<TapeError>(
      [&] {
        linear(ones({1, 1}, Dtype::float64), reshape(stale, {1, 1}));
      },
      {remedy});
  CHECK(tape.gradients(x * detach(stale))[x].item() == 6.0);
}

TEST_CASE("a variable of an outer tape cannot be used while an inner one records") {
  Tape outer;
  const Variable x = outer.watch(scalar(3));
  Tape inner;
  expect_error<TapeError>([&] { x * 2.0; }, {"mul", "not the innermost"});
}

TEST_CASE("a variable whose tape is gone is a constant where nothing records") {
  Variable stale;
  {
    Tape tape;
    stale = tape.watch(scalar(3)) * 2.0;
  }
  CHECK((stale * 2.0).item() == 12.0);
}

TEST_CASE("a loss must be on the tape that is asked") {
  Tape tape;
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(scalar(1))); },
                          {"gradients", "constant"});
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(Variable())); }, {"constant"});
  Variable foreign;
  {
    Tape other;
    foreign = other.watch(scalar(3)) * 2.0;
  }
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(foreign)); },
                          {"gradients", "another tape"});
}

TEST_CASE("a loss of several elements needs a seed of its shape and dtype") {
  Tape tape;
  const Variable x = tape.watch(ones({2, 3}, Dtype::float64));
  const Variable loss = x * 2.0;
  GradientOptions options;
  expect_error<ShapeError>([&] { static_cast<void>(tape.gradients(loss)); },
                           {"gradients", "one element", "[2,3]", "seed"});
  options.seed = ones({3}, Dtype::float64);
  expect_error<ShapeError>([&] { static_cast<void>(tape.gradients(loss, options)); },
                           {"seed", "[3]", "[2,3]"});
  options.seed = ones({2, 3}, Dtype::float32);
  expect_error<DtypeError>([&] { static_cast<void>(tape.gradients(loss, options)); },
                           {"seed", "float32", "float64"});
  options.seed = ones({2, 3}, Dtype::float64);
  CHECK(tape.gradients(loss, options)[x].value().at({1, 2}) == 2.0);  // nothing was lost meanwhile
}

TEST_CASE("only leaves, and variables asked for, have gradients to look up") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable y = x * 2.0;
  const Gradients gradients = tape.gradients(y * y);
  expect_error<TapeError>([&] { static_cast<void>(gradients[y]); },
                          {"no gradient", "float64 []", "Tape::watch", "of"});
  expect_error<TapeError>([&] { static_cast<void>(gradients[Variable(scalar(1))]); },
                          {"no gradient"});
  expect_error<TapeError>([&] { static_cast<void>(Gradients()[x]); }, {"no gradient"});
}

TEST_CASE("a foreign variable in `of` is refused before anything is freed") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable loss = x * x;
  Variable foreign;
  {
    Tape other;
    foreign = other.watch(scalar(1)) * 2.0;
  }
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(loss, {.of = {foreign}})); },
                          {"of", "another tape"});
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(loss, {.of = {scalar(1)}})); },
                          {"of", "constant"});
  CHECK(tape.gradients(loss)[x].item() == 6.0);
}

TEST_CASE("only floating values can be watched") {
  Tape tape;
  expect_error<DtypeError>([&] { tape.watch(arange(3)); }, {"watch", "int64 [3]"});
  expect_error<DtypeError>([&] { tape.watch(Tensor()); }, {"watch", "undefined"});
}

TEST_CASE("recording an operation without a tape is an error that names it") {
  const auto rule = [](const Variable&, BackwardPass&) {};
  expect_error<TapeError>([&] { record("mine", scalar(1), rule); }, {"mine", "recording()"});
  std::array<Variable, 2> outputs{scalar(1), scalar(2)};
  expect_error<TapeError>(
      [&] {
        record("mine", std::span<Variable>(outputs),
               [](std::span<const Variable>, BackwardPass&) {});
      },
      {"mine"});
}

TEST_CASE("a tape does not record what another thread does") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  bool active = true;
  bool recorded = true;
  std::thread([&] {
    active = Tape::active() != nullptr;
    recorded = (x * 2.0).recorded();
  }).join();
  CHECK_FALSE(active);
  CHECK_FALSE(recorded);
  CHECK(tape.statistics().operations == 0);
}

TEST_CASE("a variable of another thread's tape cannot be recorded here") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  bool refused = false;
  std::thread([&] {
    const Tape mine;
    try {
      static_cast<void>(x * 2.0);
    } catch (const TapeError&) {
      refused = true;
    }
  }).join();
  CHECK(refused);
}

}  // namespace unroll::testing
