#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <string>

#include "support/expect.hpp"
#include "support/folder.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

struct Model : nn::Module {
  explicit Model(Index hidden = 4)
      : rnn(add("rnn", nn::Recurrent(nn::GRU(3, hidden)))),
        head(add("head", nn::Linear(hidden, 2))) {}
  Variable operator()(const Variable& x) const { return head(rnn(x).outputs); }
  nn::Recurrent rnn;
  nn::Linear head;
};

}  // namespace

TEST_CASE("a module that is saved and loaded computes the same bits, in either dtype") {
  const Folder folder;
  const std::string path = folder / "model";
  const Model model;
  nn::save(model, path);
  Model copy;
  nn::load(copy, path);
  const Tensor x = narrow({5, 2, 3}, 1);
  CHECK(copy(x).value().to_vector<float>() == model(x).value().to_vector<float>());

  Model wide;
  wide.to(Dtype::float64);
  nn::load(wide, path);
  CHECK(wide.head.parameters()[0].dtype() == Dtype::float64);
  CHECK(wide.head.parameters()[0].value().to(Dtype::float32).to_vector<float>() ==
        model.head.parameters()[0].value().to_vector<float>());
}

TEST_CASE("a file of another module is refused whole, with every parameter that differs") {
  const Folder folder;
  const std::string path = folder / "model";
  nn::save(nn::Linear(4, 2), path);
  Model model;
  const auto before = model.head.parameters()[0].value().to_vector<float>();
  expect_error<FormatError>([&] { nn::load(model, path); },
                            {"load", path, "rnn.weight_ih_l0 [12,3]: not in the file",
                             "head.bias [2]: not in the file", "weight [2,4]: not in the module"});
  nn::save(Model(5), path);
  expect_error<FormatError>([&] { nn::load(model, path); },
                            {"head.weight: [2,5] in the file, [2,4] in the module"});
  CHECK(model.head.parameters()[0].value().to_vector<float>() == before);
  expect_error<Error>([&] { nn::load(model, folder / "none"); }, {"none"});
}

}  // namespace unroll::testing
