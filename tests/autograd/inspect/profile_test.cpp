#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

using namespace unroll;

namespace {

ProfileRow find(const std::vector<ProfileRow>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ProfileRow& row) {
    return row.operation == name || row.module == name;
  });
  return found == rows.end() ? ProfileRow() : *found;
}

const Parameter& weight() {
  static const Parameter instance("weight", ones({4, 3}));
  return instance;
}

/// Three products and a sum, in two modules.
Variable model(const Tensor& x) {
  Variable y = x;
  {
    const Scope first("first");
    y = matmul(y, weight());
  }
  const Scope second("second");
  for (int k = 0; k < 2; ++k) y = y * 0.5;
  return sum(y);
}

}  // namespace

TEST_CASE("a profile counts operations and the bytes they wrote, by operation and by module") {
  const Profile profile;
  {
    Tape tape;
    tape.gradients(model(ones({2, 4})));
  }
  const auto operations = profile.by_operation();
  CHECK(find(operations, "matmul").count == 1);
  CHECK(find(operations, "matmul").bytes == 2 * 3 * 4);
  CHECK(find(operations, "mul").count == 2);
  CHECK(find(operations, "mul").bytes == 2 * 2 * 3 * 4);
  CHECK(find(operations, "sum_to").bytes == 4);
  CHECK(find(operations, "gradients of leaves").count == 1);
  CHECK(find(operations, "gradients of leaves").bytes == 4 * 3 * 4);
  CHECK(operations.size() == 4);

  const auto modules = profile.by_module();
  CHECK(modules.size() == 2);
  CHECK(find(modules, "first").count == 2);  // the product, and the gradient of its weight
  CHECK(find(modules, "second").count == 3);
  CHECK(profile.rows().size() == 4);

  const ProfileRow total = profile.total();
  CHECK(total.count == 5);
  CHECK(total.bytes == 24 + 48 + 4 + 48);
  CHECK(total.blocks >= 5);
}

TEST_CASE("the rows of a profile are sorted by time and add up") {
  const Profile profile;
  for (int k = 0; k < 3; ++k) {
    Tape tape;
    tape.gradients(model(ones({2, 4})));
  }
  const auto rows = profile.rows();
  ProfileRow sum;
  for (const ProfileRow& row : rows) {
    CHECK(row.forward_seconds >= 0.0);
    CHECK(row.backward_seconds >= 0.0);
    sum.count += row.count;
    sum.blocks += row.blocks;
    sum.allocations += row.allocations;
  }
  CHECK(std::is_sorted(rows.begin(), rows.end(), [](const ProfileRow& a, const ProfileRow& b) {
    return a.seconds() > b.seconds();
  }));
  CHECK(sum.count == 15);
  CHECK(sum.blocks == profile.total().blocks);
  CHECK(sum.allocations == profile.total().allocations);
}

TEST_CASE("a profile in steady state shows that nothing comes from the system") {
  const auto round = [] {
    Tape tape;
    tape.gradients(model(ones({2, 4})));
  };
  for (int k = 0; k < 3; ++k) round();
  const Profile profile;
  round();
  CHECK(profile.total().allocations == 0);
  CHECK(profile.total().blocks > 0);
}

TEST_CASE("a profile sees the tapes of its life and its thread, and a tape that lives already") {
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  exp(x);
  {
    const Profile profile;
    exp(x);
    std::thread([] {
      Tape other;
      exp(other.watch(ones({2})));
    }).join();
    CHECK(profile.total().count == 1);
  }
  CHECK(exp(x).recorded());  // nobody looks any more
  CHECK(tape.gradients(sum(exp(x)))[x].value().at({0}) == doctest::Approx(std::exp(1.0)));
}

TEST_CASE("operations that were recorded before a profile count when their vjps run") {
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  const Variable loss = sum(exp(x));
  const Profile profile;
  tape.gradients(loss);
  CHECK(find(profile.by_operation(), "exp").count == 0);
  CHECK(find(profile.by_operation(), "exp").operation == "exp");
  CHECK(find(profile.by_operation(), "gradients of leaves").count == 1);
}

TEST_CASE("a profile is printed as two tables and a total") {
  const Profile profile;
  {
    Tape tape;
    tape.gradients(model(ones({2, 4})));
  }
  const std::string text = profile.to_string();
  for (const char* word : {"operation ", "module ", "count", "forward ms", "backward ms",
                           "MB written", "matmul", "second", "total"})
    CHECK_MESSAGE(text.find(word) != std::string::npos, word);
  std::size_t width = 0;  // of a line
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end > at) {
      if (width == 0) width = end - at;
      CHECK(end - at == width);
    }
    at = end + 1;
  }
}

TEST_CASE("nothing is seen without a tape") {
  const Profile profile;
  model(ones({2, 4}));
  CHECK(profile.total().count == 0);
  CHECK(profile.rows().empty());
}
