// The kernels of every instruction set that this processor has, not only of the one that it uses.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/tiles.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInner = 9;

}  // namespace

TEST_CASE("a tile of any height multiplies its rows with one panel, from a start or from zero") {
  for (const kernels::TileSet* set : kernels::usable_tiles()) {
    CAPTURE(set->lanes);
    CHECK(set->max_rows <= kernels::kMostTileRows);
    CHECK(set->width() <= kernels::kWidestPanel);
    const Tensor panel = narrow({kInner, set->width()}, 1);
    for (Index rows = 1; rows <= set->max_rows; ++rows)
      for (const Index columns : {set->lanes, set->width()})
        for (const bool transposed : {false, true}) {
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(transposed);
          CHECK(set->is_exact(columns));
          const Tensor a = narrow({rows, kInner}, 2);
          const Tensor laid = transposed ? a.transpose(0, 1).clone() : a;
          const Tensor start = narrow({rows, columns}, 3);
          auto expected = product(a, panel.slice(1, 0, columns).clone());
          Tensor c = full({rows, columns}, std::nan(""));
          const auto run = [&](const float* from) {
            set->tile(rows, columns, transposed)(laid.data<float>(), laid.strides()[0],
                                                 panel.data<float>(), kInner, from, columns,
                                                 c.mutable_data<float>(), columns);
          };
          run(nullptr);
          expect_values(c, expected, 1e-5);
          run(start.data<float>());
          for (std::size_t k = 0; k < expected.size(); ++k)
            expected[k] += start.to_vector<double>()[k];
          expect_values(c, expected, 1e-5);
        }
  }
}

TEST_CASE("a tile of one row multiplies it with several panels") {
  for (const kernels::TileSet* set : kernels::usable_tiles())
    for (const Index panels : {2, 4}) {
      CAPTURE(set->lanes);
      CAPTURE(panels);
      const Index columns = panels * set->width();
      const Tensor b = narrow({kInner, columns}, 1);
      const Tensor packed =
          b.reshape({kInner, panels, set->width()}).transpose(0, 1).clone();  // [panel, K, width]
      const Tensor a = narrow({1, kInner}, 2);
      const Tensor start = narrow({columns}, 3);
      auto expected = product(a, b);
      Tensor c = full({columns}, std::nan(""));
      const auto run = [&](const float* from) {
        (panels == 2 ? set->two_panels : set->four_panels)(a.data<float>(), packed.data<float>(),
                                                           kInner * set->width(), kInner, from,
                                                           c.mutable_data<float>());
      };
      run(nullptr);
      expect_values(c, expected, 1e-5);
      run(start.data<float>());
      for (std::size_t k = 0; k < expected.size(); ++k) expected[k] += start.to_vector<double>()[k];
      expect_values(c, expected, 1e-5);
    }
}

TEST_CASE("the products of rows with a vector are set or added") {
  for (const kernels::TileSet* set : kernels::usable_tiles())
    for (const Index inner : {1, 5, 64, 131})
      for (const Index rows : {1, 2, 5}) {
        CAPTURE(set->lanes);
        CAPTURE(inner);
        CAPTURE(rows);
        const Tensor w = narrow({rows, inner + 3}, 1).slice(1, 0, inner);
        const Tensor x = narrow({inner, 1}, 2);
        auto expected = product(w, x);
        Tensor y = full({rows}, std::nan(""));
        const auto run = [&](bool add) {
          set->dots(w.data<float>(), w.strides()[0], rows, x.data<float>(), inner,
                    y.mutable_data<float>(), add);
        };
        run(false);
        expect_values(y, expected, 1e-5);
        run(true);
        for (double& e : expected) e *= 2.0;
        expect_values(y, expected, 1e-5);
      }
}

TEST_CASE("the kernels of an instruction set can be chosen by name, by default the best") {
  CHECK(&kernels::tiles_named("") == kernels::usable_tiles().front());
  for (const kernels::TileSet* set : kernels::usable_tiles())
    CHECK(&kernels::tiles_named(set->name) == set);
  CHECK(kernels::tiles_named("baseline").lanes == 4);
  expect_error<ArgumentError>([] { kernels::tiles_named("mmx"); },
                              {"UNROLL_KERNELS", "\"mmx\"", "baseline", "unset"});
}

}  // namespace unroll::testing
