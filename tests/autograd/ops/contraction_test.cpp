// einsum, outer, dot, bilinear and conv1d against their definitions by plain loops; errors.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Einstein's summation by the definition, over all values of all letters: each term names the axes
/// of one operand by letters of "ijklm", all of them of the sizes 2, 3, 4, 2, 3.
std::vector<double> by_definition(const std::vector<std::string>& terms, const std::string& output,
                                  const std::vector<Tensor>& operands) {
  const std::array<Index, 5> sizes{2, 3, 4, 2, 3};
  const auto flat = [&](const std::string& term, const Shape& at) {
    Index position = 0;
    for (char c : term) position = position * sizes[std::size_t(c - 'i')] + at[c - 'i'];
    return static_cast<std::size_t>(position);
  };
  std::string used = output;
  for (const std::string& term : terms) used += term;
  Shape all;
  std::size_t count = 1;
  for (char c = 'i'; c <= 'm'; ++c)
    all.push_back(used.find(c) == std::string::npos ? 1 : sizes[std::size_t(c - 'i')]);
  for (char c : output) count *= static_cast<std::size_t>(sizes[std::size_t(c - 'i')]);
  std::vector<double> result(count, 0.0);
  for (Index n = 0; n < size_of(all); ++n) {
    const Shape at = position_of(n, all);
    double product = 1.0;
    for (std::size_t k = 0; k < terms.size(); ++k)
      product *= operands[k].to_vector<double>()[flat(terms[k], at)];
    result[flat(output, at)] += product;
  }
  return result;
}

void check_einsum(const std::string& equation, const std::vector<std::string>& terms,
                  const std::string& output) {
  CAPTURE(equation);
  const std::array<Index, 5> sizes{2, 3, 4, 2, 3};
  std::vector<Tensor> operands;
  for (const std::string& term : terms) {
    Shape shape;
    for (char c : term) shape.push_back(sizes[std::size_t(c - 'i')]);
    operands.push_back(random(shape, 200 + operands.size()));
  }
  const std::vector<Variable> inputs(operands.begin(), operands.end());
  expect_values(einsum(equation, inputs).value(), by_definition(terms, output, operands), 1e-14);
}

}  // namespace

TEST_CASE("einsum is the sum over all letters that the result does not name") {
  check_einsum("ij->ij", {"ij"}, "ij");
  check_einsum("ij->ji", {"ij"}, "ji");
  check_einsum("ij->", {"ij"}, "");
  check_einsum("ijk->k", {"ijk"}, "k");
  check_einsum("ij,jk->ik", {"ij", "jk"}, "ik");
  check_einsum(" ij , jk -> ki ", {"ij", "jk"}, "ki");
  check_einsum("ij,jk", {"ij", "jk"}, "ik");
  check_einsum("ji", {"ji"}, "ij");  // without an arrow: in alphabetical order
  check_einsum("i,i", {"i", "i"}, "");
  check_einsum("i,j->ij", {"i", "j"}, "ij");
  check_einsum("ij,ij->ij", {"ij", "ij"}, "ij");
  check_einsum("ij,ij->i", {"ij", "ij"}, "i");
  check_einsum("ijk,ikl->ijl", {"ijk", "ikl"}, "ijl");
  check_einsum("kij,lk->jli", {"kij", "lk"}, "jli");
  check_einsum("ijk,ijk->k", {"ijk", "ijk"}, "k");
  check_einsum("ij,k->kj", {"ij", "k"}, "kj");
  check_einsum("ij,jk,kl->il", {"ij", "jk", "kl"}, "il");
  check_einsum("i,j,k,l,m->mkijl", {"i", "j", "k", "l", "m"}, "mkijl");
  check_einsum("ijk,k,jm->im", {"ijk", "k", "jm"}, "im");
  check_einsum("i,,->i", {"i", "", ""}, "i");
}

TEST_CASE("a letter twice in one term names a diagonal") {
  check_einsum("ii->i", {"ii"}, "i");
  check_einsum("ii", {"ii"}, "");
  check_einsum("iij->ji", {"iij"}, "ji");
  check_einsum("ijij->j", {"ijij"}, "j");
  check_einsum("iii,i->i", {"iii", "i"}, "i");
}

TEST_CASE("the dots of einsum stand for leading axes, and broadcast") {
  const Tensor a = random({2, 1, 3, 4}, 1);
  const Tensor b = random({5, 4, 2}, 2);
  expect_close(einsum("...ij,...jk->...ik", {a, b}).value(), matmul(a, b).value());
  expect_close(einsum("...ij,...jk", {a, b}).value(), matmul(a, b).value());
  expect_close(einsum("i...->...", {a}).value(), sum(a, {0}).value());
  expect_close(einsum("...,...", {a, full({}, 2.0, Dtype::float64)}).value(),
               (Variable(a) * 2.0).value());
  expect_close(einsum("ij...,kj...->ik...", {random({2, 3, 1}, 3), random({4, 3, 5}, 4)}).value(),
               permute(matmul(permute(random({2, 3, 1}, 3), {2, 0, 1}),
                              permute(random({4, 3, 5}, 4), {2, 1, 0})),
                       {1, 2, 0})
                   .value());
}

TEST_CASE("einsum keeps float32, and takes sizes of 0") {
  CHECK(einsum("ij,jk->ik", {zeros({2, 3}), zeros({3, 4})}).dtype() == Dtype::float32);
  expect_values(einsum("ij,jk->ik", {zeros({1, 0}), zeros({0, 2})}).value(), {0, 0});
  CHECK(einsum("bij,bjk->bik", {zeros({0, 2, 3}), zeros({0, 3, 4})}).shape() == Shape{0, 2, 4});
}

TEST_CASE("einsum says what it cannot read, with the sizes of all operands") {
  const Variable a = zeros({2, 3});
  const Variable b = zeros({3, 4});
  const auto read = [&](const char* equation) { return [=] { einsum(equation, {a, b}); }; };
  expect_error<ArgumentError>(read("ij->i"), {"\"ij->i\"", "[2,3]", "[3,4]", "1 terms for 2"});
  expect_error<ShapeError>(read("ijk,jk->i"), {"\"ijk\"", "3 axes of [2,3]"});
  expect_error<ShapeError>(read("ij,ik->jk"), {"i has the sizes 2 and 3"});
  expect_error<ArgumentError>(read("ij,jk->iz"), {"z occurs in no operand"});
  expect_error<ArgumentError>(read("ij,jk->iik"), {"i occurs twice in the result"});
  expect_error<ArgumentError>(read("i1,1k->ik"), {"\"i1\" may hold letters"});
  expect_error<ArgumentError>(read("ij,jk->i>k"), {"\"i>k\" may hold letters"});
  expect_error<ArgumentError>(read("......,jk->jk"), {"one \"...\""});
  expect_error<ArgumentError>(read("i...,jk->ijk"), {"must name \"...\""});
  expect_error<ShapeError>(read("...,..."), {"... has the sizes"});
  expect_error<DtypeError>(
      [&] {
        einsum("ij,jk", {a, b.value().to(Dtype::float64)});
      },
      {"float32 [2,3]", "float64 [3,4]", "floating dtype"});
  expect_error<DtypeError>([&] { einsum("ij,jk", {a, Variable()}); }, {"undefined"});
  expect_error<ArgumentError>([] { einsum("->", std::span<const Variable>()); }, {"at least one"});
  const Variable cube = zeros({1, 1, 1, 1});
  expect_error<ShapeError>(
      [&] {
        einsum("abcd,efgh->abcdefgh", {cube, cube});
      },
      {"einsum", "rank 8"});
}

TEST_CASE("outer, dot and bilinear agree with their definitions") {
  const Tensor a = random({3}, 5);
  const Tensor b = random({4}, 6);
  expect_close(outer(a, b).value(), einsum("i,j->ij", {a, b}).value());
  CHECK(dot(a, a).item() == doctest::Approx(sum(square(a)).item()));
  CHECK(dot(zeros({0}), zeros({0})).item() == 0.0);
  const Tensor x = random({2, 5, 3}, 7);
  const Tensor y = random({2, 5, 4}, 8);
  const Tensor weight = random({6, 3, 4}, 9);
  const Tensor bias = random({6}, 10);
  expect_close(bilinear(x, y, weight, bias).value(),
               (einsum("tbi,oij,tbj->tbo", {x, weight, y}) + bias).value());
  CHECK(bilinear(zeros({0, 3}), zeros({0, 4}), zeros({6, 3, 4})).shape() == Shape{0, 6});
  expect_values(bilinear(zeros({2, 0}), zeros({2, 4}), zeros({3, 0, 4}), ones({3})).value(),
                std::vector<double>(6, 1.0));
  expect_error<ShapeError>([&] { outer(x, a); }, {"outer", "[2,5,3]", "[3]"});
  expect_error<ShapeError>([&] { dot(a, b); }, {"dot", "[3]", "[4]"});
  expect_error<DtypeError>([&] { dot(a, zeros({3})); }, {"dot", "float64 [3]", "float32 [3]"});
  expect_error<ShapeError>([&] { bilinear(x, x, weight); }, {"bilinear", "[2,5,3]", "[6,3,4]"});
  expect_error<ShapeError>([&] { bilinear(x, y, weight, a); }, {"bilinear", "bias [3]"});
}

TEST_CASE("conv1d agrees with its definition for any options") {
  for (Index groups : {1, 2})
    for (Index stride : {1, 3})
      for (Index padding : {0, 2})
        for (Index dilation : {1, 2}) {
          const Tensor x = random({2, 4, 9}, 11);
          const Tensor weight = random({6, 4 / groups, 3}, 12);
          const Tensor bias = random({6}, 13);
          const Index count = (9 + 2 * padding - 2 * dilation - 1) / stride + 1;
          std::vector<double> expected;
          for (Index b = 0; b < 2; ++b)
            for (Index o = 0; o < 6; ++o)
              for (Index t = 0; t < count; ++t) {
                double y = bias.at({o});
                for (Index c = 0; c < 4 / groups; ++c)
                  for (Index k = 0; k < 3; ++k) {
                    const Index from = t * stride + k * dilation - padding;
                    const Index channel = o / (6 / groups) * (4 / groups) + c;
                    if (from >= 0 && from < 9) y += weight.at({o, c, k}) * x.at({b, channel, from});
                  }
                expected.push_back(y);
              }
          const Variable y = conv1d(x, weight, bias, {stride, padding, dilation, groups});
          CHECK(y.shape() == Shape{2, 6, count});
          expect_values(y.value(), expected, 1e-14);
        }
}

TEST_CASE("conv1d takes no channels and no rows, and says what it does not take") {
  const Variable x = zeros({2, 4, 5});
  const Variable weight = zeros({6, 4, 3});
  CHECK(conv1d(zeros({0, 4, 5}), weight).shape() == Shape{0, 6, 3});
  CHECK(conv1d(zeros({2, 0, 5}), zeros({6, 0, 3}), ones({6})).value().at({1, 5, 2}) == 1.0);
  expect_error<ShapeError>(
      [&] {
        conv1d(x, zeros({6, 3, 3}));
      },
      {"conv1d", "[2,4,5]", "[6,3,3]", "1 groups"});
  expect_error<ShapeError>([&] { conv1d(x, weight, {}, {.groups = 3}); }, {"conv1d", "3 groups"});
  expect_error<ShapeError>([&] { conv1d(zeros({4, 5}), weight); }, {"conv1d", "[4,5]"});
  expect_error<ShapeError>([&] { conv1d(x, weight, zeros({4})); }, {"conv1d", "bias float32 [4]"});
  expect_error<ShapeError>(
      [&] {
        conv1d(x, zeros({6, 4, 6}));
      },
      {"conv1d", "[6,4,6]", "5 positions"});
  expect_error<ShapeError>([&] { conv1d(x, weight, {}, {.dilation = 3}); }, {"dilation 3"});
  expect_error<ArgumentError>([&] { conv1d(x, weight, {}, {.stride = 0}); }, {"conv1d", "stride"});
  expect_error<ArgumentError>([&] { conv1d(x, weight, {}, {.padding = -1}); }, {"-1"});
  expect_error<DtypeError>(
      [&] {
        conv1d(x, zeros({6, 4, 3}, Dtype::float64));
      },
      {"conv1d", "float64 [6,4,3]"});
}

}  // namespace unroll::testing
