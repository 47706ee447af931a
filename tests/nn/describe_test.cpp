#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/describe.hpp>
#include <nn/layers/tied_readout.hpp>
#include <nn/nn.hpp>

namespace unroll::testing {
namespace {

struct LanguageModel : nn::Module {
  nn::Embedding embedding = add("embedding", nn::Embedding(10, 4));
  nn::Recurrent rnn = add("rnn", nn::Recurrent(nn::Elman(4, 4)));
  nn::TiedReadout readout = add("readout", nn::TiedReadout(embedding));
};

}  // namespace

TEST_CASE("describe lists names, shapes, dtypes, elements and bytes, and their totals") {
  CHECK(describe(nn::Linear(1000, 2)) ==
        "name    shape     dtype    elements  bytes\n"
        "weight  [2,1000]  float32      2000   8000\n"
        "bias    [2]       float32         2      8\n"
        "total                          2002   8008\n");
}

TEST_CASE("describe counts a shared parameter once and says which it is") {
  CHECK(describe(LanguageModel()) ==
        "name              shape   dtype    elements  bytes\n"
        "embedding.weight  [10,4]  float32        40    160\n"
        "rnn.weight_ih_l0  [4,4]   float32        16     64\n"
        "rnn.weight_hh_l0  [4,4]   float32        16     64\n"
        "rnn.bias_ih_l0    [4]     float32         4     16\n"
        "rnn.bias_hh_l0    [4]     float32         4     16\n"
        "readout.weight    [10,4]  float32    shared         = embedding.weight\n"
        "readout.bias      [10]    float32        10     40\n"
        "total                                    90    360\n");
}

TEST_CASE("describe counts the bytes of the dtype that a module has") {
  nn::LayerNormLSTM cell(1, 1);
  const Index count = cell.parameter_count();
  cell.to(Dtype::float64);
  const std::string text = describe(cell);
  CHECK(text.find("float64") != std::string::npos);
  CHECK(text.ends_with(std::to_string(count) + "    " + std::to_string(8 * count) + "\n"));
}

TEST_CASE("describe marks buffers and frozen parameters") {
  struct Scaled : nn::Module {
    Scaled() { find_parameter(*this, "linear.bias").freeze(); }
    nn::Buffer scale = buffer("scale", ones({2}));
    nn::Linear linear = add("linear", nn::Linear(3, 2));
  };
  CHECK(describe(Scaled()) ==
        "name           shape  dtype    elements  bytes\n"
        "linear.weight  [2,3]  float32         6     24\n"
        "linear.bias    [2]    float32         2      8  frozen\n"
        "scale          [2]    float32         2      8  buffer\n"
        "total                                10     40\n");
}

TEST_CASE("describe of a module without parameters is a total of 0") {
  CHECK(describe(nn::Dropout(0.5)) ==
        "name   shape  dtype  elements  bytes\n"
        "total                       0      0\n");
}

}  // namespace unroll::testing
