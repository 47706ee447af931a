#include <autograd/kernels/linalg.hpp>
#include <autograd/kernels/threads.hpp>

#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>

#include <array>
#include <stdexcept>

namespace unroll::kernels {
namespace {

/// As LAPACK wants a matrix, so that xtensor-blas has nothing to convert.
template <class T>
using Matrix = xt::xtensor<T, 2, xt::layout_type::column_major>;

template <class T>
Matrix<T> load(const Tensor& x) {
  static_cast<void>(threads());  // the pool, once there, keeps OpenBLAS to one thread
  const auto rows = static_cast<std::size_t>(x.shape()[0]);
  const auto columns = static_cast<std::size_t>(x.shape()[1]);
  Matrix<T> matrix(std::array<std::size_t, 2>{rows, columns});
  const T* from = x.data<T>();
  for (Index j = 0; j < x.shape()[1]; ++j)
    for (Index i = 0; i < x.shape()[0]; ++i)
      matrix.data()[i + j * x.shape()[0]] = from[i * x.strides()[0] + j * x.strides()[1]];
  return matrix;
}

template <class T>
void store(const Matrix<T>& matrix, Tensor& x) {
  T* to = x.in_place<T>();
  for (Index j = 0; j < x.shape()[1]; ++j)
    for (Index i = 0; i < x.shape()[0]; ++i)
      to[i * x.strides()[0] + j * x.strides()[1]] = matrix.data()[i + j * x.shape()[0]];
}

template <class T, class Numbers>
void store_vector(const Numbers& numbers, Tensor& x) {
  T* to = x.in_place<T>();
  for (Index i = 0; i < x.shape()[0]; ++i) to[i * x.strides()[0]] = numbers.data()[i];
}

/// True unless xtensor-blas refuses: LAPACK found the matrix outside the domain.
template <class F>
bool succeeds(F&& f) {
  try {
    f();
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

bool inverse(const Tensor& a, Tensor& result) {
  return dispatch_floating(a.dtype(), [&]<class T>(T) {
    return succeeds([&] { store<T>(xt::linalg::inv(load<T>(a)), result); });
  });
}

bool solve(const Tensor& a, const Tensor& b, Tensor& result) {
  return dispatch_floating(a.dtype(), [&]<class T>(T) {
    return succeeds([&] { store<T>(xt::linalg::solve(load<T>(a), load<T>(b)), result); });
  });
}

bool cholesky(const Tensor& a, Tensor& result) {
  return dispatch_floating(a.dtype(), [&]<class T>(T) {
    return succeeds([&] { store<T>(xt::linalg::cholesky(load<T>(a)), result); });
  });
}

void det(const Tensor& a, Tensor& result) {
  dispatch_floating(a.dtype(),
                    [&]<class T>(T) { *result.in_place<T>() = xt::linalg::det(load<T>(a)); });
}

void slogdet(const Tensor& a, Tensor& sign, Tensor& log_abs) {
  dispatch_floating(a.dtype(), [&]<class T>(T) {
    const auto [s, l] = xt::linalg::slogdet(load<T>(a));
    *sign.in_place<T>() = s;
    *log_abs.in_place<T>() = l;
  });
}

bool svd(const Tensor& a, Tensor& u, Tensor& s, Tensor& vh) {
  return dispatch_floating(a.dtype(), [&]<class T>(T) {
    return succeeds([&] {
      const auto [left, values, right] = xt::linalg::svd(load<T>(a), false);
      store<T>(left, u);
      store_vector<T>(values, s);
      store<T>(right, vh);
    });
  });
}

bool eigh(const Tensor& a, Tensor& values, Tensor& vectors) {
  return dispatch_floating(a.dtype(), [&]<class T>(T) {
    return succeeds([&] {
      const auto [w, v] = xt::linalg::eigh(load<T>(a));
      store_vector<T>(w, values);
      store<T>(v, vectors);
    });
  });
}

}  // namespace unroll::kernels
