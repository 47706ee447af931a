#include <autograd/tensor/error.hpp>
#include <nn/io/module_file.hpp>
#include <nn/io/safetensors.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

namespace {

/// A tensor of a module by its path: a parameter or a buffer.
struct Entry {
  std::string name;
  Tensor value;
  std::function<void(Tensor)> set;
};

std::vector<Entry> entries_of(const Module& module) {
  std::vector<Entry> all;
  for (const auto& [name, parameter] : module.named_parameters())
    all.push_back({name, parameter.value(),
                   [own = parameter](Tensor value) mutable { own.set(std::move(value)); }});
  for (const auto& [name, buffer] : module.named_buffers())
    all.push_back({name, buffer.value(),
                   [own = buffer](Tensor value) mutable { own.set(std::move(value)); }});
  return all;
}

}  // namespace

void save(const Module& module, const std::string& path) {
  TensorFile file;
  for (Entry& entry : entries_of(module))
    file.tensors.emplace_back(std::move(entry.name), std::move(entry.value));
  save_safetensors(path, file);
}

void load(Module& module, const std::string& path) {
  const TensorFile file = load_safetensors(path);
  const std::vector<Entry> entries = entries_of(module);
  std::string wrong;
  const auto report = [&](const std::string& what) { wrong.append("\n  ").append(what); };
  std::map<std::string_view, const Tensor*> left;
  for (const auto& [name, value] : file.tensors) left.emplace(name, &value);
  std::vector<Tensor> values;
  for (const auto& [name, own, set] : entries) {
    const auto found = left.extract(name);
    const Tensor* value = found ? found.mapped() : nullptr;
    if (!value)
      report(name + " " + to_string(own.shape()) + ": not in the file");
    else if (value->shape() != own.shape())
      report(name + ": " + to_string(value->shape()) + " in the file, " + to_string(own.shape()) +
             " in the module");
    else
      values.push_back(value->to(own.dtype()));
  }
  for (const auto& [name, value] : left)
    report(std::string(name) + " " + to_string(value->shape()) + ": not in the module");
  if (!wrong.empty())
    throw FormatError("load: the tensors in \"" + path + "\" are not those of the module:" + wrong);
  for (std::size_t k = 0; k < entries.size(); ++k) entries[k].set(std::move(values[k]));
}

}  // namespace unroll::nn
