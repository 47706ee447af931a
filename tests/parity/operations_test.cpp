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

TEST_CASE("cross_entropy and embedding agree with PyTorch") {
  const Golden golden = Golden::read("lookups");
  const Tensor targets = golden["cross_entropy"]["integers"].tensor(Dtype::int64);
  const Tensor indices = golden["embedding"]["integers"].tensor(Dtype::int64);
  check_file("lookups",
             {
                 {"cross_entropy", [&](Inputs x) { return cross_entropy(x[0], targets); }},
                 {"embedding", [&](Inputs x) { return embedding(x[0], indices); }},
             });
}
