// Writing in conversation, where the standard input would be.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>

#include "examples/lm/sample.hpp"
#include "lm.hpp"

using namespace lm;

namespace {

Model small_model() {
  unroll::seed(4);
  Model model(lm_program::characters("abcdefgh \n"), {.layers = 2, .hidden = 12, .embedding = 6});
  for (unroll::Parameter parameter : model.parameters())  // far from equal probabilities
    parameter.set(unroll::uniform(parameter.shape(), -1.5, 1.5));
  model.eval();
  return model;
}

std::string written(const std::function<void(std::FILE*)>& write) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  REQUIRE(out != nullptr);
  write(out);
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

std::string answers(const Model& model, const SampleOptions& options, const std::string& lines,
                    std::string* errors = nullptr) {
  std::istringstream in(lines);
  std::string out;
  const std::string err = written([&](std::FILE* error) {
    out = written([&](std::FILE* file) { converse(model, options, in, file, error); });
  });
  if (errors)
    *errors = err;
  else
    CHECK(err == "");
  return out;
}

std::string continued(const Model& model, SampleOptions options, const std::string& prompt) {
  options.prompt = prompt;
  return written([&](std::FILE* out) { sample(model, options, out); }).substr(prompt.size());
}

}  // namespace

TEST_CASE("each line is continued, from all lines and answers before it, until the end") {
  const Model model = small_model();
  SampleOptions options{.length = 8};
  options.filter.temperature = 0;
  const std::string first = continued(model, options, "ab");
  CHECK(answers(model, options, "ab\n") == first);
  CHECK(answers(model, options, "ab") == first);
  const std::string second = continued(model, options, "ab" + first.substr(0, 8) + "hg");
  CHECK(answers(model, options, "ab\nhg\n") == first + second);
  CHECK(second != continued(model, options, "hg"));

  options.prompt = "a";
  CHECK(answers(model, options, "b\n") == first);
  CHECK(answers(model, options, "") == "");
}

TEST_CASE("an empty first line begins as after a line break") {
  const Model model = small_model();
  SampleOptions options{.length = 8};
  options.filter.temperature = 0;
  CHECK(answers(model, options, "\n") == continued(model, options, ""));
}

TEST_CASE("a line that the model cannot read is reported and the conversation goes on") {
  const Model model = small_model();
  SampleOptions options{.length = 8};
  options.filter.temperature = 0;
  std::string errors;
  CHECK(answers(model, options, "axb\na\xff\nab\n", &errors) == continued(model, options, "ab"));
  CHECK(errors.find("line: the model never saw 'x' (U+0078)") != std::string::npos);
  CHECK(errors.find("line: not valid UTF-8 at byte offset 1") != std::string::npos);
}

TEST_CASE("the repetition penalty looks back over its window, prompt included") {
  const Model model = small_model();
  SampleOptions options{.length = 40};
  options.filter.temperature = 0;
  options.filter.repetition_penalty = 1e12;
  options.repetition_window = 1;
  std::string text = "a" + continued(model, options, "a").substr(0, 40);
  int twice = 0;
  for (std::size_t i = 1; i < text.size(); ++i) twice += text[i] == text[i - 1] ? 1 : 0;
  CHECK(twice == 0);
  // With all symbols seen, the penalty applies to all alike: those with a negative logit end up
  // far below, so only the first few characters are all different.
  options.repetition_window = 0;
  options.length = 3;
  text = "a" + continued(model, options, "a").substr(0, 3);
  for (std::size_t i = 0; i < text.size(); ++i)
    CHECK(text.find(text[i], i + 1) == std::string::npos);
}
