#pragma once

#include "in_turn.hpp"

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

/// Two kinds of results, run by Google Benchmark under names of the form group/case.
namespace benchmarks {

/// How much time each comparison may take; set before the benchmarks run.
Effort& effort();

/// Starts a group; later registrations belong to it. The geometric mean of its ratios should be at
/// least `mean_goal` (0: no goal).
void group(const std::string& name, const std::string& title, double mean_goal = 0.0);

struct Outcome {
  Comparison comparison;
  std::string note;
  double unit = 1e-3;  ///< seconds, or bytes, that the two figures are shown in
  const char* unit_name = "ms";
};

/// Two figures and the ratio other / ours, which should be at least `goal` (0: no goal). What
/// `compare` throws ends this comparison, and makes the program fail.
void comparison(const std::string& name, double goal, std::function<Outcome()> compare);

struct Figure {
  double value = 0.0;
  const char* unit_name = "";
};

/// One figure, which should be at most `goal` (negative: no goal).
void figure(const std::string& name, double goal, std::function<Figure()> measure);

/// Prints the table while the benchmarks run.
class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

  int failures() const { return failures_; }

 private:
  void open(const std::string& group);
  void close();
  void print_goal(double goal, bool met);

  std::string group_;
  double log_ratios_ = 0.0;
  int ratios_ = 0;
  int goals_ = 0, met_ = 0;
  int failures_ = 0;
};

}  // namespace benchmarks
