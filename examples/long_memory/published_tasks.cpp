#include "published_tasks.hpp"

#include <cmath>

#include "tasks.hpp"

namespace long_memory {
namespace {

const std::vector<Index> kCounts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

Training adding_of(Index steps, const std::string& cell, Index updates) {
  return {.cell = cell,
          .memory = steps,
          .next = [=](Generator& generator) { return adding(steps, 32, generator); },
          .test = [=](Generator& generator) { return adding(steps, 500, generator); },
          .error = squared_error,
          .solved = 1e-3,
          .updates = updates};
}

Training counting_of(const std::string& letters, Index hidden, Index updates) {
  const auto strings = [=](Generator&) { return counting(letters, kCounts); };
  return {.hidden = hidden,
          .next = strings,
          .test = strings,
          .error = wrong_sequences,
          .stops = false,
          .learning_rate = 1e-2,
          .updates = updates};
}

}  // namespace

std::vector<Task> published_tasks() {
  return {
      {.name = "reber",
       .measure = "wrong predictions",
       .reach = {0, 0},
       .published =
           "8,440 to 39,740 sequences, 97 to 100 % of the runs (Hochreiter and Schmidhuber, 1997)",
       .training = {.hidden = 12,
                    .next = [](Generator& random) { return embedded_reber(8, random); },
                    .test = [](Generator& random) { return embedded_reber(256, random); },
                    .error = wrong_predictions,
                    .learning_rate = 1e-2,
                    .updates = 5000,
                    .between_tests = 50}},
      {.name = "continual_reber",
       .measure = "wrong predictions",
       .reach = {0, 1e-3},
       .published =
           "18 to 62 % of the runs without an error in a million steps (Gers et al., 2000)",
       .training = {.hidden = 24,
                    .next = [streams = ReberStreams(32)](
                                Generator& random) mutable { return streams.next(50, random); },
                    .test = [](Generator& random) { return ReberStreams(50).next(2000, random); },
                    .error = wrong_predictions,
                    .carries_state = true,
                    .learning_rate = 5e-3,
                    .updates = 12000,
                    .between_tests = 200}},
      {.name = "anbn",
       .measure = "wrong strings",
       .baseline = 1.0,
       .letters = "ab",
       .reach = {10, 500},
       .published = "taught n up to 10, right up to n = 118 on the average (Gers and Schmidhuber, "
                    "2001)",
       .training = counting_of("ab", 8, 4000)},
      {.name = "anbncn",
       .measure = "wrong strings",
       .baseline = 1.0,
       .letters = "abc",
       .reach = {10, 500},
       .published = "taught n up to 10, right up to n = 28 on the average (Gers and Schmidhuber, "
                    "2001)",
       .training = counting_of("abc", 12, 6000)},
      {.name = "adding",
       .measure = "mean squared error",
       .baseline = 1.0 / 6.0,
       .reach = {0, 1e-3},
       .published =
           "T = 100: 74,000, T = 500: 209,000 sequences (Hochreiter and Schmidhuber, 1997)",
       .training = adding_of(200, "LSTM", 6000)},
      {.name = "adding_600",
       .measure = "mean squared error",
       .baseline = 1.0 / 6.0,
       .reach = {0, 1e-3},
       .published = "GRU 5e-5, LSTM 0.164 after equal training (Bai, Kolter and Koltun, 2018)",
       .training = adding_of(600, "GRU", 6000)},
      {.name = "adding_600_min",
       .measure = "mean squared error",
       .baseline = 1.0 / 6.0,
       .reach = {0, 1e-3},
       .published = "none of this cell; GRU 5e-5 (Bai, Kolter and Koltun, 2018)",
       .training = adding_of(600, "MinGRU", 6000)},
      {.name = "order",
       .measure = "wrong answers",
       .baseline = 0.75,
       .reach = {0, 1e-3},
       .published =
           "31,390 sequences, 1 of 2560 wrong (Hochreiter and Schmidhuber, 1997, experiment 6a)",
       .training = {.hidden = 32,
                    .memory = 100,
                    .next = [](Generator& random) { return temporal_order(32, random); },
                    .test = [](Generator& random) { return temporal_order(2560, random); },
                    .error = wrong_classes,
                    .solved = 1.5 / 2560.0,
                    .learning_rate = 1e-2,
                    .updates = 3000}},
      {.name = "copy",
       .measure = "cross-entropy",
       .baseline = 10.0 * std::log(8.0) / 120.0,
       .reach = {0, 0.17},
       .published = "T = 100: a little below the baseline of 0.173 (Arjovsky et al., 2016, LSTM)",
       .training = {.memory = 100,
                    .next = [](Generator& random) { return copy_memory(100, 32, random); },
                    .test = [](Generator& random) { return copy_memory(100, 200, random); },
                    .error = class_entropy,
                    .solved = 0.01,
                    .updates = 6000}},
  };
}

}  // namespace long_memory
