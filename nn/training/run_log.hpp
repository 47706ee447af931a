#pragma once

#include <nn/training/append_file.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace unroll::nn {

/// What a record holds under a name.
using RunValue = std::variant<std::int64_t, double, bool, std::string>;
/// Values by name, in the order in which they are written.
using RunValues = std::vector<std::pair<std::string, RunValue>>;

/// One line of a log.
struct RunRecord {
  std::int64_t step = 0;
  RunValues values;
};

/// What read_run_log returns.
struct RunLogContent {
  RunValues settings;
  std::vector<RunRecord> records;
  bool torn = false;  ///< the last line was cut off by a crash; it is not among the records
};

/// Options of RunLog.
struct RunLogOptions {
  RunValues settings = {};  ///< of the run, for the first line
  /// Continues the log of a run that resumes from the checkpoint of this step: keeps the records up
  /// to and including it and drops the later ones, which the run writes again. Settings stay those
  /// of the file. A file that does not exist is made.
  std::optional<std::int64_t> resume_after = {};
};

/// What happened in a run: a text file with one JSON object a line (https://jsonlines.org).
///
///     {"unroll_run_log":1,"settings":{"cell":"LSTM","hidden":128}}
///     {"step":100,"loss":1.25,"learning_rate":0.001}
///
/// JSON has no number that is not finite: NaN and the infinities are written as the strings "NaN",
/// "Infinity" and "-Infinity", and read as numbers again. Doubles are read back digit by digit.
///
/// Each record goes to the operating system as soon as it is written, so that a killed process
/// loses none. A loss of power may; sync() before a checkpoint is saved makes the log reach at
/// least as far as the checkpoint.
///
///     nn::RunLog log("run/log.jsonl", {.settings = {{"hidden", 128}}, .resume_after =
///     resumed_step}); log.write(step, {{"loss", loss}, {"learning_rate", adam.learning_rate()}});
class RunLog {
 public:
  /// Throws Error when the file exists and is not to be resumed, so that no log is lost, and when
  /// it cannot be written; FormatError as read_run_log.
  explicit RunLog(const std::string& path, const RunLogOptions& options = {});

  /// Throws ArgumentError for a name that is empty, `step` or given twice and for text that is not
  /// UTF-8; Error when the file cannot be written, in which case nothing of the record is.
  void write(std::int64_t step, const RunValues& values);
  /// Returns when all records are on the disk.
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

/// Reads a log, also one that is being written. Throws FormatError naming the line for a file that
/// is missing, no log, or of a newer version.
RunLogContent read_run_log(const std::string& path);

}  // namespace unroll::nn
