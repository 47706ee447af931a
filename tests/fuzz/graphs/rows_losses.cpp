#include "rows.hpp"

#include <autograd/autograd.hpp>

#include <array>

namespace unroll::testing::graphs {
namespace {

using Results = std::vector<Variable>;

constexpr std::array kReductions{Reduction::none, Reduction::mean, Reduction::sum};

/// The first number chooses.
Reduction reduction(Numbers n) { return kReductions[static_cast<std::size_t>(n[0])]; }

Tensor signs(const Variable& zero_or_one) {
  return (zero_or_one.value().to(Dtype::float64).size() == 0
              ? zero_or_one.value()
              : (Variable(zero_or_one.value().to(Dtype::float64)) * 2.0 - 1.0).value());
}

/// x and targets of one shape, with elements.
template <class F>
Row of_two(const char* op, Domain x_domain, Domain target_domain, F f) {
  return {op,
          [=](Draw& draw, Call& call) {
            const int x = draw.within(x_domain);
            const int targets = draw.of(draw.shape(x), target_domain);
            call.inputs = {x, targets};
            call.numbers = {static_cast<double>(draw.pick(3))};
            if (x == targets || draw.value(x).value().size() == 0) return false;
            const Variable distance = abs(draw.value(x) - draw.value(targets));
            return min(distance).item() > 1e-3 && min(abs(distance - 1.0)).item() > 1e-3;
          },
          [f](Inputs x, Numbers n) { return Results{f(x[0], x[1], n)}; }};
}

Row over_classes(const char* op, bool smoothed) {
  return {op,
          [=](Draw& draw, Call& call) {
            const int x = draw.any(1);
            Shape rows_shape = draw.shape(x);
            const Index classes = rows_shape[rows_shape.rank() - 1];
            rows_shape.erase(rows_shape.rank() - 1);
            if (classes == 0 || size_of(rows_shape) == 0) return false;
            call.inputs = {x, draw.whole(rows_shape, classes), draw.constant({classes}, 0.5, 1.5)};
            call.numbers = {static_cast<double>(draw.pick(3))};
            if (smoothed) call.numbers.push_back(draw.chance(2) ? 0.0 : 0.25);
            return true;
          },
          [smoothed](Inputs x, Numbers n) {
            if (smoothed)
              return Results{cross_entropy(
                  x[0], x[1].value(),
                  {.weights = x[2].value(), .label_smoothing = n[1], .reduction = reduction(n)})};
            return Results{
                nll_loss(x[0], x[1].value(), {.weights = x[2].value(), .reduction = reduction(n)})};
          }};
}

}  // namespace

void add_losses(std::map<std::string, Row>& rows) {
  rows["mse_loss"] = of_two("mse_loss", Domain::any, Domain::any, [](auto& x, auto& t, Numbers n) {
    return mse_loss(x, t, {.reduction = reduction(n)});
  });
  rows["l1_loss"] = of_two("l1_loss", Domain::any, Domain::any, [](auto& x, auto& t, Numbers n) {
    return l1_loss(x, t, {.reduction = reduction(n)});
  });
  rows["huber_loss"] = of_two(
      "huber_loss", Domain::any, Domain::any,
      [](auto& x, auto& t, Numbers n) { return huber_loss(x, t, {.reduction = reduction(n)}); });
  rows["binary_cross_entropy_with_logits"] =
      of_two("binary_cross_entropy_with_logits", Domain::any, Domain::unit,
             [](auto& x, auto& t, Numbers n) {
               return binary_cross_entropy_with_logits(x, t, {.reduction = reduction(n)});
             });
  rows["binary_cross_entropy"] =
      of_two("binary_cross_entropy", Domain::unit, Domain::any, [](auto& x, auto& t, Numbers n) {
        return binary_cross_entropy(sigmoid(x), sigmoid(t), {.reduction = reduction(n)});
      });
  rows["kl_div"] = of_two("kl_div", Domain::any, Domain::positive, [](auto& x, auto& t, Numbers n) {
    return kl_div(x, t, {.reduction = reduction(n)});
  });
  rows["nll_loss"] = over_classes("nll_loss", false);
  rows["cross_entropy"] = over_classes("cross_entropy", true);
  rows["hinge_loss"] = {
      "hinge_loss",
      [](Draw& draw, Call& call) {
        const int x = draw.any();
        call.inputs = {x, draw.whole(draw.shape(x), 2)};
        call.numbers = {static_cast<double>(draw.pick(3))};
        if (draw.value(x).value().size() == 0) return false;
        return min(abs(abs(draw.value(x)) - 1.0)).item() > 1e-3;
      },
      [](Inputs x, Numbers n) {
        return Results{hinge_loss(x[0], signs(x[1]), {.reduction = reduction(n)})};
      }};
  rows["cosine_similarity"] = {
      "cosine_similarity",
      [](Draw& draw, Call& call) {
        const int a = draw.within(Domain::nonzero, 1);
        const int axis = draw.axis(a);
        call.inputs = {a, draw.of(draw.shape(a), Domain::nonzero)};
        call.numbers = {static_cast<double>(axis)};
        return draw.shape(a)[axis] > 0;
      },
      [](Inputs x, Numbers n) {
        return Results{cosine_similarity(x[0], x[1], static_cast<int>(n[0]))};
      }};
  rows["cosine_embedding_loss"] = {
      "cosine_embedding_loss",
      [](Draw& draw, Call& call) {
        const int a = draw.within(Domain::positive, 1);
        const int b = draw.of(draw.shape(a), Domain::positive);
        Shape rows_shape = draw.shape(a);
        if (size_of(rows_shape) == 0) return false;
        rows_shape.erase(rows_shape.rank() - 1);
        call.inputs = {a, b, draw.whole(rows_shape, 2)};
        call.numbers = {static_cast<double>(draw.pick(3))};
        return true;
      },
      [](Inputs x, Numbers n) {
        return Results{cosine_embedding_loss(x[0], x[1], signs(x[2]), {.reduction = reduction(n)})};
      }};
  rows["ctc_loss"] = {"ctc_loss",
                      [](Draw& draw, Call& call) {
                        const Index classes = 2 + draw.pick(3);
                        const Index batch = 1 + draw.pick(2);
                        const Index labels = 1 + draw.pick(2);
                        const int x = draw.of({2 * labels + 1 + draw.pick(2), batch, classes});
                        call.inputs = {x, draw.whole({batch, labels}, classes - 1)};
                        call.numbers = {static_cast<double>(draw.pick(3))};
                        return true;
                      },
                      [](Inputs x, Numbers n) {
                        const Variable labels = Variable(x[1].value().to(Dtype::float64)) + 1.0;
                        return Results{ctc_loss(log_softmax(x[0]), labels.value().to(Dtype::int64),
                                                {.reduction = reduction(n)})};
                      }};
}

const std::map<std::string, Row>& rows() {
  static const std::map<std::string, Row> all = [] {
    std::map<std::string, Row> rows;
    add_elementwise(rows);
    add_layout(rows);
    add_products(rows);
    add_reductions(rows);
    add_losses(rows);
    return rows;
  }();
  return all;
}

}  // namespace unroll::testing::graphs
