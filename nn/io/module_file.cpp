#include <autograd/tensor/error.hpp>
#include <nn/io/module_file.hpp>
#include <nn/io/safetensors.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

void save(const Module& module, const std::string& path) {
  TensorFile file;
  for (const auto& [name, parameter] : module.named_parameters())
    file.tensors.emplace_back(name, parameter.value());
  save_safetensors(path, file);
}

void load(Module& module, const std::string& path) {
  const TensorFile file = load_safetensors(path);
  std::vector<Module::Named> parameters = module.named_parameters();
  std::string wrong;
  const auto report = [&](const std::string& what) { wrong.append("\n  ").append(what); };
  std::map<std::string_view, const Tensor*> left;
  for (const auto& [name, value] : file.tensors) left.emplace(name, &value);
  std::vector<Tensor> values;
  for (const auto& [name, parameter] : parameters) {
    const auto found = left.extract(name);
    const Tensor* value = found ? found.mapped() : nullptr;
    if (!value)
      report(name + " " + to_string(parameter.shape()) + ": not in the file");
    else if (value->shape() != parameter.shape())
      report(name + ": " + to_string(value->shape()) + " in the file, " +
             to_string(parameter.shape()) + " in the module");
    else
      values.push_back(value->to(parameter.dtype()));
  }
  for (const auto& [name, value] : left)
    report(std::string(name) + " " + to_string(value->shape()) + ": not in the module");
  if (!wrong.empty())
    throw FormatError("load: the parameters in \"" + path +
                      "\" are not those of the module:" + wrong);
  for (std::size_t k = 0; k < parameters.size(); ++k)
    parameters[k].parameter.set(std::move(values[k]));
}

}  // namespace unroll::nn
