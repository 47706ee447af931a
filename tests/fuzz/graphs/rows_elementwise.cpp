#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <cmath>

namespace unroll::testing::graphs {
namespace {

/// One operand, with numbers of which each is drawn from a range.
template <class F>
Row with_numbers(const char* op, Domain domain, std::vector<std::pair<double, double>> ranges,
                 F f) {
  return {op,
          [=](Draw& draw, Call& call) {
            call.inputs = {draw.within(domain)};
            for (const auto& [low, high] : ranges) call.numbers.push_back(draw.real(low, high));
            return true;
          },
          [f](Inputs x, Numbers n) { return std::vector<Variable>{f(x[0], n)}; }};
}

/// Two operands that broadcast.
template <class F>
Row binary(const char* op, Domain first, Domain second, F f) {
  return {op,
          [=](Draw& draw, Call& call) {
            const int a = draw.within(first);
            const int b = draw.beside(a, second);
            call.inputs = {a, b};
            return true;
          },
          [f](Inputs x, Numbers) { return std::vector<Variable>{f(x[0], x[1])}; }};
}

/// No element of either operand is close to one of the other.
bool differ(const Draw& draw, int a, int b) {
  const Variable difference = abs(draw.value(a) - draw.value(b));
  return difference.value().size() == 0 || min(difference).item() > 1e-3;
}

template <class F>
Row of_different(const char* op, F f) {
  Row row = binary(op, Domain::any, Domain::any, f);
  row.draw = [](Draw& draw, Call& call) {
    const int a = draw.any();
    const int b = draw.beside(a);
    call.inputs = {a, b};
    return differ(draw, a, b);
  };
  return row;
}

/// Piecewise in x: no element is close to a kink, at which `distance` is 0.
template <class F, class Distance>
Row piecewise(const char* op, F f, Distance distance) {
  return {op,
          [distance](Draw& draw, Call& call) {
            const int id = draw.any();
            call.inputs = {id};
            for (const double x : draw.value(id).value().template to_vector<double>())
              if (std::abs(distance(x)) < 1e-3) return false;
            return true;
          },
          [f](Inputs x, Numbers) { return std::vector<Variable>{f(x[0])}; }};
}

}  // namespace

void add_elementwise(std::map<std::string, Row>& rows) {
#define UNARY(name, domain) \
  rows[#name] = unary(#name, Domain::domain, [](const Variable& x) { return name(x); });
  UNARY(abs, nonzero)
  UNARY(square, any)
  UNARY(sqrt, positive)
  UNARY(exp, any)
  UNARY(expm1, any)
  UNARY(log, positive)
  UNARY(log1p, positive)
  UNARY(sin, any)
  UNARY(cos, any)
  UNARY(tanh, any)
  UNARY(sigmoid, any)
  UNARY(softplus, any)
  UNARY(relu, nonzero)
  UNARY(tan, unit)
  UNARY(asin, unit)
  UNARY(acos, unit)
  UNARY(atan, any)
  UNARY(sinh, any)
  UNARY(cosh, any)
  UNARY(asinh, any)
  UNARY(acosh, above_one)
  UNARY(atanh, unit)
  UNARY(reciprocal, nonzero)
  UNARY(rsqrt, positive)
  UNARY(cbrt, nonzero)
  UNARY(exp2, any)
  UNARY(log2, positive)
  UNARY(log10, positive)
  UNARY(erf, any)
  UNARY(erfc, any)
  UNARY(lgamma, positive)
  UNARY(log_sigmoid, any)
  UNARY(softsign, nonzero)
  UNARY(selu, nonzero)
  UNARY(silu, any)
  UNARY(mish, any)
  UNARY(sign, nonzero)
  UNARY(clone, any)
#undef UNARY
  const auto to_whole = [](double x) { return x - std::round(x); };
  const auto to_half = [](double x) { return std::abs(x - std::floor(x)) - 0.5; };
  rows["floor"] = piecewise(
      "floor", [](const Variable& x) { return floor(x); }, to_whole);
  rows["ceil"] = piecewise(
      "ceil", [](const Variable& x) { return ceil(x); }, to_whole);
  rows["round"] = piecewise(
      "round", [](const Variable& x) { return round(x); }, to_half);
  rows["hard_sigmoid"] = piecewise(
      "hard_sigmoid", [](const Variable& x) { return hard_sigmoid(x); },
      [](double x) { return std::abs(x) - 3.0; });
  rows["hard_tanh"] = piecewise(
      "hard_tanh", [](const Variable& x) { return hard_tanh(x, -0.7, 0.6); },
      [](double x) { return (x + 0.7) * (x - 0.6); });
  rows["clamp"] = piecewise(
      "clamp", [](const Variable& x) { return clamp(x, -0.8, 0.5); },
      [](double x) { return (x + 0.8) * (x - 0.5); });
  rows["gelu"] = unary("gelu", Domain::any, [](const Variable& x) { return gelu(x); });
  rows["gelu/tanh"] =
      unary("gelu", Domain::any, [](const Variable& x) { return gelu(x, Gelu::tanh); });
  rows["negative"] = unary("operator-", Domain::any, [](const Variable& x) { return -x; });

  rows["leaky_relu"] =
      with_numbers("leaky_relu", Domain::nonzero, {{0.01, 0.5}},
                   [](const Variable& x, Numbers n) { return leaky_relu(x, n[0]); });
  rows["elu"] = with_numbers("elu", Domain::nonzero, {{0.3, 1.5}},
                             [](const Variable& x, Numbers n) { return elu(x, n[0]); });
  rows["celu"] = with_numbers("celu", Domain::nonzero, {{0.3, 1.5}},
                              [](const Variable& x, Numbers n) { return celu(x, n[0]); });
  rows["pow"] = with_numbers("pow", Domain::positive, {{-2.0, 3.0}},
                             [](const Variable& x, Numbers n) { return pow(x, n[0]); });
  rows["pow/whole"] = {"pow",
                       [](Draw& draw, Call& call) {
                         call.inputs = {draw.within(Domain::nonzero)};
                         call.numbers = {static_cast<double>(draw.pick(7) - 2)};
                         return true;
                       },
                       [](Inputs x, Numbers n) { return std::vector{pow(x[0], n[0])}; }};
#define WITH_NUMBER(name, op, domain, expression)                         \
  rows[name] = with_numbers("operator" #op, Domain::domain, {{0.3, 2.0}}, \
                            [](const Variable& x, Numbers n) { return expression; });
  WITH_NUMBER("add/number", +, any, x + n[0])
  WITH_NUMBER("add/number_first", +, any, n[0] + x)
  WITH_NUMBER("subtract/number", -, any, x - n[0])
  WITH_NUMBER("subtract/number_first", -, any, n[0] - x)
  WITH_NUMBER("multiply/number", *, any, x * n[0])
  WITH_NUMBER("multiply/number_first", *, any, n[0] * x)
  WITH_NUMBER("divide/number", /, any, x / n[0])
  WITH_NUMBER("divide/number_first", /, nonzero, n[0] / x)
#undef WITH_NUMBER

  rows["add"] = binary("operator+", Domain::any, Domain::any,
                       [](const Variable& a, const Variable& b) { return a + b; });
  rows["subtract"] = binary("operator-", Domain::any, Domain::any,
                            [](const Variable& a, const Variable& b) { return a - b; });
  rows["multiply"] = binary("operator*", Domain::any, Domain::any,
                            [](const Variable& a, const Variable& b) { return a * b; });
  rows["divide"] = binary("operator/", Domain::any, Domain::nonzero,
                          [](const Variable& a, const Variable& b) { return a / b; });
  rows["pow/exponents"] = binary("pow", Domain::positive, Domain::any,
                                 [](const Variable& a, const Variable& b) { return pow(a, b); });
  rows["pow/base"] = with_numbers("pow", Domain::any, {{0.3, 2.0}},
                                  [](const Variable& x, Numbers n) { return pow(n[0], x); });
  rows["atan2"] = binary("atan2", Domain::nonzero, Domain::positive,
                         [](const Variable& a, const Variable& b) { return atan2(a, b); });
  rows["hypot"] = binary("hypot", Domain::nonzero, Domain::nonzero,
                         [](const Variable& a, const Variable& b) { return hypot(a, b); });
  rows["prelu"] = binary("prelu", Domain::nonzero, Domain::any,
                         [](const Variable& a, const Variable& b) { return prelu(a, b); });
  rows["maximum"] =
      of_different("maximum", [](const Variable& a, const Variable& b) { return maximum(a, b); });
  rows["minimum"] =
      of_different("minimum", [](const Variable& a, const Variable& b) { return minimum(a, b); });
  rows["fmod"] = {"fmod",
                  [](Draw& draw, Call& call) {
                    const int a = draw.any();
                    const int b = draw.beside(a, Domain::positive);
                    call.inputs = {a, b};
                    const Variable quotient = draw.value(a) / draw.value(b);
                    const Variable distance = abs(quotient - round(quotient));
                    return distance.value().size() == 0 || min(distance).item() > 1e-3;
                  },
                  [](Inputs x, Numbers) { return std::vector{fmod(x[0], x[1])}; }};
  rows["lerp"] = {"lerp",
                  [](Draw& draw, Call& call) {
                    const int a = draw.any();
                    const int b = draw.beside(a);
                    call.inputs = {a, b, draw.beside(a)};
                    return true;
                  },
                  [](Inputs x, Numbers) { return std::vector{lerp(x[0], x[1], x[2])}; }};
  rows["lerp/number"] = {"lerp",
                         [](Draw& draw, Call& call) {
                           const int a = draw.any();
                           call.inputs = {a, draw.beside(a)};
                           call.numbers = {draw.real(0.0, 1.0)};
                           return true;
                         },
                         [](Inputs x, Numbers n) { return std::vector{lerp(x[0], x[1], n[0])}; }};
  rows["where"] = {"where",
                   [](Draw& draw, Call& call) {
                     const int a = draw.any();
                     const int b = draw.beside(a);
                     call.inputs = {draw.whole(draw.shape(a), 2), a, b};
                     return true;
                   },
                   [](Inputs x, Numbers) { return std::vector{where(x[0].value(), x[1], x[2])}; }};
  rows["masked_fill"] = {
      "masked_fill",
      [](Draw& draw, Call& call) {
        const int a = draw.any();
        call.inputs = {a, draw.whole(draw.shape(a), 2)};
        call.numbers = {draw.real(-1.0, 1.0)};
        return true;
      },
      [](Inputs x, Numbers n) { return std::vector{masked_fill(x[0], x[1].value(), n[0])}; }};
  rows["pointwise"] = {"",
                       [](Draw& draw, Call& call) {
                         const int a = draw.any();
                         call.inputs = {a, draw.beside(a), draw.beside(a)};
                         return true;
                       },
                       [](Inputs x, Numbers) {
                         const auto results = pointwise<3>(
                             [](auto a, auto b, auto c) {
                               auto s = sigmoid(a) * b * c;
                               s += tanh(c) * 0.5 * b;
                               return std::pair{s * c, s};
                             },
                             x[0], x[1], x[2]);
                         return std::vector{results[0], results[1]};
                       }};
}

}  // namespace unroll::testing::graphs
