#include <autograd/tensor/error.hpp>
#include <nn/find_parameter.hpp>

#include <string>
#include <vector>

namespace unroll::nn {

Parameter find_parameter(const Module& module, std::string_view name, std::string_view caller) {
  const std::vector<Module::Named> all = module.named_parameters();
  for (const auto& [path, parameter] : all)
    if (path == name) return parameter;
  std::string message(caller);
  message.append(": there is no parameter \"").append(name).append("\" in the module, which has ");
  if (all.empty()) message.append("none");
  for (std::size_t k = 0; k < all.size(); ++k)
    message.append(k == 0 ? "" : ", ")
        .append(all[k].name)
        .append(1, ' ')
        .append(to_string(all[k].parameter.shape()));
  throw ArgumentError(message);
}

}  // namespace unroll::nn
