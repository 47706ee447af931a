#pragma once

#include <nn/training/checkpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unroll::nn {

/// Options of CheckpointFolder.
struct CheckpointFolderOptions {
  int keep_last = 3;  ///< number of `step-*.safetensors` files that stay
  bool keep_best = true;
  bool higher_is_better = false;  ///< accuracy rather than loss
};

/// The newest checkpoint of a folder that is intact.
struct LatestCheckpoint {
  std::optional<std::string> path;  ///< none: there is no intact one
  std::vector<std::string> notes;   ///< for the user: the damaged ones that were skipped, and why
};

/// The checkpoints of one run: `step-00001200.safetensors` for each of the last steps saved and
/// `best.safetensors` for the one with the best metric.
///
///     nn::CheckpointFolder folder("run", {.keep_last = 3});
///     const auto latest = folder.latest();
///     for (const std::string& note : latest.notes) std::cerr << note << '\n';
///     if (latest.path) checkpoint.load(*latest.path);
///     ...
///     folder.save(checkpoint, step, validation_loss);
class CheckpointFolder {
 public:
  /// Makes the folder if there is none. Throws ArgumentError for keep_last below 1, Error when the
  /// folder cannot be made.
  explicit CheckpointFolder(const std::string& folder, const CheckpointFolderOptions& options = {});

  /// Writes the file of this step, then `best.safetensors` if the metric is the best so far (NaN
  /// never is), and only then removes old files: those beyond keep_last, those of later steps,
  /// which a run that resumed from an earlier one has abandoned, and what killed writers have left.
  /// Best so far is read from the folder, so it outlives the process. Throws ArgumentError for a
  /// negative step and what Checkpoint::save throws; old files are then as they were.
  void save(const Checkpoint& checkpoint, std::int64_t step, std::optional<double> metric = {});

  /// Reads the files, the one of the latest step first, until one is intact.
  LatestCheckpoint latest() const;

  /// The file of a step, and that of the best one, whether they are there or not.
  std::string path_of(std::int64_t step) const;
  std::string best_path() const;  ///< see path_of
  /// The metric of `best.safetensors`; none without an intact file.
  std::optional<double> best_metric() const;

 private:
  std::vector<std::int64_t> steps() const;
  void remove_old(std::int64_t step) const;

  std::string folder_;
  CheckpointFolderOptions options_;
};

}  // namespace unroll::nn
