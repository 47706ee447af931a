#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/loop.hpp>

#include <cstring>

namespace unroll::kernels {
namespace {

template <class To, class From, class Assign>
void walk(const Tensor& source, Tensor& destination, Assign assign) {
  const Walk<2> loop(source.shape(), {source.strides(), destination.strides()});
  const From* from = source.data<From>();
  To* to = destination.in_place<To>();
  const Index n = loop.row_size();
  const Index from_step = loop.row_stride(0);
  const Index to_step = loop.row_stride(1);
  loop.for_each_row([&](const std::array<Index, 2>& at) {
    const From* x = from + at[0];
    To* y = to + at[1];
    if (from_step == 1 && to_step == 1)
      for (Index i = 0; i < n; ++i) assign(y[i], x[i]);
    else
      for (Index i = 0; i < n; ++i) assign(y[i * to_step], x[i * from_step]);
  });
}

}  // namespace

void copy(const Tensor& source, Tensor& destination) {
  if (source.dtype() == destination.dtype() && source.is_contiguous() &&
      destination.is_contiguous()) {
    dispatch(source.dtype(), [&]<class T>(T) {
      if (source.size() > 0)
        std::memcpy(destination.in_place<T>(), source.data<T>(),
                    static_cast<std::size_t>(source.size()) * sizeof(T));
    });
    return;
  }
  dispatch(source.dtype(), [&]<class From>(From) {
    dispatch(destination.dtype(), [&]<class To>(To) {
      walk<To, From>(source, destination, [](To& to, From from) { to = static_cast<To>(from); });
    });
  });
}

void add_into(const Tensor& source, Tensor& destination) {
  if (source.is_contiguous() && destination.is_contiguous()) {
    dispatch(source.dtype(), [&]<class T>(T) {
      const T* from = source.data<T>();
      T* to = destination.in_place<T>();
      for (Index i = 0, n = source.size(); i < n; ++i) to[i] += from[i];
    });
    return;
  }
  dispatch(source.dtype(),
           [&]<class T>(T) { walk<T, T>(source, destination, [](T& to, T from) { to += from; }); });
}

void fill(Tensor& destination, double value) {
  dispatch(destination.dtype(), [&]<class T>(T) {
    const auto element = static_cast<T>(value);
    const Walk<1> loop(destination.shape(), {destination.strides()});
    T* data = destination.in_place<T>();
    const Index step = loop.row_stride(0);
    loop.for_each_row([&](const std::array<Index, 1>& at) {
      for (Index i = 0; i < loop.row_size(); ++i) data[at[0] + i * step] = element;
    });
  });
}

void scale(Tensor& destination, double factor) {
  dispatch_floating(destination.dtype(), [&]<class T>(T) {
    T* data = destination.in_place<T>();
    const auto f = static_cast<T>(factor);
    for (Index i = 0, n = destination.size(); i < n; ++i) data[i] *= f;
  });
}

}  // namespace unroll::kernels
