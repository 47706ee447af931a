#pragma once

#include <nn/module.hpp>

#include <cstddef>
#include <vector>

namespace unroll::nn {

/// Parameters and buffers in another dtype for as long as this lives, bit for bit what they were
/// afterwards.
class InDtype {
 public:
  InDtype(const Module& module, Dtype dtype) : module_(module) {
    for (Parameter& parameter : module_.parameters()) convert(parameter, dtype);
    for (auto& [name, buffer] : module_.named_buffers()) convert(buffer, dtype);
  }
  ~InDtype() {
    std::size_t i = 0;
    for (Parameter& parameter : module_.parameters()) parameter.set(before_[i++]);
    for (auto& [name, buffer] : module_.named_buffers()) buffer.set(before_[i++]);
  }
  InDtype(const InDtype&) = delete;
  InDtype& operator=(const InDtype&) = delete;

 private:
  template <class Held>
  void convert(Held& held, Dtype dtype) {
    before_.push_back(held.value());
    held.set(held.value().to(dtype));
  }

  Module module_;  // a handle
  std::vector<Tensor> before_;
};

class InFloat64 : public InDtype {
 public:
  explicit InFloat64(const Module& module) : InDtype(module, Dtype::float64) {}
};

}  // namespace unroll::nn
