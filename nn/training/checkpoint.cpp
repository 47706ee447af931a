#include <autograd/tensor/error.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/checkpoint_file.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string_view>

namespace unroll::nn {
namespace {

// Keys of the metadata.
constexpr std::string_view kEntry = "entry.";
constexpr std::string_view kText = "text.";
constexpr std::string_view kSetting = "setting.";
constexpr std::string_view kNote = "note.";

std::string key(std::string_view prefix, const std::string& name) {
  return std::string(prefix) + name;
}

/// Calls `f(name, text)` for each `PREFIXname` of the metadata.
template <class F>
void for_each_with(std::string_view prefix, const TensorFile& file, F&& f) {
  for (const auto& [whole, text] : file.metadata)
    if (whole.starts_with(prefix)) f(whole.substr(prefix.size()), text);
}

void add_line(std::string& lines, const std::string& line) { lines.append("\n  ").append(line); }

/// Undoes changes, the last one first, unless they are kept.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    std::reverse(changes_.begin(), changes_.end());  // the last one first
    for (const auto& change : changes_) try {
        change();
      } catch (const std::exception&) {  // an object that refuses the state it had
        continue;
      }
  }
  void push_back(std::function<void()> change) { changes_.push_back(std::move(change)); }
  void keep() { changes_.clear(); }

 private:
  std::vector<std::function<void()>> changes_;
};

}  // namespace

void Checkpoint::add_entry(Entry entry) {
  const std::string& name = entry.name;
  if (name.empty() || name.find('.') != std::string::npos)
    throw ArgumentError("checkpoint: add: the name \"" + name +
                        "\" must not be empty or have a dot");
  if (std::any_of(entries_.begin(), entries_.end(),
                  [&](const Entry& other) { return other.name == name; }))
    throw ArgumentError("checkpoint: add: the name \"" + name + "\" is taken");
  entries_.push_back(std::move(entry));
}

void Checkpoint::require(const std::string& name, const std::string& value) {
  if (name.empty() || !settings_.emplace(name, value).second)
    throw ArgumentError("checkpoint: require: the name \"" + name + "\" is empty or taken");
}

void Checkpoint::save(const std::string& path,
                      const std::map<std::string, std::string>& notes) const {
  TensorFile file;
  for (const Entry& entry : entries_) {
    Content content = entry.read();
    file.metadata[key(kEntry, entry.name)] = entry.kind;
    if (!content.text.empty()) file.metadata[key(kText, entry.name)] = content.text;
    for (auto& [name, tensor] : content.tensors)
      file.tensors.emplace_back(name.empty() ? entry.name : entry.name + '.' + name,
                                std::move(tensor));
  }
  for (const auto& [name, value] : settings_) file.metadata[key(kSetting, name)] = value;
  for (const auto& [name, value] : notes) file.metadata[key(kNote, name)] = value;
  checkpoint_file::write_checkpoint(path, std::move(file));
}

std::map<std::string, Checkpoint::Content> Checkpoint::contents_of(const TensorFile& file) {
  std::map<std::string, Content> contents;
  for_each_with(kEntry, file, [&](const std::string& name, const std::string& kind) {
    contents[name].kind = kind;
  });
  for_each_with(kText, file, [&](const std::string& name, const std::string& text) {
    contents[name].text = text;
  });
  for (const auto& [path, tensor] : file.tensors) {
    const std::size_t dot = path.find('.');
    contents[path.substr(0, dot)].tensors.emplace_back(
        dot == std::string::npos ? "" : path.substr(dot + 1), tensor);
  }
  return contents;
}

void Checkpoint::compare_settings(const TensorFile& file, const CheckpointLoadOptions& options,
                                  std::string& wrong) const {
  std::map<std::string, std::string> left = settings_;
  for_each_with(kSetting, file, [&](const std::string& name, const std::string& text) {
    const auto own = left.extract(name);
    if (own && own.mapped() != text)
      add_line(wrong,
               "setting " + name + ": \"" + text + "\" in the file, \"" + own.mapped() + "\" here");
    if (!own && !options.ignore_others)
      add_line(wrong, "setting " + name + ": \"" + text + "\" in the file, not required here");
  });
  for (const auto& [name, value] : left)
    add_line(wrong, std::string("setting ")
                        .append(name)
                        .append(": not in the file, \"")
                        .append(value)
                        .append("\" here"));
}

void Checkpoint::load(const std::string& path, const CheckpointLoadOptions& options) {
  const TensorFile file = read_checkpoint(path);
  std::string wrong;
  compare_settings(file, options, wrong);
  const std::map<std::string, Content> contents = contents_of(file);
  if (!options.ignore_others)
    for (const auto& [name, content] : contents)
      if (std::none_of(entries_.begin(), entries_.end(),
                       [&own = name](const Entry& entry) { return entry.name == own; }))
        add_line(wrong, name + " (" + content.kind + "): in the file, not registered here");
  set_all(contents, path, std::move(wrong));
}

/// Whether a state fits is known to its object alone, and only when it is set: sets all, and sets
/// them back when one does not fit.
void Checkpoint::set_all(const std::map<std::string, Content>& contents, const std::string& path,
                         std::string wrong) {
  Undo undo;
  for (const Entry& entry : entries_) {
    const auto found = contents.find(entry.name);
    if (found == contents.end()) {
      if (entry.presence == Presence::required)
        add_line(wrong, entry.name + " (" + entry.kind + "): not in the file");
      continue;
    }
    if (found->second.kind != entry.kind) {
      add_line(wrong,
               entry.name + ": " + found->second.kind + " in the file, " + entry.kind + " here");
      continue;
    }
    undo.push_back([&entry, before = entry.read()] { entry.set(before); });
    try {
      entry.set(found->second);
    } catch (const Error& error) {
      add_line(wrong, entry.name + ": " + error.what());
    }
  }
  if (!wrong.empty())
    throw FormatError("checkpoint: " + checkpoint_file::quote_path(path) +
                      " does not fit what is registered; nothing was changed:" + wrong);
  undo.keep();
}

}  // namespace unroll::nn
