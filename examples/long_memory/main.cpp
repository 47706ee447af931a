// Tasks that recurrent networks have been measured by since 1997: a few units of information to be
// kept for a long time, or a count to be kept exactly. How many sequences does a network need, and
// does what it learned hold beyond what it was taught?
//
// Without an option two of the tasks run, which take a minute; --task all runs all of them, which
// takes hours on two cores. The published figures are from other networks, optimizers and batches:
// they give the scale, and are not a target.
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "common/example.hpp"
#include "common/picture.hpp"
#include "published_tasks.hpp"

using namespace unroll;
using namespace long_memory;

namespace {

/// "mean (least to most)"
std::string spread_of(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", mean, *least, *most);
}

/// Runs a task with each seed, prints its row of the table, and returns its part of the picture.
example::Panel measure(const Task& task, const example::Options& options, std::uint64_t seeds) {
  Training training = task.training;
  if (options.quick) {
    training.updates /= 20;
    training.between_tests = training.updates;
  }
  example::Panel panel(fmt::format("{}, {} with {} units (a line for each seed)", task.name,
                                   training.cell, training.hidden),
                       "sequences learned from", task.measure);
  panel.set("key top right").set("yrange [0:]");
  std::vector<double> solved_after, errors, counts;
  double furthest = 1.0;
  for (std::uint64_t k = 0; k < seeds; ++k) {
    const Run run = train(training, options.seed + k);
    if (run.solved_after >= 0.0) solved_after.push_back(run.solved_after);
    errors.push_back(run.errors.back());
    if (!task.letters.empty())
      counts.push_back(double(counts_up_to(run.net, task.letters, options.quick ? 12 : 500)));
    furthest = std::max(furthest, run.sequences.back());
    panel.curve("", "with linespoints lw 2 pt 7 ps 0.4", {run.sequences, run.errors});
  }
  if (task.baseline > 0.0)
    panel.curve("knowing nothing", "with lines dt 2 lc rgb '#666666'",
                {{0.0, furthest}, {task.baseline, task.baseline}});
  fmt::print("{}, {} with {} units\n", task.name, training.cell, training.hidden);
  fmt::print("    solved          {} of {} runs, after {} sequences\n", solved_after.size(), seeds,
             spread_of(solved_after));
  fmt::print("    {:<15} {}", "error", spread_of(errors));
  fmt::print(", {}{}\n", task.measure,
             task.baseline > 0.0 ? fmt::format("; knowing nothing {:.3g}", task.baseline) : "");
  if (!counts.empty()) fmt::print("    counts up to    {}\n", spread_of(counts));
  fmt::print("    published       {}\n", task.published);
  const std::vector<double>& figures = counts.empty() ? errors : counts;
  example::figure(task.name + (counts.empty() ? ": mean " + task.measure : ": mean of the counts"),
                  std::accumulate(figures.begin(), figures.end(), 0.0) / double(seeds), task.reach);
  return panel;
}

void program(const example::Options& options, const std::vector<std::string>& names,
             std::uint64_t seeds) {
  const std::vector<Task> tasks = published_tasks();
  for (const std::string& name : names)
    if (name != "all" && std::none_of(tasks.begin(), tasks.end(),
                                      [&](const Task& task) { return task.name == name; }))
      throw ArgumentError("--task: there is no task \"" + name + "\"; --help lists them");
  fmt::print("Look at how much the runs differ: a task is solved when all of them solve it.\n\n");
  std::vector<example::Panel> panels;
  for (const Task& task : tasks)
    if (std::find(names.begin(), names.end(), task.name) != names.end() || names[0] == "all")
      panels.push_back(measure(task, options, options.quick ? 1 : seeds));
  example::draw(options.picture, panels);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> tasks{"reber", "anbn"};
  std::uint64_t seeds = 3;
  std::string names;
  for (const Task& task : published_tasks()) names += " " + task.name;
  return example::run(
      argc, argv, "long_memory", "Small published tasks that need a long or an exact memory.",
      [&](CLI::App& app) {
        app.add_option("--task", tasks, "one or several of" + names + ", or all")
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->capture_default_str();
        app.add_option("--seeds", seeds, "runs of each task")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
      },
      [&](const example::Options& options) { program(options, tasks, seeds); });
}
