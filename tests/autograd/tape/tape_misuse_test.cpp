#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

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
  const auto vjp = [](const Variable&, BackwardPass&) {};
  expect_error<TapeError>([&] { record("mine", scalar(1), vjp); }, {"mine", "recording()"});
  std::array<Variable, 2> outputs{scalar(1), scalar(2)};
  expect_error<TapeError>(
      [&] {
        record("mine", std::span<Variable>(outputs),
               [](std::span<const Variable>, BackwardPass&) {});
      },
      {"mine"});
}

/// What a thread without a tape throws when it calls f.
std::string refusal(const std::function<void()>& f) {
  std::string text;
  std::thread([&] {
    try {
      f();
    } catch (const TapeError& error) {
      text = error.what();
    }
  }).join();
  return text;
}

TEST_CASE("another thread does not take what a tape has recorded for a constant") {
  const Parameter w("w", scalar(2));
  const Parameter unused("unused", scalar(2));
  {
    Tape tape;
    const Variable x = tape.watch(full({1}, 3.0, Dtype::float64));
    const Variable y = x * w;
    const std::vector<Variable> both{x, y};
    CHECK(refusal([&] { static_cast<void>(x * 2.0); }).find("another thread") != std::string::npos);
    CHECK(refusal([&] { static_cast<void>(slice(y, 0, 0, 1)); }) != "");
    CHECK(refusal([&] { static_cast<void>(concat(both, 0)); }) != "");
    CHECK(refusal([&] { static_cast<void>(Variable(w)); }) != "");
    CHECK(refusal([&] { static_cast<void>(detach(x) * Variable(unused)); }) == "");
    CHECK(refusal([&] { static_cast<void>(tape.watch(scalar(1))); }).find("watch") !=
          std::string::npos);
    CHECK(refusal([&] { tape.gradients(y); }).find("gradients") != std::string::npos);
    CHECK(tape.statistics().operations == 1);
  }
  CHECK(refusal([&] { static_cast<void>(Variable(w) * 2.0); }) == "");
}

TEST_CASE("a thread with a tape of its own takes the gradients of shared parameters") {
  const Parameter w("w", scalar(2));
  const Tape outer;
  const Variable seen(w);
  double gradient = 0.0;
  std::thread([&] {
    Tape mine;
    gradient = mine.gradients(square(Variable(w)))[w].item();
  }).join();
  CHECK(gradient == 4.0);
}

TEST_CASE("a tape may end on another thread, and after the thread that made it") {
  auto moved = std::make_unique<Tape>();
  std::thread([&] { moved.reset(); }).join();
  CHECK(Tape::active() == nullptr);
  std::unique_ptr<Tape> left;
  std::thread([&] {
    left = std::make_unique<Tape>();
    static_cast<void>(square(left->watch(scalar(2))));
  }).join();
  left.reset();
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  CHECK(tape.gradients(square(x))[x].item() == 6.0);
}

TEST_CASE("rows outside the table are refused, whoever adds them") {
  Tape tape;
  const Variable table = tape.watch(zeros({3, 2}, Dtype::float64));
  const auto looked_up = [&](const Tensor& indices) {
    return record("lookup", zeros({2, 2}, Dtype::float64),
                  [table, indices](const Variable& g, BackwardPass& pass) {
                    pass.add_rows(table, indices, g);
                  });
  };
  const auto gradients_at = [&](std::int64_t row) {
    tape.gradients(sum(looked_up(Tensor::of<std::int64_t>({2}, {0, row}))));
  };
  expect_error<ArgumentError>([&] { gradients_at(3); }, {"add_rows", "[3,2]", "3", "0..2"});
  expect_error<ArgumentError>([&] { gradients_at(-1); }, {"add_rows", "-1"});
  expect_error<DtypeError>([&] { tape.gradients(sum(looked_up(zeros({2})))); },
                           {"add_rows", "int64"});
  expect_error<ShapeError>(
      [&] { tape.gradients(sum(looked_up(Tensor::of<std::int64_t>({1}, {0})))); }, {"[n,D]"});
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

TEST_CASE("what is written to a tensor after the forward pass changes no gradient") {
  Tensor input = Tensor::of<double>({2}, {2, 3});
  Parameter weight("w", Tensor::of<double>({2}, {5, 7}));
  Tensor& kept = weight.mutable_value();
  Tape tape;
  const Variable x = tape.watch(input);
  const Variable loss = sum(square(x) * weight * input);
  for (int k = 0; k < 2; ++k) {
    input.mutable_data<double>()[k] = 1e3;
    kept.mutable_data<double>()[k] = 1e3;
    weight.mutable_value().mutable_data<double>()[k] = 1e4;
  }
  const Gradients gradients = tape.gradients(loss);
  expect_values(gradients[x].value(), {2 * 2 * 5 * 2, 2 * 3 * 7 * 3});
  expect_values(gradients[weight].value(), {8, 27});
  expect_values(weight.value(), {1e4, 1e4});
}

TEST_CASE("a tape that a vjp of its own backward pass destroys is an error, and the last of it") {
  for (const bool differentiable : {false, true}) {
    const Tape outer;
    auto inner = std::make_unique<Tape>();
    const Variable x = inner->watch(scalar(3));
    const std::vector<double> captured(100, 2.0);
    const auto killing = [&](bool adds) {
      return record("killing", scalar(1),
                    [x, captured, adds, &inner](const Variable& g, BackwardPass& pass) {
                      inner.reset();
                      if (adds) pass.add(x, g * captured.back());
                    });
    };
    const Variable loss = killing(!differentiable) * 2.0;
    expect_error<TapeError>(
        [&] { static_cast<void>(inner->gradients(loss, {.differentiable = differentiable})); },
        {"gradients", "destroyed", "backward pass"});
    CHECK(Tape::active() == &outer);
  }
  CHECK(Tape::active() == nullptr);
}

TEST_CASE("a tape destroyed in a pass within its own pass ends both") {
  auto tape = std::make_unique<Tape>();
  const Variable x = tape->watch(scalar(3));
  const Variable killing =
      record("killing", scalar(1), [&tape](const Variable&, BackwardPass&) { tape.reset(); });
  int errors = 0;
  const Variable loss = record("outer", scalar(1), [&](const Variable& g, BackwardPass& pass) {
    try {
      static_cast<void>(tape->gradients(killing));
    } catch (const TapeError&) {
      ++errors;
    }
    pass.add(x, g);
  });
  expect_error<TapeError>([&] { static_cast<void>(tape->gradients(loss)); }, {"destroyed"});
  CHECK(errors == 1);
}

}  // namespace unroll::testing
