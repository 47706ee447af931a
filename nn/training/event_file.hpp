#pragma once

#include <nn/training/append_file.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace unroll::nn {

/// Options of EventFile.
struct EventFileOptions {
  /// For a run that resumes from the checkpoint of this step: TensorBoard hides what earlier files
  /// of the folder have of later steps.
  std::optional<std::int64_t> resume_after = {};
};

/// Scalars for TensorBoard: a file whose name begins with events.out.tfevents in the folder of a
/// run, which `tensorboard --logdir` shows while it grows. A resumed run writes a file of its own.
///
/// The format is that of TensorFlow: records framed with masked CRC-32C (TFRecord), each a protocol
/// buffer Event (tensorflow/core/util/event.proto) with a wall time, a step, and a Summary of one
/// simple_value, which is float32. Each record goes to the operating system at once.
///
///     nn::EventFile events("run");
///     events.write(step, "loss/train", loss);
class EventFile {
 public:
  /// Makes the folder if there is none. Throws Error when it or the file cannot be made.
  explicit EventFile(const std::string& folder, const EventFileOptions& options = {});

  /// Throws ArgumentError for an empty tag, Error when the file cannot be written, in which case
  /// nothing of the record is.
  void write(std::int64_t step, const std::string& tag, double value);
  /// Returns when all records are on the disk.
  void sync() { file_.sync(); }
  const std::string& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

}  // namespace unroll::nn
