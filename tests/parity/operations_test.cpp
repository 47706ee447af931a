// Operations and their gradients against PyTorch's.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include "parity/check_case.hpp"

using namespace unroll;
using namespace unroll::testing;

TEST_CASE("functions of one number agree with PyTorch") {
  check_file("elementwise", {
                                {"tanh", [](Inputs x) { return tanh(x[0]); }},
                                {"sigmoid", [](Inputs x) { return sigmoid(x[0]); }},
                                {"softplus", [](Inputs x) { return softplus(x[0]); }},
                                {"relu", [](Inputs x) { return relu(x[0]); }},
                                {"exp", [](Inputs x) { return exp(x[0]); }},
                                {"expm1", [](Inputs x) { return expm1(x[0]); }},
                                {"log", [](Inputs x) { return log(x[0]); }},
                                {"log1p", [](Inputs x) { return log1p(x[0]); }},
                                {"sqrt", [](Inputs x) { return sqrt(x[0]); }},
                                {"pow 2.5", [](Inputs x) { return pow(x[0], 2.5); }},
                            });
}

TEST_CASE("arithmetic broadcasts as in PyTorch") {
  check_file("broadcasting", {
                                 {"add, column and row", [](Inputs x) { return x[0] + x[1]; }},
                                 {"sub, a lower rank", [](Inputs x) { return x[0] - x[1]; }},
                                 {"mul, column and row", [](Inputs x) { return x[0] * x[1]; }},
                                 {"div, column and row", [](Inputs x) { return x[0] / x[1]; }},
                                 {"maximum", [](Inputs x) { return maximum(x[0], x[1]); }},
                             });
}

TEST_CASE("matrix products agree with PyTorch") {
  check_file("matrices",
             {
                 {"matmul", [](Inputs x) { return matmul(x[0], x[1]); }},
                 {"matmul, batch by matrix", [](Inputs x) { return matmul(x[0], x[1]); }},
                 {"matmul, both broadcast", [](Inputs x) { return matmul(x[0], x[1]); }},
                 {"linear", [](Inputs x) { return linear(x[0], x[1], x[2]); }},
             });
}

TEST_CASE("reductions and softmax agree with PyTorch") {
  check_file("reductions",
             {
                 {"sum", [](Inputs x) { return sum(x[0]); }},
                 {"sum over 0 and 2",
                  [](Inputs x) {
                    return sum(x[0], {0, 2});
                  }},
                 {"sum over 1, kept", [](Inputs x) { return sum(x[0], {1}, true); }},
                 {"mean", [](Inputs x) { return mean(x[0]); }},
                 {"mean over the last", [](Inputs x) { return mean(x[0], {-1}); }},
                 {"softmax", [](Inputs x) { return softmax(x[0]); }},
                 {"log_softmax", [](Inputs x) { return log_softmax(x[0]); }},
                 {"log_softmax over 0", [](Inputs x) { return log_softmax(x[0], 0); }},
                 {"log_softmax, huge", [](Inputs x) { return log_softmax(x[0] * 1000.0); }},
             });
}

TEST_CASE("rearranging and sorting agree with PyTorch") {
  check_file("rearranging",
             {
                 {"roll", [](Inputs x) { return roll(x[0], 2, 1); }},
                 {"flip",
                  [](Inputs x) {
                    return flip(x[0], {0, 1});
                  }},
                 {"pad", [](Inputs x) { return pad(x[0], 1, 1, 2, 0.5); }},
                 {"tile",
                  [](Inputs x) {
                    return tile(x[0], {2, 3});
                  }},
                 {"repeat", [](Inputs x) { return repeat(x[0], 2, 0); }},
                 {"unfold", [](Inputs x) { return unfold(x[0], 1, 3, {.stride = 2}); }},
                 {"diag_embed", [](Inputs x) { return diag_embed(x[0], 1); }},
                 {"diagonal", [](Inputs x) { return diagonal(x[0], -1); }},
                 {"tril", [](Inputs x) { return tril(x[0], 1); }},
                 {"triu", [](Inputs x) { return triu(x[0], 1); }},
                 {"sort", [](Inputs x) { return sort(x[0], 0).values; }},
                 {"topk", [](Inputs x) { return topk(x[0], 2).values; }},
             });
}

TEST_CASE("contractions and convolutions agree with PyTorch") {
  check_file("contractions",
             {
                 {"einsum", [](Inputs x) { return einsum("bij,jk,bk->ki", x); }},
                 {"einsum, dots", [](Inputs x) { return einsum("...ii,ij->...j", x); }},
                 {"bilinear", [](Inputs x) { return bilinear(x[0], x[1], x[2], x[3]); }},
                 {"conv1d", [](Inputs x) { return conv1d(x[0], x[1], x[2]); }},
                 {"conv1d, options",
                  [](Inputs x) {
                    return conv1d(x[0], x[1], x[2],
                                  {.stride = 2, .padding = 3, .dilation = 2, .groups = 2});
                  }},
             });
}

TEST_CASE("linear algebra agrees with PyTorch") {
  check_file("linear_algebra",
             {
                 {"inverse", [](Inputs x) { return inverse(x[0]); }},
                 {"solve", [](Inputs x) { return solve(x[0], x[1]); }},
                 {"cholesky", [](Inputs x) { return cholesky(x[0]); }},
                 {"det", [](Inputs x) { return det(x[0]); }},
                 {"slogdet", [](Inputs x) { return slogdet(x[0]).log_abs; }},
                 {"svd",
                  [](Inputs x) {
                    const Svd y = svd(x[0]);
                    return concat({unsqueeze(y.s, 1), square(transpose(y.u)), square(y.vh)}, 1);
                  }},
                 {"eigh",
                  [](Inputs x) {
                    const Eigh y = eigh(x[0]);
                    return concat({unsqueeze(y.values, 1), square(y.vectors)}, 1);
                  }},
             });
}

TEST_CASE("lookups agree with PyTorch") {
  const Golden golden = Golden::read("lookups");
  const Tensor targets = golden["cross_entropy"]["integers"].tensor(Dtype::int64);
  const Tensor indices = golden["embedding"]["integers"].tensor(Dtype::int64);
  const Tensor columns = golden["gather"]["integers"].tensor(Dtype::int64);
  check_file("lookups",
             {
                 {"cross_entropy", [&](Inputs x) { return cross_entropy(x[0], targets); }},
                 {"embedding", [&](Inputs x) { return embedding(x[0], indices); }},
                 {"gather", [&](Inputs x) { return gather(x[0], columns, 1); }},
                 {"scatter_add", [&](Inputs x) { return scatter_add(x[0], columns, x[1], 1); }},
             });
}
