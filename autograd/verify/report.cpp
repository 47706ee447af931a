#include <autograd/verify/gradcheck.hpp>

#include <algorithm>
#include <ostream>
#include <sstream>

namespace unroll {

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::wrong_derivative:
      return "wrong derivative";
    case Cause::wrong_sign:
      return "wrong sign";
    case Cause::wrong_factor:
      return "wrong factor";
    case Cause::transposed:
      return "transposed";
    case Cause::missing_broadcast_sum:
      return "missing broadcast sum";
    case Cause::missing_term:
      return "missing term";
    case Cause::stale_state:
      return "stale state";
    case Cause::stop_gradient:
      return "overlap with stop_gradient";
    case Cause::kink:
      return "kink";
    case Cause::jump:
      return "jump";
    case Cause::non_finite:
      return "not finite";
    case Cause::not_deterministic:
      return "not deterministic";
    case Cause::not_differentiable:
      return "not differentiable again";
    case Cause::vjp_failed:
      return "vjp failed";
    case Cause::dangling_capture:
      return "dangling capture";
    case Cause::impure_vjp:
      return "another gradient at the second run";
    case Cause::mixes_time_steps:
      return "mixes time steps";
    case Cause::float32_differs:
      return "float32 differs";
    case Cause::rounding:
      return "not judged, too much rounding";
    case Cause::step_too_long:
      return "not judged, step too long";
  }
  return "unknown";
}

namespace {

void list(std::ostream& text, const std::vector<GradcheckFailure>& elements) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(elements.size(), kShown); ++i) {
    const GradcheckFailure& one = elements[i];
    text << "\n  " << one.input << ' ' << to_string(one.position);
    if (one.cause == Cause::float32_differs) {
      text << ": " << one.analytic << " in float32, " << one.numeric
           << " in float64, where rounding explains " << one.numeric_error;
      continue;
    }
    text << ": analytic " << one.analytic << ", numeric " << one.numeric << " (error about "
         << one.numeric_error << ')';
    if (one.cause == Cause::kink)
      text << ", slopes " << one.slope_below << " below and " << one.slope_above << " above";
    if (one.cause == Cause::rounding || one.cause == Cause::step_too_long)
      text << ", " << to_string(one.cause);
  }
  if (elements.size() > kShown) text << "\n  and " << elements.size() - kShown << " more";
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const GradcheckReport& report) {
  std::ostringstream text;
  text.precision(10);
  text << "gradcheck: " << report.checked
       << (report.directions > 0 ? " directions, " : " elements, ") << report.failures.size()
       << " wrong";
  if (!report.not_judged.empty()) text << ", " << report.not_judged.size() << " not judged";
  for (const GradcheckFinding& finding : report.findings)
    text << "\n  " << to_string(finding.cause) << ": " << finding.text;
  list(text, report.failures);
  list(text, report.not_judged);
  return stream << text.str();
}

std::string GradcheckReport::to_string() const {
  std::ostringstream text;
  text << *this;
  return text.str();
}

}  // namespace unroll
