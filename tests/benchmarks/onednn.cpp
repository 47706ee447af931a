#include "onednn.hpp"

#include <stdexcept>

#if UNROLL_HAVE_ONEDNN

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <unordered_map>

namespace benchmarks {
namespace {

using dnnl::memory;
using Layout = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

memory::desc layout(const memory::dims& sizes, Layout tag) {
  return {sizes, memory::data_type::f32, tag};
}

float* data(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
std::size_t count(const memory& m) { return m.get_desc().get_size() / sizeof(float); }

std::vector<float> numbers_of(const memory& m) { return {data(m), data(m) + count(m)}; }

}  // namespace

struct OneDnnLstm::Primitive {
  Primitive(const LstmProblem& problem, int thread_count) : threads(thread_count) {
    omp_set_num_threads(threads);
    const auto [steps, batch, hidden] = problem.size;
    const auto sequence = layout({steps, batch, hidden}, Layout::tnc);
    const auto state = layout({1, 1, batch, hidden}, Layout::ldnc);
    const auto rows = layout({1, 1, hidden, 4, hidden}, Layout::ldigo);
    const auto chosen = layout({1, 1, hidden, 4, hidden}, Layout::any);
    const auto bias_rows = layout({1, 1, 4, hidden}, Layout::ldgo);
    constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;

    const dnnl::lstm_forward::primitive_desc forward_desc(
        {dnnl::prop_kind::forward_training, kDirection, sequence, state, state, chosen, chosen,
         bias_rows, sequence, state, state},
        engine);
    const dnnl::lstm_backward::primitive_desc backward_desc({dnnl::prop_kind::backward,
                                                             kDirection,
                                                             sequence,
                                                             state,
                                                             state,
                                                             chosen,
                                                             chosen,
                                                             bias_rows,
                                                             sequence,
                                                             state,
                                                             state,
                                                             sequence,
                                                             state,
                                                             state,
                                                             chosen,
                                                             chosen,
                                                             bias_rows,
                                                             sequence,
                                                             state,
                                                             state},
                                                            engine, forward_desc);
    forward = dnnl::lstm_forward(forward_desc);
    backward = dnnl::lstm_backward(backward_desc);

    const auto make = [&](const memory::desc& desc, float value = 0.0F) {
      memory result(desc, engine);
      std::fill_n(data(result), count(result), value);
      return result;
    };
    const auto filled = [&](const memory::desc& desc, const std::vector<float>& values) {
      memory result(desc, engine);
      std::copy(values.begin(), values.end(), data(result));
      return result;
    };
    w_ih = filled(rows, problem.w_ih);
    w_hh = filled(rows, problem.w_hh);
    forward_w_ih = make(forward_desc.weights_layer_desc());
    forward_w_hh = make(forward_desc.weights_iter_desc());
    backward_w_ih = make(backward_desc.weights_layer_desc());
    backward_w_hh = make(backward_desc.weights_iter_desc());
    outputs = make(sequence);
    d_x = make(sequence);
    d_w_ih = make(backward_desc.diff_weights_layer_desc());
    d_w_hh = make(backward_desc.diff_weights_iter_desc());
    d_bias = make(bias_rows);
    reorders = {dnnl::reorder(w_ih, forward_w_ih), dnnl::reorder(w_hh, forward_w_hh),
                dnnl::reorder(w_ih, backward_w_ih), dnnl::reorder(w_hh, backward_w_hh)};

    forward_arguments = {{DNNL_ARG_SRC_LAYER, filled(sequence, problem.x)},
                         {DNNL_ARG_SRC_ITER, make(state)},
                         {DNNL_ARG_SRC_ITER_C, make(state)},
                         {DNNL_ARG_WEIGHTS_LAYER, forward_w_ih},
                         {DNNL_ARG_WEIGHTS_ITER, forward_w_hh},
                         {DNNL_ARG_BIAS, filled(bias_rows, problem.bias)},
                         {DNNL_ARG_DST_LAYER, outputs},
                         {DNNL_ARG_DST_ITER, make(state)},
                         {DNNL_ARG_DST_ITER_C, make(state)},
                         {DNNL_ARG_WORKSPACE, make(forward_desc.workspace_desc())}};
    backward_arguments = forward_arguments;
    backward_arguments[DNNL_ARG_WEIGHTS_LAYER] = backward_w_ih;
    backward_arguments[DNNL_ARG_WEIGHTS_ITER] = backward_w_hh;
    const Arguments gradients = {{DNNL_ARG_DIFF_DST_LAYER, make(sequence, 1.0F)},
                                 {DNNL_ARG_DIFF_DST_ITER, make(state)},
                                 {DNNL_ARG_DIFF_DST_ITER_C, make(state)},
                                 {DNNL_ARG_DIFF_SRC_LAYER, d_x},
                                 {DNNL_ARG_DIFF_SRC_ITER, make(state)},
                                 {DNNL_ARG_DIFF_SRC_ITER_C, make(state)},
                                 {DNNL_ARG_DIFF_WEIGHTS_LAYER, d_w_ih},
                                 {DNNL_ARG_DIFF_WEIGHTS_ITER, d_w_hh},
                                 {DNNL_ARG_DIFF_BIAS, d_bias}};
    backward_arguments.insert(gradients.begin(), gradients.end());
  }

  void step() {
    omp_set_num_threads(threads);
    reorders[0].execute(stream, w_ih, forward_w_ih);
    reorders[1].execute(stream, w_hh, forward_w_hh);
    forward.execute(stream, forward_arguments);
    reorders[2].execute(stream, w_ih, backward_w_ih);
    reorders[3].execute(stream, w_hh, backward_w_hh);
    for (const memory* sum : {&d_w_ih, &d_w_hh, &d_bias})  // the primitive adds to these
      std::fill_n(data(*sum), count(*sum), 0.0F);
    backward.execute(stream, backward_arguments);
    stream.wait();
  }

  LstmNumbers numbers() {
    const auto by_rows = [&](memory& gradient) {
      memory result(w_ih.get_desc(), engine);
      dnnl::reorder(gradient, result).execute(stream, gradient, result);
      stream.wait();
      return numbers_of(result);
    };
    return {numbers_of(outputs), numbers_of(d_x), by_rows(d_w_ih), by_rows(d_w_hh),
            numbers_of(d_bias)};
  }

  int threads;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::lstm_forward forward;
  dnnl::lstm_backward backward;
  memory w_ih, w_hh, forward_w_ih, forward_w_hh, backward_w_ih, backward_w_hh;
  memory outputs, d_x, d_w_ih, d_w_hh, d_bias;
  std::vector<dnnl::reorder> reorders;
  Arguments forward_arguments, backward_arguments;
};

bool OneDnnLstm::available() { return true; }

OneDnnLstm::OneDnnLstm(const LstmProblem& problem, int threads)
    : primitive_(std::make_unique<Primitive>(problem, threads)) {}
OneDnnLstm::~OneDnnLstm() = default;
void OneDnnLstm::step() { primitive_->step(); }
LstmNumbers OneDnnLstm::numbers() const { return primitive_->numbers(); }

}  // namespace benchmarks

#else

namespace benchmarks {

struct OneDnnLstm::Primitive {};

bool OneDnnLstm::available() { return false; }
OneDnnLstm::OneDnnLstm(const LstmProblem& /*problem*/, int /*threads*/) {
  throw std::logic_error("built without oneDNN");
}
OneDnnLstm::~OneDnnLstm() = default;
void OneDnnLstm::step() { throw std::logic_error("built without oneDNN"); }
LstmNumbers OneDnnLstm::numbers() const { throw std::logic_error("built without oneDNN"); }

}  // namespace benchmarks

#endif
