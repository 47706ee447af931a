#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <utility>

namespace unroll::testing::graphs {
namespace {

Index whole(double number) { return static_cast<Index>(number); }
int axis_of(double number) { return static_cast<int>(number); }

Shape shape_of(Numbers numbers) {
  Shape shape;
  for (double n : numbers) shape.push_back(whole(n));
  return shape;
}

/// A row that takes one operand of a rank, and numbers that `numbers(draw, id)` gives; none where
/// it does not fit.
template <class N, class F>
Row of_one(const char* op, int least_rank, N numbers, F f) {
  return {op,
          [=](Draw& draw, Call& call) {
            const int id = draw.any(least_rank);
            call.inputs = {id};
            const std::optional<std::vector<double>> drawn = numbers(draw, id);
            if (drawn) call.numbers = *drawn;
            return drawn.has_value();
          },
          [f](Inputs x, Numbers n) { return f(x[0], n); }};
}

using Drawn = std::optional<std::vector<double>>;
using Results = std::vector<Variable>;

Drawn numbers(std::initializer_list<Index> list) {
  return std::vector<double>(list.begin(), list.end());
}

}  // namespace

void add_layout(std::map<std::string, Row>& rows) {
  rows["reshape"] = of_one(
      "reshape", 0,
      [](Draw& draw, int id) -> Drawn {
        const Index size = draw.value(id).value().size();
        if (size == 0) return numbers({0, 1 + draw.pick(3)});
        std::vector<Index> divisors;
        for (Index d = 1; d <= size; ++d)
          if (size % d == 0) divisors.push_back(d);
        const Index d =
            divisors[static_cast<std::size_t>(draw.pick(static_cast<Index>(divisors.size())))];
        return draw.chance(4)   ? numbers({size})
               : draw.chance(3) ? numbers({d, 1, size / d})
                                : numbers({d, size / d});
      },
      [](const Variable& x, Numbers n) { return Results{reshape(x, shape_of(n))}; });
  rows["transpose"] = of_one(
      "transpose", 1,
      [](Draw& draw, int id) {
        return numbers({draw.axis(id), draw.axis(id)});
      },
      [](const Variable& x, Numbers n) {
        return Results{transpose(x, axis_of(n[0]), axis_of(n[1]))};
      });
  rows["permute"] = of_one(
      "permute", 1,
      [](Draw& draw, int id) -> Drawn {
        std::vector<double> axes(static_cast<std::size_t>(draw.rank(id)));
        std::iota(axes.begin(), axes.end(), 0.0);
        for (std::size_t k = axes.size(); k > 1; --k)
          std::swap(axes[k - 1], axes[static_cast<std::size_t>(draw.pick(static_cast<Index>(k)))]);
        return axes;
      },
      [](const Variable& x, Numbers n) {
        const std::vector<int> axes(n.begin(), n.end());
        return Results{permute(x, axes)};
      });
  rows["unsqueeze"] = of_one(
      "unsqueeze", 0, [](Draw& draw, int id) { return numbers({draw.pick(draw.rank(id) + 1)}); },
      [](const Variable& x, Numbers n) { return Results{unsqueeze(x, axis_of(n[0]))}; });
  rows["squeeze"] = of_one(
      "squeeze", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        if (draw.shape(id)[axis] != 1) return {};
        return numbers({axis});
      },
      [](const Variable& x, Numbers n) { return Results{squeeze(x, axis_of(n[0]))}; });
  rows["broadcast_to"] = of_one(
      "broadcast_to", 0,
      [](Draw& draw, int id) -> Drawn {
        std::vector<double> shape;
        if (draw.chance(2)) shape.push_back(static_cast<double>(1 + draw.pick(3)));
        for (Index n : draw.shape(id))
          shape.push_back(static_cast<double>(n == 1 ? 1 + draw.pick(3) : n));
        return shape;
      },
      [](const Variable& x, Numbers n) { return Results{broadcast_to(x, shape_of(n))}; });
  rows["sum_to"] = of_one(
      "sum_to", 1,
      [](Draw& draw, int id) -> Drawn {
        std::vector<double> shape;
        const Shape& from = draw.shape(id);
        for (int axis = static_cast<int>(draw.pick(2)); axis < from.rank(); ++axis)
          shape.push_back(draw.chance(2) ? 1.0 : static_cast<double>(from[axis]));
        return shape;
      },
      [](const Variable& x, Numbers n) { return Results{sum_to(x, shape_of(n))}; });
  rows["slice"] = of_one(
      "slice", 1,
      [](Draw& draw, int id) {
        const int axis = draw.axis(id);
        const Index n = draw.shape(id)[axis];
        const Index begin = draw.pick(n + 1);
        return numbers({axis, begin, begin + draw.pick(n - begin + 1), 1 + draw.pick(2)});
      },
      [](const Variable& x, Numbers n) {
        return Results{slice(x, axis_of(n[0]), whole(n[1]), whole(n[2]), whole(n[3]))};
      });
  rows["select"] = of_one(
      "select", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        if (draw.shape(id)[axis] == 0) return {};
        return numbers({axis, draw.pick(draw.shape(id)[axis])});
      },
      [](const Variable& x, Numbers n) { return Results{select(x, axis_of(n[0]), whole(n[1]))}; });
  rows["split"] = of_one(
      "split", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        const Index n = draw.shape(id)[axis];
        const Index first = draw.pick(n + 1);
        return numbers({axis, first, n - first});
      },
      [](const Variable& x, Numbers n) {
        return split(x, std::vector<Index>{whole(n[1]), whole(n[2])}, axis_of(n[0]));
      });
  rows["split/halves"] = of_one(
      "split", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        if (draw.shape(id)[axis] % 2 != 0) return {};
        return numbers({axis});
      },
      [](const Variable& x, Numbers n) {
        const auto halves = split<2>(x, axis_of(n[0]));
        return Results{halves[0], halves[1]};
      });
  rows["chunk"] = of_one(
      "chunk", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        if (draw.shape(id)[axis] == 0) return {};
        return numbers({1 + draw.pick(3), axis});
      },
      [](const Variable& x, Numbers n) { return chunk(x, whole(n[0]), axis_of(n[1])); });
  const auto several = [](int extra) {  // parts for concat and stack; the axis is the number
    return [extra](Draw& draw, Call& call) {
      const int first = draw.any(1 - extra);
      const Index axis = draw.pick(draw.rank(first) + extra);
      call.inputs = {first};
      for (Index more = 1 + draw.pick(2); more > 0; --more) {
        Shape shape = draw.shape(first);
        if (extra == 0 && draw.chance(2)) shape[static_cast<int>(axis)] = draw.pick(3);
        call.inputs.push_back(draw.chance(5) ? first : draw.of(shape));
      }
      call.numbers = {static_cast<double>(axis)};
      return true;
    };
  };
  rows["concat"] = {"concat", several(0),
                    [](Inputs x, Numbers n) { return Results{concat(x, axis_of(n[0]))}; }};
  rows["stack"] = {"stack", several(1),
                   [](Inputs x, Numbers n) { return Results{stack(x, axis_of(n[0]))}; }};
  rows["flip"] = of_one(
      "flip", 1, [](Draw& draw, int id) { return numbers({draw.axis(id)}); },
      [](const Variable& x, Numbers n) { return Results{flip(x, {axis_of(n[0])})}; });
  rows["roll"] = of_one(
      "roll", 1,
      [](Draw& draw, int id) {
        return numbers({draw.pick(9) - 4, draw.axis(id)});
      },
      [](const Variable& x, Numbers n) { return Results{roll(x, whole(n[0]), axis_of(n[1]))}; });
  rows["pad"] = of_one(
      "pad", 1,
      [](Draw& draw, int id) {
        return numbers({draw.axis(id), draw.pick(3), draw.pick(3), draw.pick(2)});
      },
      [](const Variable& x, Numbers n) {
        return Results{pad(x, axis_of(n[0]), whole(n[1]), whole(n[2]), n[3])};
      });
  rows["tile"] = of_one(
      "tile", 1,
      [](Draw& draw, int id) -> Drawn {
        std::vector<double> counts;
        for (int k = draw.rank(id) - (draw.chance(3) ? 1 : 0); k >= 0; --k)
          counts.push_back(static_cast<double>(1 + draw.pick(2)));
        return counts;
      },
      [](const Variable& x, Numbers n) { return Results{tile(x, shape_of(n))}; });
  rows["repeat"] = of_one(
      "repeat", 1,
      [](Draw& draw, int id) {
        return numbers({1 + draw.pick(3), draw.axis(id)});
      },
      [](const Variable& x, Numbers n) { return Results{repeat(x, whole(n[0]), axis_of(n[1]))}; });
  rows["unfold"] = of_one(
      "unfold", 1,
      [](Draw& draw, int id) -> Drawn {
        const int axis = draw.axis(id);
        const Index dilation = 1 + draw.pick(2);
        const Index most = (draw.shape(id)[axis] - 1) / dilation + 1;
        if (draw.shape(id)[axis] < 1) return {};
        return numbers({axis, 1 + draw.pick(most), 1 + draw.pick(2), dilation});
      },
      [](const Variable& x, Numbers n) {
        return Results{unfold(x, axis_of(n[0]), whole(n[1]),
                              {.stride = whole(n[2]), .dilation = whole(n[3])})};
      });
  const auto with_offset = [](Draw& draw, int /*id*/) { return numbers({draw.pick(4) - 1}); };
  rows["diagonal"] = of_one("diagonal", 2, with_offset, [](const Variable& x, Numbers n) {
    return Results{diagonal(x, axis_of(n[0]))};
  });
  rows["diag_embed"] = of_one("diag_embed", 1, with_offset, [](const Variable& x, Numbers n) {
    return Results{diag_embed(x, axis_of(n[0]))};
  });
  rows["diag"] = of_one(
      "diag", 1,
      [](Draw& draw, int id) -> Drawn {
        if (draw.rank(id) > 2) return {};
        return numbers({draw.pick(3) - 1});
      },
      [](const Variable& x, Numbers n) { return Results{diag(x, axis_of(n[0]))}; });
  rows["tril"] = of_one("tril", 2, with_offset, [](const Variable& x, Numbers n) {
    return Results{tril(x, axis_of(n[0]))};
  });
  rows["triu"] = of_one("triu", 2, with_offset, [](const Variable& x, Numbers n) {
    return Results{triu(x, axis_of(n[0]))};
  });

  // By position.
  rows["embedding"] = {"embedding",
                       [](Draw& draw, Call& call) {
                         const int table = draw.any(2);
                         if (draw.rank(table) != 2 || draw.shape(table)[0] == 0) return false;
                         call.inputs = {table, draw.whole(draw.some_shape(), draw.shape(table)[0])};
                         return true;
                       },
                       [](Inputs x, Numbers) { return Results{embedding(x[0], x[1].value())}; }};
  rows["gather"] = {
      "gather",
      [](Draw& draw, Call& call) {
        const int x = draw.any(1);
        const int axis = draw.axis(x);
        Shape shape = draw.shape(x);
        if (shape[axis] == 0) return false;
        const Index below = std::exchange(shape[axis], 1 + draw.pick(4));
        call.inputs = {x, draw.whole(shape, below)};
        call.numbers = {static_cast<double>(axis)};
        return true;
      },
      [](Inputs x, Numbers n) { return Results{gather(x[0], x[1].value(), axis_of(n[0]))}; }};
  rows["scatter_add"] = {"scatter_add",
                         [](Draw& draw, Call& call) {
                           const int x = draw.any(1);
                           const int axis = draw.axis(x);
                           Shape shape = draw.shape(x);
                           if (shape[axis] == 0) return false;
                           const Index below = std::exchange(shape[axis], 1 + draw.pick(4));
                           call.inputs = {x, draw.whole(shape, below), draw.of(shape)};
                           call.numbers = {static_cast<double>(axis)};
                           return true;
                         },
                         [](Inputs x, Numbers n) {
                           return Results{scatter_add(x[0], x[1].value(), x[2], axis_of(n[0]))};
                         }};
  rows["index_select"] = {
      "index_select",
      [](Draw& draw, Call& call) {
        const int x = draw.any(1);
        const int axis = draw.axis(x);
        if (draw.shape(x)[axis] == 0) return false;
        call.inputs = {x, draw.whole({draw.pick(5)}, draw.shape(x)[axis])};
        call.numbers = {static_cast<double>(axis)};
        return true;
      },
      [](Inputs x, Numbers n) { return Results{index_select(x[0], x[1].value(), axis_of(n[0]))}; }};
  rows["take"] = {"take",
                  [](Draw& draw, Call& call) {
                    const int x = draw.any();
                    if (draw.value(x).value().size() == 0) return false;
                    call.inputs = {x, draw.whole(draw.some_shape(), draw.value(x).value().size())};
                    return true;
                  },
                  [](Inputs x, Numbers) { return Results{take(x[0], x[1].value())}; }};
}

}  // namespace unroll::testing::graphs
