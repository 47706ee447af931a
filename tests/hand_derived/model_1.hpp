#pragma once

#include "hand_derived/plain.hpp"

/// The network with recurrent connections between hidden units, forward and backward by hand:
///
///   a(t) = b + W h(t-1) + U x(t)    h(t) = f(a(t))    o(t) = c + V h(t)    y(t) = softmax(o(t))
///   L = - sum_t log y(t)[target(t)]
///
/// Backward. With e(t) one-hot at target(t), log y = o - log sum exp o gives the first line; o(t)
/// and a(t+1) are the two uses of h(t), which gives the second:
///
///   dL/do(t) = y(t) - e(t)
///   dL/dh(t) = V^T dL/do(t) + W^T dL/da(t+1)          (at the last t only the first term)
///   dL/da(t) = f'(a(t)) (.) dL/dh(t)
///   dL/dc = sum dL/do(t)     dL/dV = sum dL/do(t) h(t)^T
///   dL/db = sum dL/da(t)     dL/dW = sum dL/da(t) h(t-1)^T     dL/dU = sum dL/da(t) x(t)^T
///   dL/dx(t) = U^T dL/da(t)  dL/dh(0) = W^T dL/da(1)
namespace plain {

class Model1 {
 public:
  // f, and f' in terms of h = f(a), which is enough for tanh, sigmoid and ReLU.
  double (*f)(double);
  double (*slope)(double);

  static constexpr Index kInputs = 3;
  static constexpr Index kHidden = 4;
  static constexpr Index kOutputs = 5;
  static constexpr Index kSteps = 4;

  Matrix u = sample(kHidden, kInputs, 1);
  Matrix w = sample(kHidden, kHidden, 2);
  Matrix v = sample(kOutputs, kHidden, 3);
  Matrix b = sample(kHidden, 1, 4);
  Matrix c = sample(kOutputs, 1, 5);
  Matrix h0 = sample(kHidden, 1, 6);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 7);
  std::vector<std::int64_t> targets{2, 0, 4, 2};

  std::vector<Matrix> h, o, y;
  double loss = 0.0;
  std::vector<Matrix> dh, dout, dx;
  Matrix du, dw, dv, db, dc, dh0;

  Model1(double (*function)(double), double (*function_slope)(double))
      : f(function), slope(function_slope) {
    forward();
    backward();
  }

 private:
  void forward() {
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Matrix a = b + product(w, t == 0 ? h0 : h[t - 1]) + product(u, x[t]);
      h.push_back(map(f, a));
      o.push_back(c + product(v, h[t]));
      Matrix p = map([](double q) { return std::exp(q); }, o[t]);
      double total = 0.0;
      for (double value : p.values) total += value;
      y.push_back((1.0 / total) * p);
      loss -= std::log(y[t](targets[t]));
    }
  }

  void backward() {
    du = Matrix(kHidden, kInputs);
    dw = Matrix(kHidden, kHidden);
    dv = Matrix(kOutputs, kHidden);
    db = Matrix(kHidden, 1);
    dc = Matrix(kOutputs, 1);
    dh.resize(x.size());
    dout.resize(x.size());
    dx.resize(x.size());
    Matrix from_next(kHidden, 1);  // W^T dL/da(t+1)
    for (std::size_t t = x.size(); t-- > 0;) {
      dout[t] = y[t];
      dout[t](targets[t]) -= 1.0;
      dh[t] = product(transposed(v), dout[t]) + from_next;
      const Matrix da = hadamard(map(slope, h[t]), dh[t]);
      dc = dc + dout[t];
      dv = dv + outer(dout[t], h[t]);
      db = db + da;
      dw = dw + outer(da, t == 0 ? h0 : h[t - 1]);
      du = du + outer(da, x[t]);
      dx[t] = product(transposed(u), da);
      from_next = product(transposed(w), da);
    }
    dh0 = from_next;
  }
};

}  // namespace plain
