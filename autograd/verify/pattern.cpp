#include <autograd/tensor/loop.hpp>
#include <autograd/verify/pattern.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <sstream>

namespace unroll::detail {
namespace {

std::string number(double x) {
  std::ostringstream text;
  text.precision(10);
  text << x;
  return text.str();
}

/// True when analytic[row, column] = expected(row, column) everywhere.
bool explains(const Jacobians& j, const Tolerances& tolerances,
              const std::function<double(std::size_t, std::size_t)>& expected) {
  for (std::size_t row = 0; row < j.rows; ++row)
    for (std::size_t column = 0; column < j.columns; ++column) {
      if (j.kink[column]) continue;
      const double a = j.analytic[row * j.columns + column];
      const double e = expected(row, column);
      const double bound = tolerances.bound(a, e) + 2.0 * j.error[row * j.columns + column];
      if (!(std::abs(a - e) <= bound)) return false;
    }
  return true;
}

double numeric_at(const Jacobians& j, std::size_t row, std::size_t column) {
  return j.numeric[row * j.columns + column];
}

/// How many results read one element of the argument when it is broadcast to the result's shape;
/// empty unless it is.
std::optional<Shape> broadcast_axes(const Jacobians& j) {
  if (j.rows <= j.columns || j.result.rank() < j.argument.rank()) return std::nullopt;
  Shape expanded(j.result.rank(), 1);  // the size along broadcast axes, 1 along the others
  for (int axis = 0; axis < j.result.rank(); ++axis) {
    const int own = axis - (j.result.rank() - j.argument.rank());
    const Index size = own < 0 ? 1 : j.argument[own];
    if (size != j.result[axis] && size != 1) return std::nullopt;
    if (size == 1) expanded[axis] = j.result[axis];
  }
  return expanded;
}

std::optional<Pattern> find_factor(const Jacobians& j, const Tolerances& tolerances) {
  double both = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < j.numeric.size(); ++i) {
    if (j.kink[i % j.columns]) continue;
    both += j.analytic[i] * j.numeric[i];
    squares += j.numeric[i] * j.numeric[i];
  }
  if (!(squares > 0.0)) return std::nullopt;
  double factor = both / squares;
  // A round number is meant, where one is near.
  const double near = 10.0 * tolerances.relative;
  for (double round : {std::round(factor), 1.0 / std::round(1.0 / factor)})
    if (std::abs(factor - round) < near * std::abs(factor)) factor = round;
  if (std::abs(factor) < 1e-9) factor = 0.0;
  const auto scaled = [&](std::size_t row, std::size_t column) {
    return factor * numeric_at(j, row, column);
  };
  if (factor == 1.0 || !explains(j, tolerances, scaled)) return std::nullopt;
  if (factor == 0.0) return Pattern{Cause::missing_term, 0.0, "adds nothing to its gradient"};
  if (factor == -1.0)
    return Pattern{Cause::wrong_sign, -1.0, "has the wrong sign: it gives -1 times the derivative"};
  if (const auto expanded = broadcast_axes(j);
      expanded && std::abs(factor * static_cast<double>(size_of(*expanded)) - 1.0) < near)
    return Pattern{Cause::missing_broadcast_sum, factor,
                   "gives the mean over the axes along which it was broadcast, not the sum: " +
                       number(factor) + " times the derivative"};
  return Pattern{Cause::wrong_factor, factor, "gives " + number(factor) + " times the derivative"};
}

/// Position `flat` of `shape` with two axes of equal size swapped.
std::size_t swapped(std::size_t flat, const Shape& shape, int first, int second) {
  Shape position = kernels::position_of(static_cast<Index>(flat), shape);
  std::swap(position[first], position[second]);
  Index place = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) place = place * shape[axis] + position[axis];
  return static_cast<std::size_t>(place);
}

std::optional<Pattern> find_transposition(const Jacobians& j, const Tolerances& tolerances) {
  const bool smooth = std::none_of(j.kink.begin(), j.kink.end(), [](bool kink) { return kink; });
  if (!smooth) return std::nullopt;
  for (int first = 0; first < j.argument.rank(); ++first)
    for (int second = first + 1; second < j.argument.rank(); ++second) {
      if (j.argument[first] != j.argument[second]) continue;
      const auto other = [&](std::size_t row, std::size_t column) {
        return numeric_at(j, row, swapped(column, j.argument, first, second));
      };
      if (explains(j, tolerances, other))
        return Pattern{Cause::transposed, 1.0,
                       "gives the transposed gradient: axes " + std::to_string(first) + " and " +
                           std::to_string(second) + " are swapped"};
    }
  if (j.argument.rank() == 2) {  // the numbers of the transpose, read in the shape of the argument
    const auto width = static_cast<std::size_t>(j.argument[1]);
    const auto height = static_cast<std::size_t>(j.argument[0]);
    const auto other = [&](std::size_t row, std::size_t column) {
      return numeric_at(j, row, column % height * width + column / height);
    };
    if (explains(j, tolerances, other))
      return Pattern{Cause::transposed, 1.0,
                     "gives the numbers of the transposed gradient in the shape of the argument"};
  }
  const auto transpose = [&](std::size_t row, std::size_t column) {
    return numeric_at(j, column, row);
  };
  if (j.rows == j.columns && j.rows > 1 && explains(j, tolerances, transpose))
    return Pattern{Cause::transposed, 1.0,
                   "multiplies by the transposed Jacobian: a matrix in it stands transposed"};
  return std::nullopt;
}

/// Every element right or zero: which results count?
std::optional<Pattern> find_missing_results(const Jacobians& j, const Tolerances& tolerances) {
  std::vector<bool> counted(j.rows, false);
  for (std::size_t row = 0; row < j.rows; ++row)
    for (std::size_t column = 0; column < j.columns; ++column) {
      const double a = j.analytic[row * j.columns + column];
      if (a != 0.0) counted[row] = true;
      if (!j.kink[column] && a != 0.0 && !j.agree(row, column, a, tolerances)) return std::nullopt;
    }
  const auto expanded = broadcast_axes(j);
  if (expanded) {
    // One position along the broadcast axes, the same for all that count?
    std::optional<Index> only;
    bool one = true;
    for (std::size_t row = 0; row < j.rows && one; ++row) {
      if (!counted[row]) continue;
      Index rest = static_cast<Index>(row);
      Index at = 0;
      Index weight = 1;
      for (int axis = j.result.rank() - 1; axis >= 0; --axis) {
        if ((*expanded)[axis] > 1) {
          at += rest % j.result[axis] * weight;
          weight *= j.result[axis];
        }
        rest /= j.result[axis];
      }
      one = !only || *only == at;
      only = at;
    }
    if (one && only)
      return Pattern{Cause::missing_broadcast_sum, 1.0,
                     "does not sum over the axes along which it was broadcast: only one position "
                     "along them counts"};
  }
  return Pattern{Cause::missing_term, 1.0,
                 "is right for some elements and adds nothing for others"};
}

}  // namespace

bool Jacobians::agree(std::size_t row, std::size_t column, double a,
                      const Tolerances& tolerances) const {
  const std::size_t at = row * columns + column;
  return std::abs(a - numeric[at]) <= tolerances.bound(a, numeric[at]) + error[at];
}

bool Jacobians::agree(const Tolerances& tolerances) const {
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      if (!kink[column] && !agree(row, column, analytic[row * columns + column], tolerances))
        return false;
  return true;
}

Pattern recognise(const Jacobians& jacobians, const Tolerances& tolerances) {
  if (auto pattern = find_factor(jacobians, tolerances)) return *pattern;
  if (auto pattern = find_transposition(jacobians, tolerances)) return *pattern;
  if (auto pattern = find_missing_results(jacobians, tolerances)) return *pattern;
  return {Cause::wrong_derivative, 1.0, "gives a wrong derivative"};
}

}  // namespace unroll::detail
