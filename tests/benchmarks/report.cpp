#include "report.hpp"

#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <utility>

namespace benchmarks {
namespace {

struct Group {
  std::string title;
  double mean_goal = 0.0;
};

std::map<std::string, Group>& groups() {
  static std::map<std::string, Group> instance;
  return instance;
}

std::string& current_group() {
  static std::string instance;
  return instance;
}

/// Registers a benchmark of one iteration: what is measured brings its own rounds.
void once(const std::string& name, std::function<double(benchmark::State&)> measure) {
  benchmark::RegisterBenchmark((current_group() + '/' + name).c_str(),
                               [measure = std::move(measure)](benchmark::State& state) {
                                 try {
                                   const double seconds = measure(state);
                                   for (auto _ : state) state.SetIterationTime(seconds);
                                 } catch (const std::exception& error) {
                                   state.SkipWithError(error.what());
                                 }
                               })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

/// A name without the group before it and what Google Benchmark writes behind it.
std::string case_of(const std::string& name) {
  const auto begin = name.find('/') + 1;
  return name.substr(begin, name.find("/iterations") - begin);
}

double counter(const benchmark::BenchmarkReporter::Run& run, const char* name) {
  const auto found = run.counters.find(name);
  return found == run.counters.end() ? 0.0 : found->second.value;
}

}  // namespace

Effort& effort() {
  static Effort instance;
  return instance;
}

void group(const std::string& name, const std::string& title, double mean_goal) {
  current_group() = name;
  groups()[name] = {title, mean_goal};
}

void comparison(const std::string& name, double goal, std::function<Outcome()> compare) {
  once(name, [goal, compare = std::move(compare)](benchmark::State& state) {
    const Outcome outcome = compare();
    const Comparison& c = outcome.comparison;
    state.SetLabel(std::string(outcome.unit_name) + '|' + outcome.note);
    state.counters["ours"] = c.ours / outcome.unit;
    state.counters["other"] = c.other / outcome.unit;
    state.counters["ratio"] = c.ratio;
    state.counters["ratio_low"] = c.low;
    state.counters["ratio_high"] = c.high;
    state.counters["rounds"] = c.rounds;
    if (goal > 0.0) state.counters["goal_least"] = goal;
    return c.ours;
  });
}

void figure(const std::string& name, double goal, std::function<Figure()> measure) {
  once(name, [goal, measure = std::move(measure)](benchmark::State& state) {
    const Figure result = measure();
    state.SetLabel(std::string(result.unit_name) + '|');
    state.counters["figure"] = result.value;
    if (goal >= 0.0) state.counters["goal_most"] = goal;
    return 0.0;
  });
}

bool Table::ReportContext(const Context& /*context*/) { return true; }

void Table::open(const std::string& group) {
  close();
  group_ = group;
  std::printf("\n%s: %s\n", group.c_str(), groups()[group].title.c_str());
}

void Table::close() {
  if (ratios_ > 1) {
    const double mean = std::exp(log_ratios_ / ratios_);
    std::printf("  %-24s %35.2f", "geometric mean", mean);
    if (const double goal = groups()[group_].mean_goal; goal > 0.0) print_goal(goal, mean >= goal);
    std::printf("\n");
  }
  log_ratios_ = 0.0;
  ratios_ = 0;
}

void Table::print_goal(double goal, bool met) {
  ++goals_;
  met_ += met ? 1 : 0;
  std::printf("  goal %.4g%s", goal, met ? "" : ": missed");
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const std::string name = run.benchmark_name();
    if (const std::string group = name.substr(0, name.find('/')); group != group_) open(group);
    std::printf("  %-24s ", case_of(name).c_str());
    if (run.error_occurred) {
      ++failures_;
      std::printf("FAILED: %s\n", run.error_message.c_str());
      continue;
    }
    const auto bar = run.report_label.find('|');
    const std::string unit = run.report_label.substr(0, bar);
    const std::string note = run.report_label.substr(bar + 1);
    double goal = 0.0;
    bool met = true;
    if (run.counters.contains("ratio")) {
      const double ratio = counter(run, "ratio");
      goal = counter(run, "goal_least");
      met = ratio >= goal;
      log_ratios_ += std::log(ratio);
      ++ratios_;
      std::printf("%10.4g %10.4g %-4s %8.2f  [%.2f .. %.2f]", counter(run, "ours"),
                  counter(run, "other"), unit.c_str(), ratio, counter(run, "ratio_low"),
                  counter(run, "ratio_high"));
    } else {
      goal = counter(run, "goal_most");
      met = counter(run, "figure") <= goal;
      std::printf("%10.4g %s", counter(run, "figure"), unit.c_str());
    }
    if (run.counters.contains("goal_least") || run.counters.contains("goal_most"))
      print_goal(goal, met);
    std::printf("%s%s\n", note.empty() ? "" : "  ", note.c_str());
  }
  std::fflush(stdout);
}

void Table::Finalize() {
  close();
  std::printf("\n%d of %d goals met", met_, goals_);
  if (failures_ > 0) std::printf(", %d FAILED", failures_);
  std::printf("\n");
}

}  // namespace benchmarks
