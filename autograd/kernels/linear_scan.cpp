#include <autograd/kernels/linear_scan.hpp>
#include <autograd/kernels/linear_scan_blocks.hpp>

#include <array>
#include <cstddef>

namespace unroll::kernels {
namespace {

using namespace scan;

template <class T, int Parts>
void run(const Tensor& a, const Tensor& b, const LinearScan& how, Tensor& h) {
  const Index steps = b.size(0);
  const Columns<Parts> columns(b.shape());
  const Coefficients<T> coefficients(a);
  const Boundaries<T, Parts> boundaries(how, columns);
  const T* const b_data = b.data<T>();
  const T* const start = data_or_null<T>(how.start);
  const T* const restart = data_or_null<T>(how.restart);
  T* const h_data = h.in_place<T>();
  for_each_block<Parts>(steps, columns.count, 2.0 * Parts * Parts, [&](Index begin, Index end) {
    Block<T, Parts> block;
    const auto set = [&](Index first, Index last, const T* to) {
      const Place<T> state = block.at(first - begin);
      if (to)
        copy_numbers<Parts>(columns.at(to, 0, first), last - first, state);
      else
        clear_numbers<Parts>(state, last - first);
    };
    columns.for_each_range(begin, end, [&](Index first, Index last) { set(first, last, start); });
    BlockOfCoefficients<T, Parts> decay(coefficients, columns, begin, end);
    for (Index k = 0; k < steps; ++k) {
      const Index t = how.reverse ? steps - 1 - k : k;
      decay.go_to(t);
      boundaries.for_each_range(t, begin, end, [&](Index first, Index last, Doing doing) {
        const Place<T> state = block.at(first - begin);
        const Place<T> h_t = columns.at(h_data, t, first);
        if (doing == Doing::begins) set(first, last, restart);
        if (doing == Doing::rests)
          return copy_numbers<Parts>(Place<const T>{state.data, state.distance}, last - first, h_t);
        const Place<const T> a_t = decay.at(first);
        const Place<const T> b_t = columns.at(b_data, t, first);
        for_each_lanes<T>(last - first, [&]<class L>(Index i, L) {
          using N = Number<L, Parts>;
          const N now =
              N::load(a_t.data + i, a_t.distance) * N::load(state.data + i, state.distance) +
              N::load(b_t.data + i, b_t.distance);
          now.store(state.data + i, state.distance);
          now.store(h_t.data + i, h_t.distance);
        });
      });
    }
  });
}

template <class T, int Parts>
void run_gradient(const Tensor& a, const Tensor& h, const LinearScan& how, const Tensor& g,
                  LinearScanGradients& gradients) {
  const Index steps = h.size(0);
  const Columns<Parts> columns(h.shape());
  const Coefficients<T> coefficients(a);
  const Boundaries<T, Parts> boundaries(how, columns);
  const T* const h_data = h.data<T>();
  const T* const g_data = g.data<T>();
  const T* const start = data_or_null<T>(how.start);
  const T* const restart = data_or_null<T>(how.restart);
  const bool is_summed = gradients.a.defined() && coefficients.is_constant();
  T* const da_sum = is_summed ? gradients.a.in_place<T>() : nullptr;
  T* const da_data = is_summed ? nullptr : result_or_null<T>(gradients.a);
  T* const db_data = result_or_null<T>(gradients.b);
  T* const dstart = result_or_null<T>(gradients.start);
  T* const drestart = result_or_null<T>(gradients.restart);
  for_each_block<Parts>(steps, columns.count, 4.0 * Parts * Parts, [&](Index begin, Index end) {
    // The gradient of a state is what comes from its output and from the step after it.
    Block<T, Parts> block, zeros;
    clear_numbers<Parts>(block.at(0), end - begin);
    clear_numbers<Parts>(zeros.at(0), end - begin);
    SumOverTime<T, Parts> sum(is_summed ? end - begin : 0);
    BlockOfCoefficients<T, Parts> decay(coefficients, columns, begin, end);
    const auto state_or_zeros = [&](const T* state, Index column) {
      return state ? columns.at(state, 0, column) : std::as_const(zeros).at(column - begin);
    };
    if (drestart)
      columns.for_each_range(begin, end, [&](Index first, Index last) {
        clear_numbers<Parts>(columns.at(drestart, 0, first), last - first);
      });
    for (Index k = steps - 1; k >= 0; --k) {
      const Index t = how.reverse ? steps - 1 - k : k;
      decay.go_to(t);
      boundaries.for_each_range(t, begin, end, [&](Index first, Index last, Doing doing) {
        const Index n = last - first;
        const Place<T> next = block.at(first - begin);
        const Place<const T> g_t = columns.at(g_data, t, first);
        const Place<T> db_t = columns.at(db_data, t, first);
        const Place<T> da_t = columns.at(da_data, t, first);
        if (doing == Doing::rests) {
          for_each_lanes<T>(n, [&]<class L>(Index i, L) {
            using N = Number<L, Parts>;
            (N::load(g_t.data + i, g_t.distance) + N::load(next.data + i, next.distance))
                .store(next.data + i, next.distance);
          });
          if (db_data) clear_numbers<Parts>(db_t, n);
          if (da_data) clear_numbers<Parts>(da_t, n);
          return;
        }
        const Place<const T> a_t = decay.at(first);
        const Place<const T> before = doing == Doing::begins ? state_or_zeros(restart, first)
                                      : k == 0
                                          ? state_or_zeros(start, first)
                                          : columns.at(h_data, how.reverse ? t + 1 : t - 1, first);
        for_each_lanes<T>(n, [&]<class L>(Index i, L) {
          using N = Number<L, Parts>;
          const N total =
              N::load(g_t.data + i, g_t.distance) + N::load(next.data + i, next.distance);
          if (db_data) total.store(db_t.data + i, db_t.distance);
          const auto by_a = [&] {
            return times_conjugate(total, N::load(before.data + i, before.distance));
          };
          if (da_data) by_a().store(da_t.data + i, da_t.distance);
          if (is_summed) sum.add(first - begin + i, by_a());
          times_conjugate(total, N::load(a_t.data + i, a_t.distance))
              .store(next.data + i, next.distance);
        });
        if (doing == Doing::begins) {
          if (drestart) {
            const Place<T> to = columns.at(drestart, 0, first);
            for (Index part = 0; part < Parts; ++part)
              std::transform(to.data + part * to.distance, to.data + part * to.distance + n,
                             next.data + part * next.distance, to.data + part * to.distance,
                             [](T x, T y) { return x + y; });
          }
          clear_numbers<Parts>(next, n);
        }
      });
      if (is_summed) sum.step_ends();
    }
    columns.for_each_range(begin, end, [&](Index first, Index last) {
      if (is_summed) sum.store(first - begin, last - first, columns.at(da_sum, 0, first));
      if (dstart)
        copy_numbers<Parts>(std::as_const(block).at(first - begin), last - first,
                            columns.at(dstart, 0, first));
    });
  });
}

}  // namespace

bool is_constant_in_time(const Tensor& a) { return a.size(0) > 1 && a.strides()[0] == 0; }

void linear_scan(const Tensor& a, const Tensor& b, const LinearScan& how, Tensor& h) {
  dispatch_floating(b.dtype(), [&]<class T>(T) {
    if (how.complex)
      run<T, 2>(a, b, how, h);
    else
      run<T, 1>(a, b, how, h);
  });
}

void linear_scan_gradient(const Tensor& a, const Tensor& h, const LinearScan& how, const Tensor& g,
                          LinearScanGradients& gradients) {
  dispatch_floating(h.dtype(), [&]<class T>(T) {
    if (how.complex)
      run_gradient<T, 2>(a, h, how, g, gradients);
    else
      run_gradient<T, 1>(a, h, how, g, gradients);
  });
}

}  // namespace unroll::kernels
