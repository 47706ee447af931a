#pragma once

#include <nn/module.hpp>

#include <cstddef>
#include <vector>

namespace unroll::nn {

/// Parameters in another dtype for as long as this lives, bit for bit what they were afterwards.
class InDtype {
 public:
  InDtype(const Module& module, Dtype dtype) : parameters_(module.parameters()) {
    for (Parameter& parameter : parameters_) {
      before_.push_back(parameter.value());
      parameter.set(parameter.value().to(dtype));
    }
  }
  ~InDtype() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].set(before_[i]);
  }
  InDtype(const InDtype&) = delete;
  InDtype& operator=(const InDtype&) = delete;

  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
  std::vector<Tensor> before_;
};

class InFloat64 : public InDtype {
 public:
  explicit InFloat64(const Module& module) : InDtype(module, Dtype::float64) {}
};

}  // namespace unroll::nn
