// The page of lm report, and what a training leaves for it: curves and samples.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nn/io/safetensors.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "examples/lm/html.hpp"
#include "examples/lm/run_history.hpp"
#include "lm_pages.hpp"

using namespace lm_program;
using nlohmann::json;

TEST_CASE("a thinned curve keeps the means of a long one") {
  lm::ThinnedCurve thinned;
  CHECK(thinned.empty());
  constexpr int kCount = 100'000;
  for (int k = 0; k < kCount; ++k) thinned.add(k, 2.0 * k);
  const unroll::nn::Curve curve = thinned.curve("loss");
  CHECK(curve.x.size() <= 2048);
  CHECK(curve.x.size() >= 1024);
  const auto stride = static_cast<double>(thinned.values_per_point());
  for (std::size_t k = 0; k + 1 < curve.x.size(); ++k) {
    CHECK(curve.x[k] == doctest::Approx((static_cast<double>(k) + 0.5) * stride - 0.5));
    CHECK(curve.y[k] == doctest::Approx(2 * curve.x[k]));
  }
  CHECK(curve.x.back() > kCount - 2 * stride);
  lm::ThinnedCurve one;
  one.add(3, 4);
  CHECK(one.curve("").y == std::vector<double>{4});
}

TEST_CASE("report: the curves, settings, best validation and samples of a run") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const std::string model = folder / "a<b>&";
  train(folder, text, model, {"--max-steps", "60", "--eval-every", "4", "--sample-length", "30"});
  const lm::RunHistory history = lm::read_history(model + ".run/log.jsonl");
  REQUIRE(history.best);
  REQUIRE(history.samples.size() == 15);
  CHECK(history.samples[0].step == 4);
  CHECK(history.samples[0].text.size() >= 31);
  CHECK(history.samples[0].text != history.samples[14].text);

  const Outcome outcome = run(folder, {"report", model});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string page = read(model + ".report.html");
  CHECK(contains(page, "Training of " + lm::escape_html(model)));
  CHECK(!contains(page, "a<b>"));
  CHECK(count(page, "<svg") == 3);
  CHECK(count(page, "<circle") == 15);
  CHECK(contains(page, fmt::format("{:.4f} nats per symbol", history.best->nats)));
  CHECK(contains(page, fmt::format("at step {}", history.best->step)));
  CHECK(contains(page, "<th scope=\"row\">hidden</th><td>24</td>"));
  CHECK(contains(page, "symbols per second"));
  CHECK(contains(page, "up to step 60"));
  CHECK(count(page, "<pre>") == 8);
  for (const std::size_t shown : {0U, 14U})
    CHECK(contains(page, lm::escape_html(history.samples[shown].text)));

  expect_refused(run(folder, {"report", model}), "exists already; --overwrite replaces it");
  CHECK(run(folder, {"report", "--model", model, "--overwrite"}).code == 0);
  expect_refused(run(folder, {"report", folder / "none"}), "there is no run of");

  // Without validation, samples or a model that was saved.
  const std::string bare = folder / "bare";
  train(folder, text, bare,
        {"--max-steps", "3", "--validation", "0", "--sample-length", "0", "--quiet"});
  fs::remove(bare);
  CHECK(run(folder, {"report", bare}).code == 0);
  CHECK(!contains(read(bare + ".report.html"), "<pre>"));
}

TEST_CASE("samples change nothing in the training") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  for (const char* validation : {"0.1", "0"}) {
    CAPTURE(validation);
    const Arguments options{"--max-steps",  "30",       "--eval-every", "7", "--dropout", "0.2",
                            "--validation", validation, "--overwrite"};
    train(folder, text, folder / "with", options);
    train(folder, text, folder / "without", options + Arguments{"--sample-length", "0"});
    CHECK(read(folder / "with") == read(folder / "without"));
    CHECK(lm::read_history(folder / "with.run/log.jsonl").samples.size() == 5);
    CHECK(lm::read_history(folder / "without.run/log.jsonl").samples.empty());
  }
}

TEST_CASE("the curves of a run lie beside its log, go on when it is resumed, and may fail") {
  const Folder folder;
  const std::string text = write(folder / "text", sentences(300));
  const Arguments options{"--eval-every", "10", "--schedule", "constant"};
  const std::string once = folder / "once", resumed = folder / "resumed";
  train(folder, text, once, options + Arguments{"--max-steps", "40"});
  train(folder, text, resumed, options + Arguments{"--max-steps", "20"});
  const std::string curves = resumed + ".run/curves.svg";
  CHECK(count(read(curves), "<circle") == 2);
  const Arguments resume{"train", "--resume", "--model", resumed};
  CHECK(run(folder, resume + Arguments{"--max-steps", "40"}).code == 0);
  CHECK(count(read(curves), "<circle") == 4);
  CHECK(read(curves) == read(once + ".run/curves.svg"));

  fs::remove(curves);
  fs::create_directory(curves);
  const Outcome outcome = run(folder, resume + Arguments{"--max-steps", "50"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "step 50: no curves: "));
  CHECK(unroll::nn::load_safetensors(resumed + ".run/step-00000050.safetensors")
            .metadata.at("note.step") == "50");
}
