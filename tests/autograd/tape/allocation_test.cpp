#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <functional>
#include <memory>
#include <vector>

#include "support/counted_new.hpp"
#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// What the steps after the first ones take from the heap and from the system.
void expect_no_allocation(const std::function<void()>& step) {
  for (int k = 0; k < 3; ++k) step();
  const std::uint64_t heap = heap_allocations;
  const memory::Statistics before = memory::statistics();
  for (int k = 0; k < 10; ++k) step();
  const std::uint64_t allocated = heap_allocations - heap;
  CHECK(allocated == 0);
  CHECK(memory::statistics().allocations == before.allocations);
  CHECK(memory::statistics().bytes_in_use == before.bytes_in_use);
  CHECK(memory::statistics().requests >= before.requests + 100);  // the steps did do something
}

void descend(Parameter& parameter, const Gradients& gradients) {
  const Tensor gradient = gradients[parameter].value();
  Tensor& value = parameter.mutable_value();
  dispatch_floating(value.dtype(), [&]<class T>(T) {
    for (Index i = 0; i < value.size(); ++i)
      value.mutable_data<T>()[i] -= T(0.01) * gradient.data<T>()[i];
  });
}

}  // namespace

TEST_CASE("the counter counts") {
  const std::uint64_t before = heap_allocations;
  const auto number = std::make_unique<int>(3);
  std::vector<double> numbers(100, 1.0);
  CHECK(heap_allocations - before == 2);
  CHECK(*number + numbers[99] == 4.0);
}

TEST_CASE("a training step of a recurrence allocates nothing once the first ones are over") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    Parameter w("w", random({6, 4}, 1).to(dtype));
    Parameter u("u", random({6, 6}, 2).to(dtype));
    Parameter b("b", random({6}, 3).to(dtype));
    const Tensor x = random({20, 5, 4}, 4).to(dtype);
    expect_no_allocation([&] {
      Tape tape;
      const Variable projected = linear(x, w, b);
      Variable h = zeros({5, 6}, dtype);
      Variable loss = zeros({}, dtype);
      for (Index t = 0; t < 20; ++t) {
        h = tanh(select(projected, 0, t) + linear(h, u));
        loss = loss + mean(square(h));
      }
      const Gradients gradients = tape.gradients(loss);
      for (Parameter* parameter : {&w, &u, &b}) descend(*parameter, gradients);
    });
  }
}

TEST_CASE("a training step of a language model allocates nothing once the first ones are over") {
  Parameter table("table", random({50, 8}, 1).to(Dtype::float32));
  Parameter gates("gates", random({8, 32}, 2).to(Dtype::float32));
  Parameter head("head", random({50, 8}, 3).to(Dtype::float32));
  const Tensor ids = Tensor::of<std::int64_t>({6}, {3, 49, 0, 3, 7, 20});
  expect_no_allocation([&] {
    Tape tape;
    Variable h = embedding(table, ids);
    Variable c = zeros({6, 8});
    for (int t = 0; t < 5; ++t) {
      const auto [i, f, g, o] = split<4>(matmul(h, gates));
      const auto next = pointwise(
          [](auto in, auto forget, auto candidate, auto out, auto old) {
            auto cell = sigmoid(forget) * old + sigmoid(in) * tanh(candidate);
            return std::pair{sigmoid(out) * tanh(cell), cell};
          },
          i, f, g, o, c);
      h = next[0];
      c = next[1];
    }
    const Gradients gradients = tape.gradients(cross_entropy(linear(h, head), ids));
    for (Parameter* parameter : {&table, &gates, &head}) descend(*parameter, gradients);
  });
}

TEST_CASE("a differentiable backward pass allocates nothing either") {
  const Tensor value = random({4, 4}, 1);
  expect_no_allocation([&] {
    Tape tape;
    const Variable x = tape.watch(value);
    GradientOptions options;
    options.differentiable = true;
    const Variable slope = tape.gradients(sum(tanh(matmul(x, x))), options)[x];
    static_cast<void>(tape.gradients(sum(square(slope))));
  });
}

// Last in its file: from here on the table of layouts is full.
TEST_CASE("a program that goes on making new shapes does not grow by them") {
  Index size = 1000;
  bool right = true;
  const auto new_shapes = [&](std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      const Tensor x = Tensor::empty({2, ++size}, Dtype::float32);
      const Tensor view = x.transpose(0, 1).slice(0, 1, size);
      right = right && view.shape() == Shape{size - 1, 2};
    }
  };
  new_shapes(detail::LayoutReference::kMostKept);
  const std::size_t in_use = memory::statistics().bytes_in_use;
  const std::uint64_t heap = heap_allocations;
  const std::uint64_t allocations = memory::statistics().allocations;
  constexpr std::size_t kMore = 1000;
  new_shapes(kMore);
  CHECK(right);
  CHECK(memory::statistics().bytes_in_use == in_use);
  CHECK(memory::statistics().allocations - allocations < kMore / 10);
  CHECK(heap_allocations == heap);

  // Layouts that end are as good as the others.
  Tape tape;
  const Variable x = tape.watch(random({3, ++size}, 1));
  const Variable y = sum(square(transpose(x)) * 3.0, {0});
  expect_values(tape.gradients(sum(y))[x].value(), (x * 6.0).value().to_vector<double>());
}

}  // namespace unroll::testing
