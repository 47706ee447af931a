#include <nn/describe.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

constexpr std::size_t kColumns = 5;

struct Row {
  std::array<std::string, kColumns> cells;  // name, shape, dtype, elements, bytes
  std::string remark = {};
};

constexpr std::array<bool, kColumns> is_number = {false, false, false, true, true};

std::string table(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows)
    for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], row.cells[c].size());
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < kColumns; ++c) {
      const std::string gap(widths[c] - row.cells[c].size(), ' ');
      line.append(c == 0 ? "" : "  ");
      line.append(is_number[c] ? gap + row.cells[c] : row.cells[c] + gap);
    }
    if (!row.remark.empty()) line.append("  ").append(row.remark);
    line.erase(line.find_last_not_of(' ') + 1);
    text.append(line).append(1, '\n');
  }
  return text;
}

}  // namespace

std::string describe(const Module& module) {
  std::vector<Row> rows{{{"name", "shape", "dtype", "elements", "bytes"}}};
  std::unordered_map<const void*, std::string> first_names;
  Index elements = 0;
  std::size_t bytes = 0;
  const auto list = [&](const std::string& name, const Tensor& value, const char* remark) {
    const std::size_t size = static_cast<std::size_t>(value.size()) * size_of(value.dtype());
    elements += value.size();
    bytes += size;
    rows.push_back({{name, to_string(value.shape()), std::string(to_string(value.dtype())),
                     std::to_string(value.size()), std::to_string(size)},
                    remark});
  };
  for (const auto& [name, parameter] : module.named_parameters()) {
    const auto [first, is_new] = first_names.try_emplace(parameter.identity(), name);
    if (is_new)
      list(name, parameter.value(), parameter.frozen() ? "frozen" : "");
    else
      rows.push_back({{name, to_string(parameter.shape()),
                       std::string(to_string(parameter.dtype())), "shared", ""},
                      "= " + first->second});
  }
  for (const auto& [name, buffer] : module.named_buffers()) list(name, buffer.value(), "buffer");
  rows.push_back({{"total", "", "", std::to_string(elements), std::to_string(bytes)}});
  return table(rows);
}

}  // namespace unroll::nn
