#include <autograd/inspect/finite_check.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tensor/dtype.hpp>
#include <autograd/tensor/loop.hpp>

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

struct Bad {
  Index position;  // in row-major order
  double number;
};

std::optional<Bad> first_bad(const Tensor& x, const FiniteCheckOptions& options) {
  if (!x.defined() || !is_floating(x.dtype())) return std::nullopt;
  std::optional<Bad> found;
  const Tensor rows = x.contiguous();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* data = rows.data<T>();
    const T* end = data + rows.size();
    const T* at = options.infinity ? std::find_if(data, end, [](T v) { return !std::isfinite(v); })
                                   : std::find_if(data, end, [](T v) { return std::isnan(v); });
    if (at != end) found = Bad{at - data, static_cast<double>(*at)};
  });
  return found;
}

std::string in_words(double number) {
  if (std::isnan(number)) return "nan";
  return number > 0 ? "inf" : "-inf";
}

/// "element [3,5] of the result [8,64] is nan".
std::string element(const Bad& bad, const Shape& shape, const std::string& what) {
  const std::string of = what.empty() ? to_string(shape) : what + ' ' + to_string(shape);
  return (shape.empty()
              ? of
              : "element " + to_string(kernels::position_of(bad.position, shape)) + " of " + of) +
         " is " + in_words(bad.number);
}

/// What is known of the inputs of an operation whose result is not finite.
std::string cause(const Tape& tape, const extension::SeenOperation& operation,
                  const FiniteCheckOptions& options) {
  if (operation.inputs.empty()) return "";
  for (std::size_t k = 0; k < operation.inputs.size(); ++k) {
    const Variable& input = operation.inputs[k];
    const auto bad = first_bad(input.value(), options);
    if (!bad) continue;
    std::string what = "input " + std::to_string(k);
    if (!input.recorded())
      what += ", a constant";
    else if (const Parameter* parameter =
                 extension::TapeAccess::parameter(tape, extension::TapeAccess::slot(input)))
      what += ", the parameter '" + parameter->name() + "'";
    return "; so was its " + what + ": " + element(*bad, input.shape(), "");
  }
  std::string text = "; its inputs are finite:";
  for (const Variable& input : operation.inputs) text += ' ' + to_string(input.shape()) + ',';
  text.pop_back();
  return text;
}

/// The operations whose vjps have added to the gradient of a slot.
std::string sources(const extension::SeenTape& seen, std::uint32_t slot) {
  constexpr std::size_t kNamed = 3;
  const auto users = extension::users(seen, slot);
  if (users.empty()) return "";
  // The backward pass ran the last one first.
  std::string text = users.size() == 1 ? "; it comes from the vjp of "
                                       : "; it is the sum of what these vjps added: ";
  for (std::size_t k = 0; k < std::min(users.size(), kNamed); ++k) {
    const extension::SeenOperation& user = *users[users.size() - 1 - k];
    if (k > 0) text += ", ";
    text += user.name + user.place->to_string();
  }
  if (users.size() > kNamed) text += " and " + std::to_string(users.size() - kNamed) + " more";
  return text + (users.size() == 1 ? "; the gradients that it got are finite"
                                   : "; the gradients that they got are finite");
}

NonFiniteError::Where where(const std::string& name, const extension::Place& place,
                            bool is_gradient) {
  return {name, place.module(), place.time_step(), is_gradient};
}

}  // namespace

void FiniteCheck::recorded(const Tape& tape, const extension::SeenOperation& operation,
                           std::span<const Variable> outputs) {
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto bad = first_bad(outputs[k].value(), options_);
    if (!bad) continue;
    const std::string result = outputs.size() == 1 ? "the result" : "result " + std::to_string(k);
    throw NonFiniteError(operation.name + operation.place->to_string() + ": " +
                             element(*bad, outputs[k].shape(), result) +
                             cause(tape, operation, options_),
                         where(operation.name, *operation.place, false));
  }
}

void FiniteCheck::vjp_begins(const Tape& /*tape*/, const extension::SeenTape& seen,
                             const extension::SeenOperation& operation,
                             std::span<const Variable> gradients) {
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    const auto bad = first_bad(gradients[k].value(), options_);
    if (!bad) continue;
    const std::string of = gradients.size() == 1 ? "" : "result " + std::to_string(k) + " of ";
    const std::string what =
        "the gradient of " + of + operation.name + operation.place->to_string();
    throw NonFiniteError("gradients: " + element(*bad, gradients[k].shape(), what) +
                             sources(seen, operation.first_slot + static_cast<std::uint32_t>(k)),
                         where(operation.name, *operation.place, true));
  }
}

void FiniteCheck::gathered(const Tape& tape, const extension::SeenTape& seen, std::uint32_t slot,
                           const Variable& gradient) {
  const auto bad = first_bad(gradient.value(), options_);
  if (!bad) return;
  const Parameter* parameter = extension::TapeAccess::parameter(tape, slot);
  const std::string what =
      std::string("the gradient of ") +
      (parameter ? "the parameter '" + parameter->name() + "'" : std::string("a watched variable"));
  const auto users = extension::users(seen, slot);
  throw NonFiniteError("gradients: " + element(*bad, gradient.shape(), what) + sources(seen, slot),
                       where(parameter ? parameter->name() : "",
                             users.empty() ? extension::Place() : *users[0]->place, true));
}

}  // namespace unroll
