#include <autograd/verify/progress.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace unroll::detail {
namespace {

constexpr double kLong = 2.0;      // seconds; what takes less says nothing
constexpr double kInterval = 5.0;  // from one line to the next
constexpr Index kMeasured = 16;    // derivatives that the first estimate is made from
constexpr int kDirections = 8;     // that are suggested

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), seconds < 10.0 ? "%.2g s" : "%.0f s", seconds);
  return text.data();
}

}  // namespace

Progress::Progress(Index total, int directions, Index inputs,
                   std::function<void(const std::string&)> say)
    : total_(total), directions_(directions), inputs_(inputs), say_(std::move(say)) {
  if (!say_) say_ = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
}

void Progress::step() {
  ++done_;
  if (done_ < std::min(kMeasured, total_)) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  if (elapsed < next_ || done_ >= total_) return;
  const double each = elapsed / static_cast<double>(done_);
  const double left = each * static_cast<double>(total_ - done_);
  if (next_ == 0.0) {
    next_ = kInterval;
    if (elapsed + left < kLong) return;
    std::string line = "gradcheck: ";
    line += std::to_string(total_);
    line += " derivatives will take about " + seconds_text(elapsed + left);
    if (directions_ == 0) {
      line += "; GradcheckOptions::directions = " + std::to_string(kDirections);
      line += " compares each input along that many random directions, in about ";
      line += seconds_text(each * static_cast<double>(kDirections * inputs_));
    }
    say_(line);
    return;
  }
  next_ = elapsed + kInterval;
  std::string line = "gradcheck: ";
  line += std::to_string(done_);
  line += " of " + std::to_string(total_);
  line += " derivatives, about " + seconds_text(left);
  line += " to go";
  say_(line);
}

}  // namespace unroll::detail
