#pragma once

#include <string>
#include <vector>

namespace example {

/// One pair of axes with its curves.
///
///     Panel("Accuracy", "length n", "accuracy (fraction)")
///         .set("logscale x")
///         .curve("LSTM", "with linespoints", {n, accuracy})
class Panel {
 public:
  Panel(std::string title, std::string x_label, std::string y_label);

  /// Any setting of gnuplot: `logscale x`, `yrange [0:1]`, `key bottom left`.
  Panel& set(const std::string& setting);
  /// A curve under its name in the legend, or none; `style` is gnuplot's (`with lines`, `with
  /// yerrorlines`) and `columns` what it reads: x, y and what the style needs beside them. Throws
  /// ArgumentError when columns differ in length or are empty.
  Panel& curve(const std::string& legend, const std::string& style,
               const std::vector<std::vector<double>>& columns);

  /// This panel as commands of gnuplot.
  std::string script() const;

 private:
  struct Curve {
    std::string legend, style;
    std::vector<std::vector<double>> columns;
  };
  std::string title_, x_label_, y_label_;
  std::vector<std::string> settings_;
  std::vector<Curve> curves_;
};

/// The columns of a curve `with yerrorlines`: x, and at each x the median, the smallest and the
/// largest of the runs, which have a value for each x.
std::vector<std::vector<double>> spread(const std::vector<double>& x,
                                        const std::vector<std::vector<double>>& runs);

/// Throws ArgumentError unless the path ends in .svg or .png, Error when it cannot be written.
void check_picture(const std::string& path);

/// Draws panels above each other with gnuplot, and says so. Beside the picture stays the script,
/// named alike with .gnuplot at its end, which holds the numbers. Without gnuplot there is only the
/// script, and a line tells what is missing. Throws Error when gnuplot fails.
void draw(const std::string& path, const std::vector<Panel>& panels);

}  // namespace example
