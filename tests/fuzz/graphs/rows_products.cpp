#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <string>

namespace unroll::testing::graphs {
namespace {

using Results = std::vector<Variable>;

Index whole(double number) { return static_cast<Index>(number); }

/// Square matrices, several or one, with the determinant well away from 0: m + 3 times the
/// identity, appended to the graph.
int regular(Draw& draw, bool symmetric) {
  const Index n = 1 + draw.pick(3);
  Shape shape{n, n};
  if (draw.chance(3)) shape = {2, n, n};
  const int any = draw.append({"tanh", How::plain, {draw.of(shape)}, {}});
  const int square = symmetric ? draw.append({"matmul/transposed", How::plain, {any}, {}}) : any;
  if (square < 0) return -1;
  const int one = draw.constant({n}, 2.5, 3.5);
  const int diagonal = draw.append({"diag_embed", How::plain, {one}, {0.0}});
  return draw.append({"add", How::plain, {square, diagonal}, {}});
}

template <class F>
Row of_matrix(const char* op, bool symmetric, F f) {
  return {op,
          [symmetric](Draw& draw, Call& call) {
            call.inputs = {regular(draw, symmetric)};
            return call.inputs[0] >= 0;
          },
          [f](Inputs x, Numbers) { return Results{f(x[0])}; }};
}

Row equation(const std::string& text, std::initializer_list<const char*> operands) {
  return {"einsum",
          [operands = std::vector<std::string>(operands.begin(), operands.end())](Draw& draw,
                                                                                  Call& call) {
            std::map<char, Index> sizes;
            for (const std::string& letters : operands) {
              Shape shape;
              for (char letter : letters) {
                if (!sizes.contains(letter)) sizes[letter] = 1 + draw.pick(4);
                shape.push_back(sizes[letter]);
              }
              call.inputs.push_back(draw.of(shape));
            }
            return true;
          },
          [text](Inputs x, Numbers) { return Results{einsum(text, x)}; }};
}

}  // namespace

void add_products(std::map<std::string, Row>& rows) {
  rows["matmul"] = {"matmul",
                    [](Draw& draw, Call& call) {
                      const int a = draw.any(2);
                      const Index inner = draw.shape(a)[draw.rank(a) - 1];
                      Shape shape{inner, 1 + draw.pick(4)};
                      if (draw.rank(a) > 2 && draw.chance(2)) {
                        shape = draw.shape(a);
                        shape[draw.rank(a) - 2] = inner;
                        shape[draw.rank(a) - 1] = 1 + draw.pick(4);
                        if (draw.chance(3)) shape[0] = 1;
                      }
                      call.inputs = {a, draw.of(shape)};
                      return true;
                    },
                    [](Inputs x, Numbers) { return Results{matmul(x[0], x[1])}; }};
  rows["matmul/transposed"] = {
      "matmul",
      [](Draw& draw, Call& call) {
        call.inputs = {draw.any(2)};
        return true;
      },
      [](Inputs x, Numbers) { return Results{matmul(x[0], transpose(x[0]))}; }};
  rows["linear"] = {"linear",
                    [](Draw& draw, Call& call) {
                      const int x = draw.any(1);
                      const Index out = 1 + draw.pick(4);
                      const int weight = draw.of({out, draw.shape(x)[draw.rank(x) - 1]});
                      call.inputs = {x, weight};
                      if (draw.chance(2)) call.inputs.push_back(draw.of({out}));
                      return true;
                    },
                    [](Inputs x, Numbers) {
                      return Results{linear(x[0], x[1], x.size() > 2 ? x[2] : Variable())};
                    }};
  rows["outer"] = {"outer",
                   [](Draw& draw, Call& call) {
                     call.inputs = {draw.of({1 + draw.pick(4)}), draw.of({1 + draw.pick(4)})};
                     return true;
                   },
                   [](Inputs x, Numbers) { return Results{outer(x[0], x[1])}; }};
  rows["dot"] = {"dot",
                 [](Draw& draw, Call& call) {
                   const Index n = 1 + draw.pick(4);
                   call.inputs = {draw.of({n}), draw.of({n})};
                   return true;
                 },
                 [](Inputs x, Numbers) { return Results{dot(x[0], x[1])}; }};
  rows["bilinear"] = {"bilinear",
                      [](Draw& draw, Call& call) {
                        const int a = draw.any(1);
                        Shape shape = draw.shape(a);
                        const Index i = shape[draw.rank(a) - 1];
                        const Index j = 1 + draw.pick(3);
                        const Index out = 1 + draw.pick(3);
                        shape[draw.rank(a) - 1] = j;
                        const int b = draw.of(shape);
                        const int weight = draw.of({out, i, j});
                        call.inputs = {a, b, weight, draw.of({out})};
                        return true;
                      },
                      [](Inputs x, Numbers) { return Results{bilinear(x[0], x[1], x[2], x[3])}; }};
  rows["einsum/bij,bjk->bik"] = equation("bij,bjk->bik", {"bij", "bjk"});
  rows["einsum/ii->i"] = equation("ii->i", {"ii"});
  rows["einsum/ij,kj,k->i"] = equation("ij,kj,k->i", {"ij", "kj", "k"});
  rows["einsum/abc->ca"] = equation("abc->ca", {"abc"});
  rows["conv1d"] = {"conv1d",
                    [](Draw& draw, Call& call) {
                      const Index groups = 1 + draw.pick(2);
                      const Index channels = groups * (1 + draw.pick(2));
                      const Index out = groups * (1 + draw.pick(2));
                      const Index kernel = 1 + draw.pick(3);
                      const Index dilation = 1 + draw.pick(2);
                      const Index padding = draw.pick(3);
                      const Index steps = dilation * (kernel - 1) + 1 + draw.pick(4);
                      call.inputs = {draw.of({1 + draw.pick(2), channels, steps}),
                                     draw.of({out, channels / groups, kernel}), draw.of({out})};
                      for (Index n : {1 + draw.pick(2), padding, dilation, groups})
                        call.numbers.push_back(static_cast<double>(n));
                      return true;
                    },
                    [](Inputs x, Numbers n) {
                      return Results{conv1d(x[0], x[1], x[2],
                                            {.stride = whole(n[0]),
                                             .padding = whole(n[1]),
                                             .dilation = whole(n[2]),
                                             .groups = whole(n[3])})};
                    }};

  rows["inverse"] = of_matrix("inverse", false, [](const Variable& x) { return inverse(x); });
  rows["det"] = of_matrix("det", false, [](const Variable& x) { return det(x); });
  rows["logdet"] = of_matrix("logdet", true, [](const Variable& x) { return logdet(x); });
  rows["slogdet"] = of_matrix("", false, [](const Variable& x) { return slogdet(x).log_abs; });
  rows["cholesky"] = of_matrix("cholesky", true, [](const Variable& x) { return cholesky(x); });
  // What depends on the signs of vectors is left out.
  rows["svd/values"] = of_matrix("", false, [](const Variable& x) { return svd(x).s; });
  rows["svd/product"] = of_matrix("", false, [](const Variable& x) {
    const Svd s = svd(x);
    return matmul(square(s.u), square(s.vh));
  });
  rows["eigh/values"] = of_matrix("", true, [](const Variable& x) { return eigh(x).values; });
  rows["eigh/vectors"] =
      of_matrix("", true, [](const Variable& x) { return square(eigh(x).vectors); });
  rows["solve"] = {"solve",
                   [](Draw& draw, Call& call) {
                     const int a = regular(draw, false);
                     if (a < 0) return false;
                     Shape shape = draw.shape(a);
                     shape[draw.rank(a) - 1] = 1 + draw.pick(3);
                     call.inputs = {a, draw.of(shape)};
                     return true;
                   },
                   [](Inputs x, Numbers) { return Results{solve(x[0], x[1])}; }};
}

}  // namespace unroll::testing::graphs
