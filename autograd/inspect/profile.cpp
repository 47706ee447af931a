#include <autograd/inspect/profile.hpp>
#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace unroll {
namespace {

std::uint64_t bytes_of(const Variable& x) {
  if (!x.defined()) return 0;
  return static_cast<std::uint64_t>(x.value().size()) * size_of(x.dtype());
}

void add(ProfileRow& sum, const ProfileRow& row) {
  sum.count += row.count;
  sum.forward_seconds += row.forward_seconds;
  sum.backward_seconds += row.backward_seconds;
  sum.bytes += row.bytes;
  sum.blocks += row.blocks;
  sum.allocations += row.allocations;
}

void print(std::string& text, const std::string& name, const ProfileRow& row, std::size_t width) {
  std::array<char, 160> line;
  std::snprintf(line.data(), line.size(), "%10llu %12.3f %12.3f %12.3f %9llu %9llu\n",
                static_cast<unsigned long long>(row.count), row.forward_seconds * 1e3,
                row.backward_seconds * 1e3, static_cast<double>(row.bytes) * 1e-6,
                static_cast<unsigned long long>(row.blocks),
                static_cast<unsigned long long>(row.allocations));
  text += name + std::string(width - name.size(), ' ') + line.data();
}

}  // namespace

Profile::Profile() { start(); }

ProfileRow& Profile::row(const std::string& module, const std::string& operation) {
  ProfileRow& row = rows_[{module, operation}];
  row.module = module;
  row.operation = operation;
  return row;
}

void Profile::start() {
  blocks_ = memory::statistics().requests;
  allocations_ = memory::statistics().allocations;
  started_ = Clock::now();
}

double Profile::stop(ProfileRow& row) {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  row.blocks += memory::statistics().requests - blocks_;
  row.allocations += memory::statistics().allocations - allocations_;
  return seconds;
}

void Profile::recorded(const Tape& /*tape*/, const extension::SeenOperation& operation,
                       std::span<const Variable> outputs) {
  ProfileRow& entry = row(operation.place->module(), operation.name);
  entry.forward_seconds += stop(entry);
  ++entry.count;
  for (const Variable& output : outputs) entry.bytes += bytes_of(output);
  start();
}

void Profile::vjp_begins(const Tape& /*tape*/, const extension::SeenTape& /*seen*/,
                         const extension::SeenOperation& operation,
                         std::span<const Variable> /*gradients*/) {
  // Summing up the gradient that the vjp gets belongs to it.
  ProfileRow& entry = row(operation.place->module(), operation.name);
  entry.backward_seconds += stop(entry);
  start();
}

void Profile::vjp_ended(const extension::SeenOperation& operation) noexcept {
  ProfileRow& entry = row(operation.place->module(), operation.name);
  entry.backward_seconds += stop(entry);
  start();
}

void Profile::gathered(const Tape& /*tape*/, const extension::SeenTape& seen, std::uint32_t slot,
                       const Variable& gradient) {
  const auto uses = extension::users(seen, slot);
  ProfileRow& entry = row(uses.empty() ? "" : uses[0]->place->module(), "gradients of leaves");
  entry.backward_seconds += stop(entry);
  ++entry.count;
  entry.bytes += bytes_of(gradient);
  start();
}

std::vector<ProfileRow> Profile::summed(Names (*key)(const Names&)) const {
  std::map<Names, ProfileRow> sums;
  for (const auto& [names, row] : rows_) {
    const Names group = key(names);
    ProfileRow& sum = sums[group];
    sum.module = group.first;
    sum.operation = group.second;
    add(sum, row);
  }
  std::vector<ProfileRow> sorted;
  sorted.reserve(sums.size());
  for (const auto& entry : sums) sorted.push_back(entry.second);
  std::stable_sort(sorted.begin(), sorted.end(), [](const ProfileRow& a, const ProfileRow& b) {
    return a.seconds() > b.seconds();
  });
  return sorted;
}

std::vector<ProfileRow> Profile::rows() const {
  return summed([](const Names& names) { return names; });
}
std::vector<ProfileRow> Profile::by_operation() const {
  return summed([](const Names& names) { return Names("", names.second); });
}
std::vector<ProfileRow> Profile::by_module() const {
  return summed([](const Names& names) { return Names(names.first, ""); });
}

ProfileRow Profile::total() const {
  ProfileRow sum;
  for (const auto& entry : rows_) add(sum, entry.second);
  return sum;
}

std::string Profile::to_string() const {
  const std::vector<ProfileRow> operations = by_operation(), modules = by_module();
  std::size_t width = 24;
  for (const ProfileRow& row : operations) width = std::max(width, row.operation.size() + 1);
  for (const ProfileRow& row : modules) width = std::max(width, row.module.size() + 1);
  const auto heading = [width](const std::string& name) {
    std::array<char, 160> line;
    std::snprintf(line.data(), line.size(), "%10s %12s %12s %12s %9s %9s\n", "count", "forward ms",
                  "backward ms", "MB written", "blocks", "from OS");
    return name + std::string(width - name.size(), ' ') + line.data();
  };
  std::string text = heading("operation");
  for (const ProfileRow& row : operations) print(text, row.operation, row, width);
  text += '\n' + heading("module");
  for (const ProfileRow& row : modules)
    print(text, row.module.empty() ? "(outside modules)" : row.module, row, width);
  text += '\n';
  print(text, "total", total(), width);
  return text;
}

}  // namespace unroll
