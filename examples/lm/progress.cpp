#include "progress.hpp"

#include <fmt/chrono.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <numbers>

namespace lm {
namespace {

constexpr double kTerminalInterval = 0.25;
constexpr double kLogInterval = 5;

std::string dated(std::string_view text) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}  {}", fmt::localtime(std::time(nullptr)), text);
}

std::string line_of(const Status& s) {
  const std::string of_epochs = s.epochs > 0 ? fmt::format("/{}", s.epochs) : "";
  const std::string of_steps = s.total > 0 ? fmt::format("/{}", s.total) : "";
  // In the order of importance: a narrow terminal cuts the line off.
  return fmt::format(
      "epoch {}{}  step {}{}  ETA {}  loss {:.3f}  {:.3f} bits  {:.1f}k symbols/s  gradient "
      "norm {:.2f}",
      s.epoch, of_epochs, s.step, of_steps, duration(s.seconds_left), s.loss,
      s.loss / std::numbers::ln2, s.symbols_per_second / 1000, s.gradient_norm);
}

/// What is shown may get lost, when the terminal is gone or a log's disk is full; the training it
/// is about must not. The program's end reports that the stream has failed.
void put(std::FILE* out, const std::string& text) {
  std::fputs(text.c_str(), out);
  std::fflush(out);
}

std::size_t terminal_width(std::FILE* out) {
  ::winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
}

}  // namespace

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  if (!(seconds < 1e9)) return "?";
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

Progress::Progress(std::FILE* out, bool quiet)
    : out_(out), quiet_(quiet), terminal_(::isatty(::fileno(out)) != 0), shown_(now()) {}

bool Progress::due() const {
  return !quiet_ && now() - shown_ >= (terminal_ ? kTerminalInterval : kLogInterval);
}

void Progress::show(const Status& status) {
  if (quiet_) return;
  shown_ = now();
  const std::string line = line_of(status);
  open_ = terminal_;
  put(out_, terminal_ ? fmt::format("\r{}\033[K", line.substr(0, terminal_width(out_)))
                      : dated(line) + '\n');
}

void Progress::note(std::string_view text) {
  if (quiet_) return;
  put(out_, terminal_ ? fmt::format("\r{}\033[K\n", text) : dated(text) + '\n');
  open_ = false;
}

void Progress::finish() {
  if (open_) put(out_, "\n");
  open_ = false;
}

}  // namespace lm
