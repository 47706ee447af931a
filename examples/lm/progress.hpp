#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace lm {

/// Where a training run stands.
struct Status {
  std::int64_t epoch = 0, epochs = 0;  ///< epochs, total: 0 when unknown
  std::int64_t step = 0, total = 0;
  double loss = 0;  ///< nats per symbol, smoothed
  double symbols_per_second = 0;
  double gradient_norm = 0;
  double seconds_left = 0;
};

/// Shows the status: on a terminal as one line that is written anew, elsewhere (a log file) as a
/// dated line every few seconds.
class Progress {
 public:
  /// `quiet`: shows nothing.
  explicit Progress(std::FILE* out, bool quiet = false);

  /// True when the last line is old enough for a new one.
  bool due() const;
  void show(const Status& status);
  /// A line that stays.
  void note(std::string_view text);
  /// Ends the line that is written anew.
  void finish();

 private:
  std::FILE* out_;
  bool quiet_;
  bool terminal_;
  double shown_ = 0;   // time of the last line
  bool open_ = false;  // a line without its end is on the terminal
};

/// Seconds of a clock that never goes back.
double now();

/// `1:02:03` or `2:03`
std::string duration(double seconds);

}  // namespace lm
