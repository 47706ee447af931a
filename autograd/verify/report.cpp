#include <autograd/gradcheck.hpp>

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
    case Cause::non_finite:
      return "not finite";
    case Cause::not_deterministic:
      return "not deterministic";
    case Cause::not_differentiable:
      return "not differentiable again";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& stream, const GradcheckReport& report) {
  constexpr std::size_t kShown = 10;
  std::ostringstream text;
  text.precision(10);
  text << "gradcheck: " << report.checked
       << (report.directions > 0 ? " directions, " : " elements, ") << report.failures.size()
       << " wrong";
  for (const GradcheckFinding& finding : report.findings)
    text << "\n  " << to_string(finding.cause) << ": " << finding.text;
  for (std::size_t i = 0; i < std::min(report.failures.size(), kShown); ++i) {
    const GradcheckFailure& failure = report.failures[i];
    text << "\n  " << failure.input << ' ' << to_string(failure.position) << ": analytic "
         << failure.analytic << ", numeric " << failure.numeric << " (error about "
         << failure.numeric_error << ')';
    if (failure.cause == Cause::kink)
      text << ", slopes " << failure.slope_below << " below and " << failure.slope_above
           << " above";
  }
  if (report.failures.size() > kShown)
    text << "\n  and " << report.failures.size() - kShown << " more";
  return stream << text.str();
}

std::string GradcheckReport::to_string() const {
  std::ostringstream text;
  text << *this;
  return text.str();
}

}  // namespace unroll
