#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace unroll::testing::graphs {
namespace {

using Results = std::vector<Variable>;

/// Over everything, over one axis (the number is the axis) and over two, kept; the operand must
/// have elements.
template <class F, class Along>
void add_reduction(std::map<std::string, Row>& rows, const std::string& op, Domain domain,
                   Index least_elements, F f, Along along) {
  rows[op] = {op,
              [=](Draw& draw, Call& call) {
                call.inputs = {draw.within(domain)};
                return draw.value(call.inputs[0]).value().size() >= least_elements;
              },
              [f](Inputs x, Numbers) { return Results{f(x[0])}; }};
  rows[op + "/axis"] = {op,
                        [=](Draw& draw, Call& call) {
                          const int id = draw.within(domain, 1);
                          const int axis = draw.axis(id);
                          call.inputs = {id};
                          call.numbers = {static_cast<double>(axis)};
                          return draw.shape(id)[axis] >= least_elements;
                        },
                        [along](Inputs x, Numbers n) {
                          const int axis = static_cast<int>(n[0]);
                          return Results{along(x[0], std::initializer_list<int>{axis}, false)};
                        }};
  rows[op + "/axes"] = {
      op,
      [=](Draw& draw, Call& call) {
        const int id = draw.within(domain, 2);
        call.inputs = {id};
        call.numbers = {0.0, static_cast<double>(draw.rank(id) - 1)};
        return draw.shape(id)[0] * draw.shape(id)[draw.rank(id) - 1] >= least_elements;
      },
      [along](Inputs x, Numbers n) {
        const int first = static_cast<int>(n[0]);
        const int last = static_cast<int>(n[1]);
        return Results{along(x[0], std::initializer_list<int>{first, last}, true)};
      }};
}

/// The shape of coefficients that broadcast to `shape`: some axes 1, some of the first left out. An
/// axis of 2 for complex numbers stays.
Shape coefficients_for(Draw& draw, Shape shape, bool is_complex) {
  if (!draw.chance(3)) return shape;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (!(is_complex && axis == 2) && draw.chance(2)) shape[axis] = 1;
  for (Index dropped = draw.pick(is_complex ? 3 : shape.rank() + 1); dropped > 0; --dropped)
    shape.erase(0);
  return shape;
}

/// A scan of real numbers, or of complex ones with an axis of 2 behind that of the batch. The
/// numbers: whether it runs in reverse, and which of start, restart, lengths and resets follow a
/// and b.
Row scan(bool is_complex) {
  return {is_complex ? "complex_linear_scan" : "linear_scan",
          [is_complex](Draw& draw, Call& call) {
            Shape shape;
            int b = -1;
            if (is_complex || draw.chance(2)) {
              shape = {draw.chance(30) ? 0 : 1 + draw.pick(6), 1 + draw.pick(3)};
              if (is_complex) shape.push_back(2);
              if (draw.chance(2)) shape.push_back(1 + draw.pick(3));
              b = draw.of(shape);
            } else {
              b = draw.any(2);
              if (b < 0) return false;
              shape = draw.shape(b);
            }
            call.inputs = {draw.of(coefficients_for(draw, shape, is_complex)), b};
            call.numbers = {draw.chance(2) ? 1.0 : 0.0};
            const auto maybe = [&](auto make) {
              const bool is_there = draw.chance(2);
              if (is_there) call.inputs.push_back(make());
              call.numbers.push_back(is_there ? 1.0 : 0.0);
            };
            Shape state = shape;
            state.erase(0);
            maybe([&] { return draw.of(state); });
            maybe([&] { return draw.of(state); });
            maybe([&] { return draw.whole({shape[1]}, shape[0] + 1); });
            maybe([&] { return draw.whole({shape[0], shape[1]}, 2); });
            return true;
          },
          [is_complex](Inputs x, Numbers n) {
            LinearScanOptions how{.reverse = n[0] != 0.0};
            std::size_t k = 2;
            if (n[1] != 0.0) how.start = x[k++];
            if (n[2] != 0.0) how.restart = x[k++];
            if (n[3] != 0.0) how.lengths = x[k++].value().to_vector<Index>();
            if (n[4] != 0.0) how.resets = x[k++].value();
            return Results{is_complex ? complex_linear_scan(x[0], x[1], how)
                                      : linear_scan(x[0], x[1], how)};
          }};
}

/// One operand with at least one element along an axis, which is the number.
template <class F>
Row along_axis(const char* op, Domain domain, F f) {
  return {op,
          [domain](Draw& draw, Call& call) {
            const int id = draw.within(domain, 1);
            const int axis = draw.axis(id);
            call.inputs = {id};
            call.numbers = {static_cast<double>(axis)};
            return draw.shape(id)[axis] >= 1;
          },
          [f](Inputs x, Numbers n) { return Results{f(x[0], static_cast<int>(n[0]))}; }};
}

}  // namespace

void add_reductions(std::map<std::string, Row>& rows) {
#define REDUCTION(name, domain, least)                                               \
  add_reduction(                                                                     \
      rows, #name, Domain::domain, least, [](const Variable& x) { return name(x); }, \
      [](const Variable& x, std::initializer_list<int> axes, bool keep) {            \
        return name(x, axes, keep);                                                  \
      });
  REDUCTION(sum, any, 0)
  REDUCTION(mean, any, 1)
  REDUCTION(prod, any, 1)
  REDUCTION(max, apart, 1)
  REDUCTION(min, apart, 1)
  REDUCTION(variance, any, 2)
  REDUCTION(standard_deviation, apart, 2)
  REDUCTION(logsumexp, any, 1)
  REDUCTION(norm, nonzero, 1)
#undef REDUCTION
  rows["norm/1"] = {"norm",
                    [](Draw& draw, Call& call) {
                      call.inputs = {draw.within(Domain::nonzero)};
                      call.numbers = {1.0};
                      return draw.value(call.inputs[0]).value().size() > 0;
                    },
                    [](Inputs x, Numbers n) { return Results{norm(x[0], n[0])}; }};
  rows["norm/3"] = {"norm",
                    [](Draw& draw, Call& call) {
                      const int id = draw.within(Domain::nonzero, 1);
                      const int axis = draw.axis(id);
                      call.inputs = {id};
                      call.numbers = {3.0, static_cast<double>(axis)};
                      return draw.shape(id)[axis] > 0;
                    },
                    [](Inputs x, Numbers n) {
                      return Results{norm(x[0], {static_cast<int>(n[1])}, false, n[0])};
                    }};
  rows["cumsum"] = along_axis("cumsum", Domain::any,
                              [](const Variable& x, int axis) { return cumsum(x, axis); });
  rows["cumprod"] = along_axis("cumprod", Domain::nonzero,
                               [](const Variable& x, int axis) { return cumprod(x, axis); });
  rows["cummax"] = along_axis("cummax", Domain::apart,
                              [](const Variable& x, int axis) { return cummax(x, axis); });
  rows["linear_scan"] = scan(false);
  rows["complex_linear_scan"] = scan(true);
  rows["softmax"] = along_axis("softmax", Domain::any,
                               [](const Variable& x, int axis) { return softmax(x, axis); });
  rows["log_softmax"] = along_axis(
      "log_softmax", Domain::any, [](const Variable& x, int axis) { return log_softmax(x, axis); });
  rows["sort"] = along_axis("", Domain::apart,
                            [](const Variable& x, int axis) { return sort(x, axis).values; });
  rows["sort/descending"] = along_axis(
      "", Domain::apart, [](const Variable& x, int axis) { return sort(x, axis, true).values; });
  rows["topk"] = along_axis("", Domain::apart,
                            [](const Variable& x, int axis) { return topk(x, 1, axis).values; });
  rows["layer_norm"] = {"layer_norm",
                        [](Draw& draw, Call& call) {
                          const int x = draw.within(Domain::apart, 1);
                          const Index n = draw.shape(x)[draw.rank(x) - 1];
                          call.inputs = {x, draw.of({n}), draw.of({n})};
                          return n > 1;
                        },
                        [](Inputs x, Numbers) { return Results{layer_norm(x[0], x[1], x[2])}; }};
  rows["rms_norm"] = {"rms_norm",
                      [](Draw& draw, Call& call) {
                        const int x = draw.within(Domain::nonzero, 1);
                        const Index n = draw.shape(x)[draw.rank(x) - 1];
                        call.inputs = {x, draw.of({n})};
                        return n > 0;
                      },
                      [](Inputs x, Numbers) { return Results{rms_norm(x[0], x[1])}; }};
  rows["dropout"] = {"dropout",
                     [](Draw& draw, Call& call) {
                       call.inputs = {draw.any()};
                       return true;
                     },
                     [](Inputs x, Numbers) { return Results{dropout(x[0], 0.0)}; }};
}

}  // namespace unroll::testing::graphs
