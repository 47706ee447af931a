#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/lstm.hpp>
#include <nn/recurrent/recurrent.hpp>

#include <pthread.h>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Inputs = std::span<const Variable>;

bool equal_bits(const Variable& a, const Variable& b) {
  return a.shape() == b.shape() && a.value().to_vector<double>() == b.value().to_vector<double>();
}

/// Calls f directly or as a checkpoint.
std::vector<Variable> call(bool kept, const SeveralResults& f, const std::vector<Variable>& in) {
  return kept ? f(in) : checkpoint(f, in);
}

/// A long chain of operations that save what they need.
Variable chain(const Variable& x, int length) {
  Variable h = x;
  for (int k = 0; k < length; ++k) h = tanh(h * h + x);
  return h;
}

}  // namespace

TEST_CASE("a checkpoint changes no bit of values and gradients") {
  const nn::Recurrent rnn(nn::LSTM(3, 5));
  const Tensor x = random({6, 2, 3}, 1).to(Dtype::float32);
  const auto run = [&](bool kept) {
    seed(5);
    Tape tape;
    const Variable input = tape.watch(x);
    const auto both = call(kept,
                           [&](Inputs in) {
                             auto [outputs, state] = rnn(dropout(in[0], 0.3));
                             return std::vector<Variable>{outputs, state[1]};
                           },
                           {input});
    const Variable after = dropout(both[0], 0.5);  // draws what it would without a checkpoint
    Gradients gradients = tape.gradients(sum(after * after) + sum(both[1]));
    std::vector<Variable> all{both[0], both[1], after, gradients[input]};
    for (const ParameterGradient& entry : gradients.parameters())
      all.emplace_back(entry.to_dense());
    return all;
  };
  const auto kept = run(true);
  const auto again = run(false);
  REQUIRE(kept.size() == again.size());
  for (std::size_t k = 0; k < kept.size(); ++k) {
    CAPTURE(k);
    CHECK(equal_bits(kept[k], again[k]));
  }
}

TEST_CASE("f runs once in the forward pass and once in the backward pass") {
  int runs = 0;
  Tape tape;
  const Variable x = tape.watch(random({4}, 2));
  const Variable y = checkpoint(
      [&](Inputs in) {
        ++runs;
        return exp(in[0]);
      },
      {x});
  CHECK(runs == 1);
  CHECK(tape.statistics().operations == 1);
  tape.gradients(sum(y));
  CHECK(runs == 2);
}

TEST_CASE("a seed that is recorded enters the second run as a constant") {
  Tape tape;
  const Variable x = tape.watch(random({4}, 2));
  const Variable s = tape.watch(random({4}, 3));
  const Variable y = checkpoint([](Inputs in) { return tanh(in[0]); }, {x}) + x;
  const Tensor gradient = tape.gradients(y, {.seed = s * 2.0})[x].value();
  for (Index i = 0; i < 4; ++i) {
    const double t = std::tanh(x.value().at({i}));
    CHECK(gradient.at({i}) == doctest::Approx(2.0 * s.value().at({i}) * (2.0 - t * t)));
  }
}

TEST_CASE("a chain in parts needs the memory of a part") {
  constexpr int kParts = 10;
  constexpr int kLength = 20;
  const Tensor x = random({1000}, 3);
  const auto peak = [&](bool kept) {
    const std::size_t before = memory::statistics().bytes_in_use;
    Tape tape;
    memory::reset_peak();
    Variable h = tape.watch(x);
    for (int k = 0; k < kParts; ++k)
      h = call(kept, [](Inputs in) { return std::vector<Variable>{chain(in[0], kLength)}; },
               {h})[0];
    tape.gradients(sum(h));
    return memory::statistics().peak_bytes - before;
  };
  CHECK(peak(false) < peak(true) / 4);
}

TEST_CASE("gradients of gradients pass through a checkpoint, and through one in another") {
  const auto f = [](Inputs in) {
    const Variable inner = checkpoint([](Inputs x) { return sin(x[0]) * x[1]; }, {in[0], in[1]});
    return checkpoint([](Inputs x) { return sum(tanh(x[0]) * x[1]); }, {inner, in[1]}) +
           sum(checkpoint(
               [](Inputs x) {
                 return checkpoint([](Inputs y) { return exp(y[0] * y[0]); }, {x[0] * 0.5});
               },
               {in[0]}));
  };
  const std::vector<Tensor> at{random({3}, 4), random({3}, 5)};
  const GradcheckReport first = gradcheck(f, at);
  CHECK_MESSAGE(first, first);
  const GradcheckReport second = gradgradcheck(f, at);
  CHECK_MESSAGE(second, second);
}

TEST_CASE("second derivatives by parameters pass through a checkpoint") {
  const Parameter w("w", random({3}, 6));
  const auto run = [&](bool kept) {
    Tape tape;
    const Variable x = tape.watch(random({3}, 7));
    const Variable y = call(
        kept, [&](Inputs in) { return std::vector<Variable>{sum(tanh(in[0] * w) * w)}; }, {x})[0];
    const Gradients first = tape.gradients(y, {.differentiable = true});
    const Gradients second = tape.gradients(sum(first[w] * first[w]) + sum(first[x]));
    return std::vector{second[w], second[x]};
  };
  const auto kept = run(true);
  const auto again = run(false);
  expect_values(again[0].value(), kept[0].value().to_vector<double>(), 1e-14);
  expect_values(again[1].value(), kept[1].value().to_vector<double>(), 1e-14);
}

TEST_CASE("the gradient of an embedding in a checkpoint stays rows") {
  const Parameter table("table", random({50, 2}, 8));
  const Tensor words = Tensor::of<std::int64_t>({3}, {7, 1, 7});
  Tape tape;
  const Variable y =
      checkpoint([&](Inputs in) { return embedding(table, in[0].value()); }, {words});
  Gradients gradients = tape.gradients(sum(y));
  REQUIRE(gradients.parameters().size() == 1);
  CHECK_FALSE(gradients.parameters()[0].dense.defined());
  CHECK(gradients[table].value().at({7, 0}) == 2.0);
}

TEST_CASE("without a tape, and where nothing is recorded, a checkpoint is f") {
  const Tensor x = random({3}, 9);
  const auto f = [](Inputs in) { return exp(in[0]); };
  CHECK(equal_bits(checkpoint(f, {x}), exp(x)));
  Tape tape;
  CHECK_FALSE(checkpoint(f, {x}).recorded());
  CHECK(tape.statistics().operations == 0);
}

TEST_CASE("a result that nobody uses and one that is a constant") {
  Tape tape;
  const Variable x = tape.watch(random({3}, 10));
  const auto results = checkpoint(
      [](Inputs in) {
        return std::vector<Variable>{in[0] * 2.0, exp(in[0]), ones({2}, Dtype::float64)};
      },
      {x});
  CHECK_FALSE(results[2].recorded());
  expect_values(tape.gradients(sum(results[0]) + sum(results[2]))[x].value(), {2.0, 2.0, 2.0}, 0.0);
}

TEST_CASE("the backward pass through a checkpoint leaves the generator where it was") {
  seed(3);
  Tape tape;
  const Variable x = tape.watch(random({8}, 11));
  const Variable y = checkpoint([](Inputs in) { return dropout(in[0], 0.5); }, {x});
  const std::uint64_t position = default_generator().position();
  tape.gradients(sum(y));
  CHECK(default_generator().position() == position);
}

TEST_CASE("what a checkpoint cannot repeat is refused") {
  Tape tape;
  const Variable x = tape.watch(random({3}, 12));
  SUBCASE("a recorded variable that f reads past its inputs") {
    const Variable y = exp(x);
    expect_error<TapeError>([&] { checkpoint([&](Inputs in) { return in[0] * y; }, {x}); },
                            {"mul", "another tape", "inputs of checkpoint"});
  }
  SUBCASE("a parameter that was changed in between") {
    Parameter w("w", random({3}, 13));
    const Variable y = checkpoint([&](Inputs in) { return in[0] * w; }, {x});
    w.mutable_value().mutable_data<double>()[0] = 1.0;
    expect_error<TapeError>([&] { tape.gradients(sum(y)); },
                            {"checkpoint", "parameter w", "take the gradients first"});
  }
  SUBCASE("results of another shape") {
    int runs = 0;
    const Variable y = checkpoint([&](Inputs in) { return slice(in[0], 0, 0, ++runs); }, {x});
    expect_error<TapeError>([&] { tape.gradients(sum(y)); }, {"checkpoint", "second run of f"});
  }
  SUBCASE("a parameter that the first run did not use") {
    const Parameter w("w", random({3}, 14));
    bool again = false;
    const Variable y = checkpoint(
        [&](Inputs in) { return std::exchange(again, true) ? in[0] * w : in[0] * 2.0; }, {x});
    expect_error<TapeError>([&] { tape.gradients(sum(y)); }, {"checkpoint", "parameter w"});
  }
}

TEST_CASE("checkpoints nested deeper than the stack of the thread are an error, not a crash") {
  struct Attempt {
    int levels = 0;
    bool forward = false, backward = false;
    double gradient = 0.0;
    std::string error;
  };
  // tanh of x, in a checkpoint in a checkpoint and so on.
  static const auto nested = [](const auto& self, const Variable& x, int levels) -> Variable {
    if (levels == 0) return tanh(x);
    return checkpoint([&self, levels](Inputs v) { return self(self, v[0], levels - 1); }, {x});
  };
  const auto attempt = [](int levels) {
    Attempt result;
    result.levels = levels;
    ::pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, std::size_t{256} << 10);
    ::pthread_t thread{};
    const auto run = [](void* in) -> void* {
      Attempt& own = *static_cast<Attempt*>(in);
      try {
        Tape tape;
        const Variable x = tape.watch(full({}, 0.5, Dtype::float64));
        const Variable y = nested(nested, x, own.levels);
        own.forward = true;
        own.gradient = tape.gradients(y)[x].value().item();
        own.backward = true;
      } catch (const TapeError& error) {
        own.error = error.what();
      }
      return nullptr;
    };
    REQUIRE(::pthread_create(&thread, &attributes, run, &result) == 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
    return result;
  };
  const Attempt few = attempt(10);
  CHECK(few.backward);
  CHECK(few.gradient == doctest::Approx(1.0 - std::pow(std::tanh(0.5), 2)));
  const Attempt many = attempt(4000);
  CHECK(!many.forward);
  CHECK(many.error.find("nested so deeply") != std::string::npos);
  // As deep as the forward pass can go: the backward pass needs more, and may say so.
  int deepest = 10;
  while (attempt(deepest + 5).forward) deepest += 5;
  const Attempt at_the_end = attempt(deepest);
  CHECK((at_the_end.backward || at_the_end.error.find("nested so deeply") != std::string::npos));
}

}  // namespace unroll::testing
