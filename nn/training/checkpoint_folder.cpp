#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/io/folder.hpp>
#include <nn/training/checkpoint_file.hpp>
#include <nn/training/checkpoint_folder.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

namespace unroll::nn {
namespace {

constexpr std::string_view kBegin = "step-";
constexpr std::string_view kEnd = ".safetensors";
constexpr const char* kBest = "best.safetensors";
constexpr std::size_t kDigits = 8;  // at least, so that names sort by step

template <class T>
std::optional<T> number_of(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The shortest digits that are read back as the same number.
std::string to_text(double number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return {digits.data(), end};
}

std::string name_of(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return std::string(kBegin) + digits + std::string(kEnd);
}

/// Of a file that save() has named.
std::optional<std::int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  const auto step = number_of<std::int64_t>(
      std::string_view(name).substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size()));
  return step && *step >= 0 && name_of(*step) == name ? step : std::nullopt;
}

/// Names in a folder; none if it cannot be read.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto file = std::filesystem::directory_iterator(folder, error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error))
    names.push_back(file->path().filename().string());
  return names;
}

}  // namespace

CheckpointFolder::CheckpointFolder(const std::string& folder,
                                   const CheckpointFolderOptions& options)
    : folder_(folder), options_(options) {
  if (options.keep_last < 1)
    throw ArgumentError("checkpoint folder: keep_last is " + std::to_string(options.keep_last) +
                        ", expected at least 1");
  make_folder(folder_, "checkpoint folder");
}

std::string CheckpointFolder::path_of(std::int64_t step) const {
  return (std::filesystem::path(folder_) / name_of(step)).string();
}

std::string CheckpointFolder::best_path() const {
  return (std::filesystem::path(folder_) / kBest).string();
}

/// From the latest one on.
std::vector<std::int64_t> CheckpointFolder::steps() const {
  std::vector<std::int64_t> steps;
  for (const std::string& name : names_in(folder_))
    if (const auto step = step_of(name)) steps.push_back(*step);
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

std::optional<double> CheckpointFolder::best_metric() const {
  std::error_code error;
  if (!std::filesystem::exists(best_path(), error)) return std::nullopt;
  try {
    const TensorFile file = read_checkpoint(best_path());
    const auto metric = file.metadata.find("note.metric");
    return metric == file.metadata.end() ? std::nullopt : number_of<double>(metric->second);
  } catch (const FormatError&) {  // a damaged file is no better than none
    return std::nullopt;
  }
}

void CheckpointFolder::save(const Checkpoint& checkpoint, std::int64_t step,
                            std::optional<double> metric) {
  if (step < 0)
    throw ArgumentError("checkpoint folder: the step is " + std::to_string(step) +
                        ", expected at least 0");
  std::map<std::string, std::string> notes{{"step", std::to_string(step)}};
  if (metric) notes["metric"] = to_text(*metric);
  checkpoint.save(path_of(step), notes);
  if (options_.keep_best && metric && !std::isnan(*metric)) {
    const std::optional<double> best = best_metric();
    if (!best || (options_.higher_is_better ? *metric > *best : *metric < *best))
      checkpoint.save(best_path(), notes);
  }
  remove_old(step);
}

void CheckpointFolder::remove_old(std::int64_t step) const {
  int kept = 0;
  std::error_code error;  // a file that cannot be removed is no reason to end the run
  for (const std::int64_t other : steps())
    if (other > step || ++kept > options_.keep_last) std::filesystem::remove(path_of(other), error);
  std::set<std::string> abandoned;
  for (const std::string& name : names_in(folder_))
    if (const std::string target = AtomicFile::target_of(name); step_of(target) || target == kBest)
      abandoned.insert(target);
  for (const std::string& target : abandoned)
    AtomicFile::remove_abandoned(std::filesystem::path(folder_) / target);
}

LatestCheckpoint CheckpointFolder::latest() const {
  LatestCheckpoint latest;
  for (const std::int64_t step : steps()) {
    try {
      read_checkpoint(path_of(step));
      latest.path = path_of(step);
      break;
    } catch (const FormatError& error) {
      latest.notes.push_back(std::string("skipped: ") + error.what());
    }
  }
  return latest;
}

}  // namespace unroll::nn
